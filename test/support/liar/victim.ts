import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, type CosignerPolicy, type Suite, toHex } from '../../../sdk/core/index.js';
import { openChannel, type RpcChannel, type TlsIdentity } from '../../../sdk/rpc/index.js';
import { openStore, type Store, storeKey } from '../../../sdk/store/index.js';
import {
  currencyOf,
  type ListCurrency,
  ListReplica,
  NO_COSIGNERS,
  type PinnedPublisher,
  RootBook,
  restoreStatements,
  type SyncDeps,
  type SyncResult,
  syncList,
} from '../../../sdk/sync/index.js';
import { suite } from '../trust/keys.js';

export const random = { bytes: (length: number) => new Uint8Array(randomBytes(length)) };
const STORE_KEY = Uint8Array.from({ length: 32 }, (_, i) => i);

export interface VictimOptions {
  readonly suite?: Suite;
  readonly cosigners?: CosignerPolicy;
  readonly trust: readonly PinnedPublisher[];
  /** Addresses, tried in order. */
  readonly sources: readonly string[];
  readonly tls: TlsIdentity;
  readonly clock: Clock;
}

/** The SDK's own sync over a real store on disk: what every attack is aimed at. */
export class Victim {
  options: VictimOptions;
  readonly dir: string;
  #store!: Store;
  #book!: RootBook;
  #deps!: SyncDeps;
  #channels: RpcChannel[] = [];
  #removed = false;
  readonly #replicas = new Map<string, ListReplica>();

  private constructor(options: VictimOptions, dir: string) {
    this.options = options;
    this.dir = dir;
  }

  static async open(options: VictimOptions): Promise<Victim> {
    const victim = new Victim(options, await mkdtemp(join(tmpdir(), 'hashfed-attack-')));
    await victim.#start();
    return victim;
  }

  async #start(): Promise<void> {
    const { clock, trust, cosigners, sources, tls } = this.options;
    const key = { key: async () => storeKey(STORE_KEY) };
    this.#store = await openStore({ dir: join(this.dir, 'store'), key, clock, random });
    this.#channels = sources.map((address) => openChannel({ address, tls, random }));
    this.#deps = {
      store: this.#store,
      suite: this.options.suite ?? suite,
      clock,
      random,
      sources: this.#channels.map((channel, i) => ({ name: sources[i]!, channel })),
      trust,
      cosigners: cosigners ?? NO_COSIGNERS,
    };
    this.#book = await RootBook.open(this.#deps);
  }

  /** What the client's own code works with, for cases that call a part of it. */
  get deps(): SyncDeps {
    return this.#deps;
  }

  async replica(origin: string): Promise<ListReplica> {
    const held = this.#replicas.get(origin);
    if (held !== undefined) return held;
    const replica = await ListReplica.open(this.#store, this.#deps.suite, origin);
    restoreStatements(this.#deps, this.#book, replica);
    this.#replicas.set(origin, replica);
    return replica;
  }

  async sync(origin: string): Promise<SyncResult> {
    return await syncList(this.#deps, this.#book, await this.replica(origin));
  }

  async standing(origin: string): Promise<ListCurrency> {
    return currencyOf(this.#deps, this.#book, await this.replica(origin));
  }

  /** What the list is, from its records up: changes with any byte that was applied. */
  async digest(origin: string): Promise<string> {
    const { size, state, tree } = await this.replica(origin);
    return `${size} ${state.count} ${toHex(tree.root())} ${toHex(state.recomputeDigest())}`;
  }

  /** Evidence of forks kept for a list or publisher. */
  async evidence(name: string): Promise<number> {
    return (await this.#store.documents.versions('evidence', name)).length;
  }

  get documents(): Store['documents'] {
    return this.#store.documents;
  }

  get channels(): readonly RpcChannel[] {
    return this.#channels;
  }

  /** The process ends and starts again over the same disk. */
  async restart(change: Partial<VictimOptions> = {}): Promise<void> {
    await this.#stop();
    this.options = { ...this.options, ...change };
    await this.#start();
  }

  async #stop(): Promise<void> {
    this.#replicas.clear();
    for (const channel of this.#channels) channel.close();
    await this.#store.close();
  }

  /** May be called twice. */
  async remove(): Promise<void> {
    if (this.#removed) return;
    this.#removed = true;
    await this.#stop();
    await rm(this.dir, { recursive: true, force: true });
  }
}

import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, portableSha256, toHex } from '../../../sdk/core/index.js';
import {
  type Disk,
  keyFromCallback,
  memoryDatabase,
  nodeDisk,
  openStore,
  type Store,
} from '../../../sdk/store/index.js';
import {
  ListReplica,
  NO_COSIGNERS,
  RootBook,
  type Source,
  type SyncDeps,
  type SyncOptions,
  syncList,
} from '../../../sdk/sync/index.js';
import { encodeRoot, originPolicy, rootMessage } from '../trust/bodies.js';
import { suite } from '../trust/keys.js';

export const random = { bytes: (length: number) => new Uint8Array(randomBytes(length)) };
export const storeKeyProvider = keyFromCallback(() => Buffer.alloc(32, 'k1'));

/** A clock that tests move. */
export class TestClock implements Clock {
  wall: number;
  mono = 0;

  constructor(wall: number) {
    this.wall = wall;
  }

  nowMs(): number {
    return this.wall;
  }

  monotonicMs(): number {
    return this.mono;
  }

  pass(ms: number): void {
    this.wall += ms;
    this.mono += ms;
  }
}

export const fingerprintOf = (origin: string): Uint8Array =>
  portableSha256.digest(encodeRoot(rootMessage({ origins: [originPolicy({ origin })] })));

/** A hoster that follows one list, over a store in a folder of its own. */
export class SyncClient {
  readonly dir: string;
  readonly origin: string;
  readonly clock: Clock;
  deps!: SyncDeps;
  book!: RootBook;
  replica!: ListReplica;
  #store!: Store;
  readonly #sources: readonly Source[];
  readonly #disk: Disk | undefined;

  private constructor(dir: string, origin: string, clock: Clock, sources: readonly Source[], disk?: Disk) {
    this.dir = dir;
    this.origin = origin;
    this.clock = clock;
    this.#sources = sources;
    this.#disk = disk;
  }

  static async open(
    origin: string,
    clock: Clock,
    sources: readonly Source[],
    options: { dir?: string; disk?: Disk } = {},
  ): Promise<SyncClient> {
    const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'hashfed-sync-')));
    const client = new SyncClient(dir, origin, clock, sources, options.disk);
    await client.start();
    return client;
  }

  async start(read: typeof ListReplica.open = ListReplica.open): Promise<void> {
    const { clock } = this;
    const common = { dir: join(this.dir, 'store'), key: storeKeyProvider, clock, random };
    this.#store = await openStore(
      this.#disk === undefined || this.#disk === nodeDisk
        ? common
        : { ...common, disk: this.#disk, database: memoryDatabase() },
    );
    const trust = [{ publisher: 'members/police', fingerprint: fingerprintOf(this.origin) }];
    const base = { store: this.#store, suite, clock, random, trust, cosigners: NO_COSIGNERS };
    this.deps = { ...base, sources: this.#sources };
    this.book = await RootBook.open(this.deps);
    this.replica = await read(this.#store, suite, this.origin);
  }

  sync(options: SyncOptions = {}) {
    return syncList(this.deps, this.book, this.replica, options);
  }

  /** The list from its records up: changes with any byte that was applied. */
  digest(): string {
    const { size, state, root } = this.replica;
    return `${size} ${state.count} ${toHex(root)} ${toHex(state.recomputeDigest())}`;
  }

  evidence(): Promise<number[]> {
    return this.deps.store.documents.versions('evidence', this.origin);
  }

  /** Other sources from now on. */
  follow(...sources: readonly Source[]): void {
    this.deps = { ...this.deps, sources };
  }

  /** The process ends and starts again over the same folder. */
  async restart(read?: typeof ListReplica.open): Promise<void> {
    await this.#store.close();
    await this.start(read);
  }

  /** The process ends; the folder stays. */
  close(): Promise<void> {
    return this.#store.close();
  }

  async remove(): Promise<void> {
    await this.#store.close();
    for (const { channel } of this.#sources) channel.close();
    await rm(this.dir, { recursive: true, force: true });
  }
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ALG_COSIGNATURE,
  type CosignerPolicy,
  type NoteKey,
  parseCheckpoint,
  parseNote,
  signNote,
  toHex,
} from '../../sdk/core/index.js';
import { openChannel, type RpcChannel } from '../../sdk/rpc/index.js';
import { NO_COSIGNERS, RootBook } from '../../sdk/sync/index.js';
import {
  CarriedStatements,
  type Cosigner,
  Equivocations,
  type Followed,
  type Following,
  followList,
  RootDocuments,
  storeOf,
  Witness,
} from '../../server/federation/index.js';
import { openEngine } from '../../server/log/index.js';
import { silentLog } from '../../server/logging/index.js';
import { nodeDisk } from '../../server/storage/disk.js';
import { openLevelStorage, type Storage } from '../../server/storage/index.js';
import { ORIGIN, type World } from './liar/index.js';
import { random } from './liar/victim.js';
import { suite, testKey } from './trust/keys.js';

const HEADS_KEY = Uint8Array.from({ length: 32 }, (_, i) => i);
const NEVER = new AbortController().signal;

export interface RigOptions {
  readonly cosigners?: CosignerPolicy;
  /** Besides the liar: an honest upstream, asked too. */
  readonly honest?: boolean;
  readonly storage?: (storage: Storage) => Storage;
}

/** A mirror's own code over a real store, following a server that may lie. */
export class MirrorRig {
  readonly world: World;
  readonly dir: string;
  readonly options: RigOptions;
  following!: Following;
  witness!: Witness;
  readonly mirrorKey: NoteKey = noteKey('mirror', 'mirror.example/hashfed');
  readonly witnessKey: NoteKey = noteKey('witness', 'witness.example/hashfed');
  /** Durable size at the moment of each cosignature, and the size cosigned. */
  readonly cosigned: [durable: number, signed: number][] = [];
  #channels: RpcChannel[] = [];
  #storage!: Storage;

  private constructor(world: World, dir: string, options: RigOptions) {
    this.world = world;
    this.dir = dir;
    this.options = options;
  }

  static async open(world: World, options: RigOptions = {}): Promise<MirrorRig> {
    const rig = new MirrorRig(world, await mkdtemp(join(tmpdir(), 'hashfed-mirror-')), options);
    await rig.#start();
    return rig;
  }

  async #start(): Promise<void> {
    const { clock, servers, police } = this.world;
    const opened = await openLevelStorage({
      directory: join(this.dir, 'data'),
      headsKey: HEADS_KEY,
      sha: suite.sha256,
      clock,
      random,
      disk: nodeDisk,
      create: true,
    });
    this.#storage = this.options.storage?.(opened) ?? opened;
    const engine = await openEngine(
      { storage: this.#storage, suite, clock, random, log: silentLog },
      HEADS_KEY,
    );
    const addresses = [
      servers.liar.address,
      ...(this.options.honest === true ? [servers.honest.address] : []),
    ];
    this.#channels = addresses.map((address) => openChannel({ address, tls: servers.tls, random }));
    const deps = {
      store: storeOf(new RootDocuments(engine)),
      suite,
      clock,
      random,
      sources: this.#channels.map((channel, i) => ({ name: addresses[i]!, channel })),
      trust: [{ publisher: police.name, fingerprint: police.fingerprint }],
      cosigners: this.options.cosigners ?? NO_COSIGNERS,
    };
    const statements = new CarriedStatements(engine);
    await statements.open();
    const equivocations = await Equivocations.open(engine, 'members/mirror');
    const book = await RootBook.open(deps);
    this.following = { engine, deps, book, statements, equivocations, cosigner: this.#spy() };
    this.witness = new Witness(engine, signerOf(this.witnessKey, 'witness'), equivocations);
  }

  #spy(): Cosigner {
    const honest = signerOf(this.mirrorKey, 'mirror');
    return {
      key: honest.key,
      sign: (body, timeS) => {
        const { origin, size } = parseCheckpoint(body);
        this.cosigned.push([this.following.engine.lists.get(origin)?.head?.size ?? 0, size]);
        return honest.sign(body, timeS);
      },
    };
  }

  follow(origin = ORIGIN): Promise<Followed> {
    return followList(this.following, origin, NEVER);
  }

  /** What it would serve: size, root, note lines. */
  async standing(origin = ORIGIN) {
    const { note } = this.following.statements.bundle(origin);
    if (note.length === 0) return { size: 0, root: '', names: [] as string[] };
    const { size, root } = parseCheckpoint(parseNote(note).body);
    const stored = await this.#storage.logs.head(origin);
    if (stored === undefined || stored.size !== size) throw new Error('memory and store differ');
    return { size, root: toHex(root), names: parseNote(note).signatures.map(({ name }) => name) };
  }

  async entries(origin = ORIGIN): Promise<Uint8Array> {
    const { size } = await this.standing(origin);
    const parts: Uint8Array[] = [];
    for await (const { bytes } of this.#storage.logs.read(origin, { from: 0, to: size }))
      parts.push(bytes.slice());
    return new Uint8Array(Buffer.concat(parts));
  }

  evidence(origin = ORIGIN) {
    return this.following.equivocations.list(origin, () => true).map(({ evidence }) => evidence);
  }

  /** The process ends and starts again over the same disk. */
  async restart(): Promise<void> {
    await this.#stop();
    await this.#start();
  }

  async #stop(): Promise<void> {
    for (const channel of this.#channels) channel.close();
    await this.#storage.close();
  }

  async remove(): Promise<void> {
    await this.#stop();
    await rm(this.dir, { recursive: true, force: true });
  }
}

function noteKey(role: string, name: string): NoteKey {
  return { name, algorithm: ALG_COSIGNATURE, publicKey: testKey(role).publicKey };
}

export function signerOf(key: NoteKey, role: string): Cosigner {
  return { key, sign: (body, timeS) => signNote(suite, body, key, testKey(role).seed, timeS) };
}

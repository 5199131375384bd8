import type { GetSnapshotIndexResponse, PullSnapshotResponse } from '../../../proto/gen/hashfed/v1/list.js';
import {
  bucketDigest,
  CompactRange,
  concat,
  consistencyProof,
  encodeBundle,
  encodeErased,
  encodeHolds,
  encodeLeaf,
  HASH_TYPES,
  type HashType,
  hashLeaf,
  inclusionProof,
  type Leaf,
  ListState,
  type Origin,
  parseOrigin,
  type SealLeaf,
  type TreeState,
} from '../../../sdk/core/index.js';
import { seededBytes } from '../log-builder.js';
import { suite } from '../trust/keys.js';

export type AddOver = Partial<Extract<Leaf, { kind: 'add' }>>;
const BUCKET_BITS = 2;
const NO_META = new Uint8Array(0);

/** One list with every node of its tree, so that any prefix, proof and piece of it can be served, or bent. */
export class ServedLog {
  readonly origin: Origin;
  readonly leaves: Uint8Array[] = [];
  readonly state: ListState;
  readonly #now: () => number;
  readonly #range = CompactRange.empty(suite.sha256);
  readonly #nodes = new Map<string, Uint8Array>();
  readonly #roots: Uint8Array[] = [this.#range.root()];

  constructor(origin: string, now: () => number) {
    this.origin = parseOrigin(origin);
    this.#now = now;
    this.state = ListState.empty(this.origin, suite.sha256);
  }

  get size(): number {
    return this.leaves.length;
  }

  at(size = this.size): TreeState {
    return { size, root: this.#roots[size]! };
  }

  add(name: string, over: AddOver = {}): Leaf {
    const type = this.origin.type as HashType;
    const { number: hashType, bytes } = HASH_TYPES[type];
    return {
      kind: 'add',
      timeMs: this.#now(),
      readd: false,
      hashType,
      scheme: 1,
      code: 1,
      verifications: 1,
      itemId: seededBytes(`item ${name}`, 16),
      blind: seededBytes(`blind ${name}`, 16),
      hash: seededBytes(`hash ${name}`, bytes),
      meta: NO_META,
      ...over,
    };
  }

  adds(prefix: string, count: number, over: AddOver = {}): Leaf[] {
    return Array.from({ length: count }, (_, i) => this.add(`${prefix} ${i}`, over));
  }

  withdraw(targetIndex: number): Leaf {
    return { kind: 'withdraw', timeMs: this.#now(), targetIndex, reason: 1, meta: NO_META };
  }

  amend(targetIndex: number, verifications = 2): Leaf {
    const now = { scheme: 1, code: 1, verifications, meta: NO_META };
    return { kind: 'amend', timeMs: this.#now(), targetIndex, reason: 1, ...now };
  }

  hold(from: number, to: number, hours = 24): Leaf {
    const timeMs = this.#now();
    return { kind: 'hold', timeMs, from, to, reason: 1, untilMs: timeMs + hours * 3_600_000 };
  }

  /** Appends to the tree alone: no state follows it. */
  raw(leaf: Uint8Array): number {
    const index = this.leaves.push(leaf) - 1;
    this.#range.append(hashLeaf(suite.sha256, leaf), (level, at, bytes) =>
      this.#nodes.set(`${level}/${at}`, bytes.slice()),
    );
    this.#roots.push(this.#range.root());
    return index;
  }

  /** Leaves and the SEAL that closes them, right or bent. Returns the new size. */
  publish(
    leaves: readonly (Leaf | Uint8Array)[],
    bend: (seal: SealLeaf) => SealLeaf = (seal) => seal,
  ): number {
    const staging = this.state.stage();
    const from = this.size;
    for (const leaf of leaves) this.raw(leaf instanceof Uint8Array ? leaf : encodeLeaf(leaf));
    if (leaves.length > 0) staging.append(this.bundle(from), from);
    const plan = staging.planSeal(
      Math.max(this.#now(), staging.replay.chain.maxTimeMs),
      seededBytes('publish', 16),
      BUCKET_BITS,
    );
    const seal = encodeLeaf(bend(plan));
    const index = this.raw(seal);
    staging.append(encodeBundle([seal]), index);
    staging.settle();
    return this.size;
  }

  /** The same list up to `size`, to go on otherwise. */
  fork(size = this.size): ServedLog {
    const other = new ServedLog(this.origin.text, this.#now);
    for (const leaf of this.leaves.slice(0, size)) other.raw(leaf);
    const staging = other.state.stage();
    if (size > 0) staging.append(other.bundle(0), 0);
    staging.settle();
    return other;
  }

  /** Entries [from, to), those in `erased` as their leaf hash alone. */
  bundle(from: number, to = this.size, erased: ReadonlySet<number> = new Set()): Uint8Array {
    const parts = this.leaves
      .slice(from, to)
      .map((leaf, i) =>
        erased.has(from + i) ? encodeErased(hashLeaf(suite.sha256, leaf)) : encodeBundle([leaf]),
      );
    return new Uint8Array(Buffer.concat(parts));
  }

  prove(from: number, to: number): Uint8Array[] {
    return consistencyProof(suite.sha256, from, to, (level, index) => this.#nodes.get(`${level}/${index}`)!);
  }

  /** What an honest server answers about a snapshot of the whole list, without its anchor's note. */
  snapshotIndex(): GetSnapshotIndexResponse {
    const { size } = this;
    const node = (level: number, index: number) => this.#nodes.get(`${level}/${index}`)!;
    return {
      origin: this.origin.text,
      size: BigInt(size),
      anchorNote: new Uint8Array(),
      checkpoint: undefined,
      sealLeaf: this.leaves[size - 1]!,
      sealPath: concat(...inclusionProof(suite.sha256, size - 1, size, node)),
      compactRange: concat(...this.#range.hashes),
      bucketDigests: this.state.bucketDigests().slice(),
      holds: encodeHolds(this.state.holds).slice(4),
      totalBytes: 1n,
    };
  }

  /** All of its records in one message. */
  snapshotRows(): PullSnapshotResponse {
    const buckets = Array.from({ length: 2 ** this.state.bucketBits }, (_, b) => this.state.bytesOfBucket(b));
    const bucketBytes = buckets.map(({ length }) => length);
    return { firstBucket: 0, bucketBytes, rows: concat(...buckets), continues: false };
  }

  /** The digests that these rows have. */
  digestsOf({ bucketBytes, rows }: PullSnapshotResponse): Uint8Array {
    let at = 0;
    const digests = bucketBytes.map((length, b) => {
      at += length;
      return bucketDigest(suite.sha256, b, rows.subarray(at - length, at));
    });
    return concat(...digests);
  }
}

import type { GetSnapshotIndexResponse, PullSnapshotResponse } from '../../proto/gen/hashfed/v1/list.js';
import {
  CompactRange,
  checkBucket,
  checkBucketDigests,
  decodeLeaf,
  equalBytes,
  HashfedError,
  type HeadSeal,
  type Hold,
  hashLeaf,
  headAtSeal,
  ListState,
  MAX_BUNDLE_BYTES,
  malformed,
  type Origin,
  provePrefix,
  readU64,
  type Sha256,
  SnapshotLoader,
  type TreeState,
  verifyInclusion,
} from '../core/index.js';
import { backoffMs, pause } from '../rpc/index.js';
import type { Source, SyncDeps } from './deps.js';
import { HOLD_ROW_BYTES, MAX_IDLE_RESUMES, MESSAGE_OVERHEAD_BYTES } from './limits.js';
import { type BucketRun, type LocalBuckets, runsToPull } from './local-buckets.js';
import { Pace } from './pace.js';
import { askConsistency, askSnapshot, splitHashes } from './peer.js';
import { CUT } from './pull.js';
import type { Content } from './stored-content.js';

/** An index that was verified against an anchor: every bucket can now be checked as it arrives. */
export interface VerifiedIndex {
  readonly size: number;
  readonly seal: HeadSeal;
  readonly holds: readonly Hold[];
  readonly digests: Uint8Array;
  readonly tree: CompactRange;
  readonly totalBytes: number;
}

/** Throws `ROOT_MISMATCH` or `MALFORMED` where the index is not what the anchor signed. */
export function verifyIndex(
  sha: Sha256,
  origin: Origin,
  anchor: TreeState,
  served: GetSnapshotIndexResponse,
): VerifiedIndex {
  if (Number(served.size) !== anchor.size) malformed('size', 'is not that of the anchor');
  const tree = CompactRange.from(sha, anchor.size, splitHashes(served.compactRange));
  if (!equalBytes(tree.root(), anchor.root))
    throw new HashfedError('ROOT_MISMATCH', 'the compact range does not make the root', {
      origin: origin.text,
    });
  const index = anchor.size - 1;
  const leafHash = hashLeaf(sha, served.sealLeaf);
  verifyInclusion(sha, {
    leafHash,
    index,
    size: anchor.size,
    proof: splitHashes(served.sealPath),
    root: anchor.root,
  });
  const seal = readSeal(served.sealLeaf, index);
  const holds = readHolds(served.holds);
  checkBucketDigests(sha, seal, served.bucketDigests, holds);
  return {
    size: anchor.size,
    seal,
    holds,
    digests: served.bucketDigests,
    tree,
    totalBytes: Number(served.totalBytes),
  };
}

function readSeal(leaf: Uint8Array, index: number): HeadSeal {
  const seal = decodeLeaf(leaf);
  if (seal.kind !== 'seal') return malformed('seal_leaf', 'is no SEAL');
  const { timeMs, batchNo, publishId, setCount, bucketBits, setDigest } = seal;
  return { index, batchNo, timeMs, publishId, setCount, bucketBits, setDigest };
}

function readHolds(bytes: Uint8Array): Hold[] {
  if (bytes.length % HOLD_ROW_BYTES !== 0) malformed('holds', 'end within a hold');
  const holds: Hold[] = [];
  for (let at = 0; at < bytes.length; at += HOLD_ROW_BYTES) {
    const range = { index: readU64(bytes, at), from: readU64(bytes, at + 8), to: readU64(bytes, at + 16) };
    holds.push({ ...range, reason: bytes[at + 24]!, untilMs: readU64(bytes, at + 25) });
  }
  return holds;
}

/** The state held is a prefix of the snapshot's tree. Throws as `provePrefix`. */
export async function proveContinuity(
  deps: SyncDeps,
  source: Source,
  origin: string,
  held: TreeState,
  anchor: TreeState,
  signal: AbortSignal | undefined,
): Promise<void> {
  const proof = await askConsistency(source, origin, held.size, anchor.size, signal);
  provePrefix(deps.suite.sha256, held, anchor, proof);
}

/** Buckets that need not be pulled: those marked 1 have the digest that the index names. */
export interface Kept {
  readonly local: LocalBuckets;
  readonly marked: Uint8Array;
}

/** What pulling a snapshot needs. */
export interface SnapshotPull {
  readonly deps: SyncDeps;
  readonly source: Source;
  readonly origin: Origin;
  readonly index: VerifiedIndex;
  readonly kept: Kept | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onBytes: (bytes: number) => void;
}

/** Pulls the buckets that are not kept, each verified on arrival; count and digest of the whole come last. */
export async function pullSnapshot(pull: SnapshotPull): Promise<Content> {
  const { deps, origin, index, kept } = pull;
  const loader = new SnapshotLoader(
    origin,
    deps.suite.sha256,
    headAtSeal(origin.text, index.seal, index.holds),
  );
  const marked = kept?.marked.slice() ?? new Uint8Array(2 ** index.seal.bucketBits);
  const runs = runsToPull(marked);
  for (const { from, to } of runs) marked.fill(0, from, to);
  const pace = new Pace(deps.clock);
  const pullBefore = async (bucket: number) => {
    while (runs[0] !== undefined && runs[0].from < bucket) await pullRun(pull, loader, runs.shift()!, pace);
  };
  if (kept !== undefined) {
    for await (const { bucket, rows } of kept.local.read(marked)) {
      await pullBefore(bucket);
      loader.add(rows);
    }
  }
  await pullBefore(marked.length);
  return { state: ListState.fromLoader(loader), tree: index.tree.clone(), held: undefined };
}

/** A cut stream goes on with the bucket it was in. */
async function pullRun(
  pull: SnapshotPull,
  loader: SnapshotLoader,
  run: BucketRun,
  pace: Pace,
): Promise<void> {
  const { deps, index } = pull;
  const assembler = new BucketAssembler(deps.suite.sha256, index, loader, run);
  let idle = 0;
  while (!assembler.done) {
    const before = assembler.next;
    try {
      await pullOnce(pull, assembler, pace);
      if (!assembler.done) malformed('snapshot', 'the stream ended before its last bucket');
    } catch (error) {
      if (!(error instanceof HashfedError) || !CUT.has(error.code) || pace.tooSlow) throw error;
      idle = assembler.next > before ? 0 : idle + 1;
      if (idle > MAX_IDLE_RESUMES) throw error;
      await pause(backoffMs(deps.random, idle), pull.signal);
      assembler.restartBucket();
    }
  }
}

/** Records can be no longer than entries are: the cap follows from the signed count, not from what was announced. */
async function pullOnce(
  { source, origin, index, signal, onBytes }: SnapshotPull,
  assembler: BucketAssembler,
  pace: Pace,
) {
  const perRecord = 1024 + MESSAGE_OVERHEAD_BYTES;
  const perBucket = 4 + MESSAGE_OVERHEAD_BYTES;
  const maxBytes =
    index.seal.setCount * perRecord + 2 ** index.seal.bucketBits * perBucket + MAX_BUNDLE_BYTES;
  const range = { fromBucket: assembler.next, toBucket: assembler.end };
  const part = { origin: origin.text, size: index.size, ...range, maxBytes };
  const messages = askSnapshot(source, part, signal);
  for await (const message of pace.of(messages, ({ rows }) => rows.length)) {
    assembler.add(message);
    onBytes(message.rows.length);
  }
}

/** Puts buckets together from messages, verifies each and hands it on. */
class BucketAssembler {
  /** The bucket that is being put together. */
  next: number;
  /** The one after the last. */
  readonly end: number;
  #parts: Uint8Array[] = [];
  readonly #sha: Sha256;
  readonly #index: VerifiedIndex;
  readonly #loader: SnapshotLoader;

  constructor(sha: Sha256, index: VerifiedIndex, loader: SnapshotLoader, { from, to }: BucketRun) {
    this.next = from;
    this.end = to;
    this.#sha = sha;
    this.#index = index;
    this.#loader = loader;
  }

  get done(): boolean {
    return this.next === this.end;
  }

  restartBucket(): void {
    this.#parts = [];
  }

  add({ firstBucket, bucketBytes, rows, continues }: PullSnapshotResponse): void {
    if (firstBucket !== this.next) malformed('first_bucket', 'does not continue what was pulled');
    if (rows.length > MAX_BUNDLE_BYTES) malformed('rows', `are over ${MAX_BUNDLE_BYTES} bytes`);
    let at = 0;
    bucketBytes.forEach((length, i) => {
      if (this.done || at + length > rows.length) malformed('bucket_bytes', 'do not fit the rows');
      if (length > 0) this.#parts.push(rows.subarray(at, at + length));
      at += length;
      if (i < bucketBytes.length - 1 || !continues) this.#close();
    });
    if (at !== rows.length) malformed('bucket_bytes', 'do not fit the rows');
  }

  #close(): void {
    const rows = this.#parts.length === 1 ? this.#parts[0]! : new Uint8Array(Buffer.concat(this.#parts));
    checkBucket(this.#sha, this.#index.digests, this.next, rows);
    if (rows.length > 0) this.#loader.add(rows);
    this.#parts = [];
    this.next++;
  }
}

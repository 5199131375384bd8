import { type AnchorCounts, anchorCounts } from './anchor-counts.js';
import { bucketDigest, DIGEST_BYTES, emptyDigests, setDigest } from './digest.js';
import { lowerBound } from './duplicates.js';
import { type Hold, isHeldBy } from './holds.js';
import { DEAD_CODE, ERASED_CODE } from './index-pages.js';
import { ListSet } from './list-set.js';
import { hashBytes, type Origin } from './origin.js';
import type { RecordArena } from './record-arena.js';
import type { RecordView } from './records.js';
import { bucketOfHash } from './row-order.js';
import { RunningCounts } from './running-counts.js';
import { NO_SEALS, type SealChain } from './seal-chain.js';
import type { Sha256 } from './sha256.js';
import { SnapshotLoader } from './snapshot.js';
import { type StageOptions, Staging } from './staging.js';
import { chainOfHead, type HeadSeal, type StateHead } from './state-head.js';

/** What a commit moves on. */
export interface StateStep {
  readonly size: number;
  readonly counts: RunningCounts;
  readonly chain: SealChain;
  readonly holds: readonly Hold[];
  readonly seal: HeadSeal | undefined;
}

/**
 * The resident set of one list: records, order, digests, holds and counts at its last good SEAL. Used alike by
 * SDK, server, signer and verifier. About 86 bytes a sha256 record.
 */
export class ListState {
  readonly origin: Origin;
  /** Internal to the core: the bulk tables. */
  readonly set: ListSet;
  private step: StateStep;

  private constructor(origin: Origin, set: ListSet, step: StateStep) {
    this.origin = origin;
    this.set = set;
    this.step = step;
  }

  static empty(origin: Origin, sha: Sha256): ListState {
    const set = new ListSet(sha, hashBytes(origin.type));
    const counts = RunningCounts.fresh();
    return new ListState(origin, set, { size: 0, counts, chain: NO_SEALS, holds: [], seal: undefined });
  }

  /**
   * From canonical records sorted by (hash, add_index), in any number of parts that hold whole records.
   * Throws `MALFORMED` on layout or order, `ROOT_MISMATCH` if count or digest are not the head's.
   */
  static fromRecords(origin: Origin, sha: Sha256, head: StateHead, parts: Iterable<Uint8Array>): ListState {
    const loader = new SnapshotLoader(origin, sha, head);
    for (const part of parts) loader.add(part);
    return ListState.fromLoader(loader);
  }

  /** The state of a loader that was given all records. Throws as `fromRecords`. */
  static fromLoader(loader: SnapshotLoader): ListState {
    const set = loader.finish();
    const { head, origin } = loader;
    const step = { size: head.size, counts: head.counts, chain: chainOfHead(head), holds: head.holds };
    return new ListState(origin, set, { ...step, seal: head.seal });
  }

  get head(): StateHead {
    const { size, seal, holds, counts } = this.step;
    return { origin: this.origin.text, size, seal, holds, counts };
  }

  get size(): number {
    return this.step.size;
  }

  get counts(): RunningCounts {
    return this.step.counts;
  }

  get chain(): SealChain {
    return this.step.chain;
  }

  get holds(): readonly Hold[] {
    return this.step.holds;
  }

  /** Number of records. */
  get count(): number {
    return this.set.count;
  }

  get bucketBits(): number {
    return this.set.order.bits;
  }

  /** Rows as `StagedRange.added` and `rowsOfBucket` number them. */
  get arena(): RecordArena {
    return this.set.arena;
  }

  /** A fork that sees this state; see `Staging`. */
  stage(options?: StageOptions): Staging {
    return new Staging(this, options);
  }

  /** For `Staging` alone. */
  advance(step: StateStep): void {
    this.step = step;
  }

  /** Every record of this hash, ascending by add_index. Binary search: the match path has its own index. */
  lookup(hash: Uint8Array): RecordView[] {
    const { arena, order } = this.set;
    const out: RecordView[] = [];
    if (hash.length !== arena.hashLength || hash.length === 0) return out;
    const rows = order.bucket(bucketOfHash(hash, order.bits));
    for (let i = lowerBound(arena, rows, hash); i < rows.length; i++) {
      if (arena.compareHash(rows[i]!, hash) !== 0) break;
      out.push(arena.view(rows[i]!));
    }
    return out;
  }

  recordByIndex(addIndex: number): RecordView | undefined {
    const row = this.rowByIndex(addIndex);
    return row === undefined ? undefined : this.set.arena.view(row);
  }

  /** The row of a live record. */
  rowByIndex(addIndex: number): number | undefined {
    const code = this.set.index.get(addIndex);
    return code === DEAD_CODE || code === ERASED_CODE ? undefined : code - 1;
  }

  /** Row numbers of bucket `b`, sorted; a view, valid until the next commit or compact. */
  rowsOfBucket(b: number): Uint32Array {
    return this.set.order.bucket(b);
  }

  /** Canonical bytes of bucket `b`, as snapshots carry them. */
  bytesOfBucket(b: number): Uint8Array {
    const { arena } = this.set;
    const rows = this.rowsOfBucket(b);
    const out = new Uint8Array(arena.recordsLength(rows));
    arena.copyRecords(rows, out, 0);
    return out;
  }

  /** 2^bucket_bits × 32 bytes; a view. */
  bucketDigests(): Uint8Array {
    const { digests, sha, order } = this.set;
    return digests.length > 0 ? digests : emptyDigests(sha, order.bits);
  }

  /** The set digest of what is resident, from its bucket digests; `recomputeDigest` reads every record. */
  setDigest(): Uint8Array {
    if (this.origin.type === 'events') return new Uint8Array(DIGEST_BYTES);
    return setDigest(this.set.sha, this.bucketBits, this.bucketDigests(), this.holds);
  }

  recomputeDigest(): Uint8Array {
    if (this.origin.type === 'events') return new Uint8Array(DIGEST_BYTES);
    const digests = new Uint8Array(DIGEST_BYTES * this.set.order.buckets);
    for (let b = 0; b < this.set.order.buckets; b++)
      digests.set(bucketDigest(this.set.sha, b, this.bytesOfBucket(b)), DIGEST_BYTES * b);
    return setDigest(this.set.sha, this.bucketBits, digests, this.holds);
  }

  /** All records in order, one view at a time: for exports and tests, not for bulk paths. */
  *records(): Generator<RecordView> {
    for (let b = 0; b < this.set.order.buckets; b++)
      for (const row of this.rowsOfBucket(b)) yield this.set.arena.view(row);
  }

  /** Whether a HOLD covers the record now; without a time, any that is still kept counts. */
  isHeld(addIndex: number, nowMs: number | undefined): boolean {
    return isHeldBy(this.holds, addIndex, nowMs);
  }

  /** Counts above an anchor, for the limit for one key. Throws `NOT_FOUND` if no mark of that size is kept. */
  countsSince(anchorSize: number): AnchorCounts {
    const scan = this.set.index.scan.bind(this.set.index);
    return anchorCounts(this.counts, this.set.arena, scan, anchorSize);
  }

  /** An anchor of this size was adopted: counts below it are forgotten, as no anchor goes back. */
  forgetBelow(anchorSize: number): void {
    this.counts.forgetBelow(anchorSize);
  }

  /**
   * Moves records into their order, in place: later commits and snapshots then read memory in sequence. Worth
   * it after a cold build (about 0.5 s a million); never required. Renumbers rows, so call it before indexing
   * by row, and with no staging open: any that is becomes void.
   */
  compact(): void {
    this.set.compact();
  }
}

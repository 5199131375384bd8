import { EMPTY_BYTES, equalBytes, readU64 } from './bytes.js';
import { BucketHasher, bucketDigest, DIGEST_BYTES, emptyDigests, setDigest } from './digest.js';
import { HashfedError, malformed } from './errors.js';
import type { Hold } from './holds.js';
import { ListSet } from './list-set.js';
import { hashBytes, type Origin } from './origin.js';
import { checkRecord, REC } from './records.js';
import { RowOrder } from './row-order.js';
import type { Sha256 } from './sha256.js';
import type { HeadSeal, StateHead } from './state-head.js';
import { U32List } from './u32-list.js';

function mismatch(): never {
  throw new HashfedError('ROOT_MISMATCH', 'snapshot: is not what its seal says');
}

/**
 * Checks the bucket digests of a snapshot against the SEAL that was proven, before any bucket is fetched; each
 * bucket can then be verified as it arrives. Throws `ROOT_MISMATCH`.
 */
export function checkBucketDigests(
  sha: Sha256,
  seal: HeadSeal,
  digests: Uint8Array,
  holds: readonly Hold[],
): void {
  if (digests.length !== DIGEST_BYTES * 2 ** seal.bucketBits) mismatch();
  if (!equalBytes(setDigest(sha, seal.bucketBits, digests, holds), seal.setDigest)) mismatch();
}

/** One bucket's records against the digests checked above. Throws `ROOT_MISMATCH`. */
export function checkBucket(sha: Sha256, digests: Uint8Array, b: number, records: Uint8Array): void {
  const expected = digests.subarray(DIGEST_BYTES * b, DIGEST_BYTES * (b + 1));
  if (!equalBytes(bucketDigest(sha, b, records), expected)) mismatch();
}

/**
 * Builds a resident set from canonical records in order, part by part. Nothing is trusted: layout and order are
 * checked on arrival, count and digest at the end.
 */
export class SnapshotLoader {
  readonly origin: Origin;
  readonly head: StateHead;
  private readonly set: ListSet;
  private readonly rows = new U32List();
  /** The record before the next one. */
  private last: Uint8Array = EMPTY_BYTES;
  private lastAt = 0;

  /** Throws `MALFORMED` if the head is another origin's. */
  constructor(origin: Origin, sha: Sha256, head: StateHead) {
    if (head.origin !== origin.text) malformed('state head', 'is of another list');
    this.origin = origin;
    this.head = head;
    this.set = new ListSet(sha, hashBytes(origin.type));
  }

  /** Whole records that follow those before. Throws `MALFORMED`. */
  add(records: Uint8Array): void {
    if (records.length > 0 && this.origin.type === 'events') malformed('records', 'an event log has none');
    for (let at = 0; at < records.length; ) at = this.addRun(records, at);
    if (records.length > 0) this.last = this.last.slice(this.lastAt, this.lastAt + this.set.arena.stride);
    this.lastAt = 0;
  }

  /** Throws `ROOT_MISMATCH`. */
  finish(): ListSet {
    const { set, head, rows } = this;
    set.count = rows.length;
    if (head.seal === undefined) return rows.length === 0 ? set : mismatch();
    const { bucketBits: bits, setCount, setDigest: expected } = head.seal;
    if (rows.length !== setCount) mismatch();
    set.order = RowOrder.build(set.arena, bits, rows.view().slice());
    set.digests = this.digests(bits);
    if (this.origin.type === 'events') return set;
    if (!equalBytes(setDigest(set.sha, bits, set.digests, head.holds), expected)) mismatch();
    return set;
  }

  /** The records from `at` on that are as long as their row and go to one chunk; answers the offset behind them. */
  private addRun(records: Uint8Array, at: number): number {
    const { arena } = this.set;
    const { stride } = arena;
    const most = arena.room(records[at]!);
    let end = at;
    let n = 0;
    while (n < most && end < records.length && records[end] === records[at]) {
      const length = this.check(records, end);
      if (length !== stride && n > 0) break;
      n++;
      end += length;
      if (length !== stride) break;
    }
    const first = arena.takeRecords(records, at, n);
    for (let i = 0; i < n; i++) this.note(records, at + i * stride, first + i);
    return end;
  }

  /** Bytes of the record at `at`, by itself. */
  private check(records: Uint8Array, at: number): number {
    const { hashLength } = this.set.arena;
    const length = checkRecord(records, at, hashLength);
    if (readU64(records, at + hashLength + REC.LAST) >= this.head.size)
      malformed('records', 'name an entry beyond the seal');
    return length;
  }

  /** Its place among the others. */
  private note(records: Uint8Array, at: number, row: number): void {
    const { arena, index } = this.set;
    const { hashLength } = arena;
    const { last, lastAt } = this;
    if (last.length > 0 && compareRange(last, lastAt, records, at, hashLength + 8) >= 0)
      malformed('records', 'are out of order');
    const free = index.claim(readU64(records, at + hashLength + REC.ADD), row + 1);
    if (!free) malformed('records', 'name one entry twice');
    this.rows.push(row);
    this.last = records;
    this.lastAt = at;
  }

  private digests(bits: number): Uint8Array {
    const { sha, arena, order } = this.set;
    const digests = emptyDigests(sha, bits);
    const hasher = new BucketHasher(sha, arena);
    for (let b = 0; b < order.buckets; b++) {
      const rows = order.bucket(b);
      if (rows.length > 0) digests.set(hasher.digest(b, rows), DIGEST_BYTES * b);
    }
    return digests;
  }
}

function compareRange(a: Uint8Array, atA: number, b: Uint8Array, atB: number, length: number): number {
  for (let i = 0; i < length; i++) {
    const d = a[atA + i]! - b[atB + i]!;
    if (d !== 0) return d;
  }
  return 0;
}

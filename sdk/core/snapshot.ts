import { equalBytes } from './bytes.js';
import { Claims } from './claims.js';
import { bucketDigest, DIGEST_BYTES, setDigest } from './digest.js';
import type { Hold } from './holds.js';
import { ListSet } from './list-set.js';
import { hashBytes, type Origin } from './origin.js';
import { REC } from './records.js';
import { RowOrder } from './row-order.js';
import { mismatch, SetVerifier } from './set-verifier.js';
import type { Sha256 } from './sha256.js';
import type { HeadSeal, StateHead } from './state-head.js';
import { U32List } from './u32-list.js';

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

/** Rows that are made room for at once, whatever a head announces: 64 MiB. */
const MAX_RESERVED = 1 << 24;

/**
 * Builds a resident set from canonical records in order, part by part. Nothing is trusted: layout and order are
 * checked on arrival, count and digest at the end.
 */
export class SnapshotLoader {
  readonly origin: Origin;
  readonly head: StateHead;
  private readonly verifier: SetVerifier;
  private readonly set: ListSet;
  private readonly rows = new U32List();
  private readonly claims: Claims;

  /** `known` as `SetVerifier` has it. Throws `MALFORMED` if the head is another origin's. */
  constructor(origin: Origin, sha: Sha256, head: StateHead, known?: Uint8Array) {
    this.verifier = new SetVerifier(origin, sha, head, known);
    this.origin = origin;
    this.head = head;
    this.set = new ListSet(sha, hashBytes(origin.type));
    this.claims = new Claims(this.set.index);
    this.rows.reserve(Math.min(head.seal?.setCount ?? 0, MAX_RESERVED));
  }

  /** Whole records that follow those before; they may be overwritten after. Throws `MALFORMED`. */
  add(records: Uint8Array): void {
    this.verifier.add(records);
    const view = new DataView(records.buffer, records.byteOffset, records.length);
    for (let at = 0; at < records.length; ) at = this.takeRun(records, view, at);
    this.claims.settle();
  }

  /** Throws `ROOT_MISMATCH`. */
  finish(): ListSet {
    const { set, head, rows } = this;
    const { digests, starts } = this.verifier.finish();
    set.count = rows.length;
    if (head.seal === undefined) return set;
    set.order = RowOrder.of(head.seal.bucketBits, rows.view(), starts);
    set.digests = digests;
    return set;
  }

  /** The checked records from `at` on that go to one chunk side by side; answers the offset behind them. */
  private takeRun(records: Uint8Array, view: DataView, at: number): number {
    const { arena } = this.set;
    const { stride, hashLength } = arena;
    const most = arena.room(records[at]!);
    let end = at;
    let n = 0;
    while (n < most && end < records.length && records[end] === records[at]) {
      const meta = view.getUint16(end + hashLength + REC.META);
      if (meta > 0 && n > 0) break;
      n++;
      end += stride + meta;
      if (meta > 0) break;
    }
    const first = arena.takeRecords(records, at, n);
    for (let i = 0; i < n; i++) this.claims.note(view, at + i * stride + hashLength, first + i);
    this.rows.pushRun(first, n);
    return end;
  }
}

import { BucketStream } from './bucket-stream.js';
import { EMPTY_BYTES, equalBytes } from './bytes.js';
import { setDigest } from './digest.js';
import { HashfedError, malformed } from './errors.js';
import { hashBytes, type Origin } from './origin.js';
import { checkRecord, REC, RECORD_TAIL_BYTES } from './records.js';
import type { Sha256 } from './sha256.js';
import type { StateHead } from './state-head.js';

/** A verified set, bucket by bucket. */
export interface VerifiedSet {
  /** 2^bucket_bits × 32 bytes. */
  readonly digests: Uint8Array;
  /** Number of the first record of each bucket, and the number of all. */
  readonly starts: Uint32Array;
}

/**
 * Checks canonical records against the head that they are said to be of, part by part: layout and order on arrival,
 * count and digest at the end. Nothing is trusted, and nothing is kept.
 */
export class SetVerifier {
  readonly #origin: Origin;
  readonly #sha: Sha256;
  readonly #head: StateHead;
  readonly #hashLength: number;
  readonly #buckets: BucketStream;
  readonly #known: Uint8Array | undefined;
  #count = 0;
  /** The record before the next one, and its first four bytes. */
  #last: Uint8Array = EMPTY_BYTES;
  #lastHead = 0;

  /**
   * `known`: bucket digests that these very bytes were verified to have, so that they are not hashed again. Throws
   * `MALFORMED` if the head is another origin's.
   */
  constructor(origin: Origin, sha: Sha256, head: StateHead, known?: Uint8Array) {
    if (head.origin !== origin.text) malformed('state head', 'is of another list');
    this.#origin = origin;
    this.#sha = sha;
    this.#head = head;
    this.#hashLength = hashBytes(origin.type);
    this.#buckets = new BucketStream(sha, head.seal?.bucketBits ?? 0, known);
    this.#known = known;
  }

  /** Records so far. */
  get count(): number {
    return this.#count;
  }

  /** Whole records that follow those before; they may be overwritten after. Throws `MALFORMED`. */
  add(records: Uint8Array): void {
    if (records.length === 0) return;
    if (this.#origin.type === 'events') malformed('records', 'an event log has none');
    const view = new DataView(records.buffer, records.byteOffset, records.length);
    const hashLength = this.#hashLength;
    const buckets = this.#buckets;
    const { size } = this.#head;
    let [from, count, head, last, lastAt] = [0, this.#count, this.#lastHead, this.#last, 0];
    for (let at = 0; at < records.length; ) {
      const length = checkRecord(records, view, at, hashLength);
      const before = head;
      head = view.getUint32(at);
      if (head <= before && (head < before || !follows(last, lastAt, records, at, hashLength + 8)))
        malformed('records', 'are out of order');
      const lastIndex = at + hashLength + REC.LAST;
      if (view.getUint32(lastIndex) * 0x1_0000_0000 + view.getUint32(lastIndex + 4) >= size)
        malformed('records', 'name an entry beyond the seal');
      const bucket = buckets.bucketOf(head >>> 16);
      if (bucket !== buckets.bucket) {
        buckets.turn(bucket, count, records.subarray(from, at));
        from = at;
      }
      [last, lastAt] = [records, at];
      count++;
      at += length;
    }
    buckets.keep(records.subarray(from));
    this.#count = count;
    this.#lastHead = head;
    this.#last = last.slice(lastAt, lastAt + hashLength + RECORD_TAIL_BYTES);
  }

  /** Throws `ROOT_MISMATCH`. */
  finish(): VerifiedSet {
    const { seal, holds } = this.#head;
    const expected = seal?.setCount ?? 0;
    if (this.#count !== expected) mismatch();
    this.#buckets.end(this.#count);
    const { digests, starts } = this.#buckets;
    const sealed = seal !== undefined && this.#origin.type !== 'events' && this.#known === undefined;
    if (sealed && !equalBytes(setDigest(this.#sha, seal.bucketBits, digests, holds), seal.setDigest))
      mismatch();
    return { digests, starts };
  }
}

export function mismatch(): never {
  throw new HashfedError('ROOT_MISMATCH', 'snapshot: is not what its seal says');
}

/** The first `length` bytes at `atB` sort behind those at `atA`; anything follows nothing. */
function follows(a: Uint8Array, atA: number, b: Uint8Array, atB: number, length: number): boolean {
  if (a.length === 0) return true;
  for (let i = 0; i < length; i++) {
    const d = a[atA + i]! - b[atB + i]!;
    if (d !== 0) return d < 0;
  }
  return false;
}

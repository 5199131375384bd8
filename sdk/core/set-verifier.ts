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
  /** The record before the next one. */
  #last: Uint8Array = EMPTY_BYTES;
  #lastAt = 0;

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
    let from = 0;
    for (let at = 0; at < records.length; ) {
      const length = checkRecord(records, view, at, this.#hashLength);
      this.#follow(records, view, at);
      const bucket = this.#buckets.bucketOf(view.getUint16(at));
      if (bucket !== this.#buckets.bucket) {
        this.#buckets.turn(bucket, this.#count, records.subarray(from, at));
        from = at;
      }
      this.#count++;
      at += length;
    }
    this.#buckets.keep(records.subarray(from));
    this.#last = this.#last.slice(this.#lastAt, this.#lastAt + this.#hashLength + RECORD_TAIL_BYTES);
    this.#lastAt = 0;
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

  /** The record at `at` sorts behind the last one, and is not of the future. */
  #follow(records: Uint8Array, view: DataView, at: number): void {
    const last = this.#last;
    if (last.length > 0 && compareRange(last, this.#lastAt, records, at, this.#hashLength + 8) >= 0)
      malformed('records', 'are out of order');
    const lastIndex = at + this.#hashLength + REC.LAST;
    const index = view.getUint32(lastIndex) * 0x1_0000_0000 + view.getUint32(lastIndex + 4);
    if (index >= this.#head.size) malformed('records', 'name an entry beyond the seal');
    this.#last = records;
    this.#lastAt = at;
  }
}

export function mismatch(): never {
  throw new HashfedError('ROOT_MISMATCH', 'snapshot: is not what its seal says');
}

function compareRange(a: Uint8Array, atA: number, b: Uint8Array, atB: number, length: number): number {
  for (let i = 0; i < length; i++) {
    const d = a[atA + i]! - b[atB + i]!;
    if (d !== 0) return d;
  }
  return 0;
}

import { DIGEST_BYTES, digestOfParts, emptyDigests } from './digest.js';
import type { Sha256 } from './sha256.js';

/** Bucket digests of records that come in order, in any parts; memory: the part of one bucket that was cut. */
export class BucketStream {
  /** 2^bits × 32 bytes; complete after `end`. */
  readonly digests: Uint8Array;
  /** Record number at which each bucket begins, and the count at the end. */
  readonly starts: Uint32Array;
  readonly #sha: Sha256;
  readonly #shift: number;
  #cut: Uint8Array[] = [];
  #bucket = 0;

  readonly #hashes: boolean;

  /** `bits` ≤ 16; `known`: the digests, where they need not be made again. */
  constructor(sha: Sha256, bits: number, known?: Uint8Array) {
    this.#sha = sha;
    this.#shift = 16 - bits;
    this.#hashes = known === undefined;
    this.digests = known ?? emptyDigests(sha, bits);
    this.starts = new Uint32Array(2 ** bits + 1);
  }

  /** Bucket of the hash whose first two bytes are `head`. */
  bucketOf(head: number): number {
    return head >>> this.#shift;
  }

  get bucket(): number {
    return this.#bucket;
  }

  /** The present bucket ends at `bytes`, the rest of it; record `count` is the first of bucket `next`. */
  turn(next: number, count: number, bytes: Uint8Array): void {
    if (this.#hashes && (bytes.length > 0 || this.#cut.length > 0)) {
      const digest = digestOfParts(this.#sha, this.#bucket, [...this.#cut, bytes]);
      this.digests.set(digest, DIGEST_BYTES * this.#bucket);
    }
    this.starts.fill(count, this.#bucket + 1, next + 1);
    this.#cut = [];
    this.#bucket = next;
  }

  /** A part ended within the present bucket. `bytes` are copied. */
  keep(bytes: Uint8Array): void {
    if (this.#hashes && bytes.length > 0) this.#cut.push(bytes.slice());
  }

  end(count: number): void {
    this.turn(this.starts.length - 1, count, new Uint8Array());
  }
}

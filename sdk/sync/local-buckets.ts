import {
  bucketDigest,
  DIGEST_BYTES,
  emptyDigests,
  equalBytes,
  type ListState,
  type Sha256,
} from '../core/index.js';
import type { Salvage, SalvagedBucket } from '../store/index.js';

/** Streams that one repair opens at most: beyond, buckets between two that differ are pulled with them. */
const MAX_RUNS = 64;

/** Buckets that lie here already. Nothing of them counts before it was compared with verified digests. */
export interface LocalBuckets {
  /** 1 where the bucket here has the digest given; undefined where the digests are cut into other buckets. */
  same(digests: Uint8Array): Promise<Uint8Array | undefined>;
  /** Rows of the buckets marked 1, ascending, without the empty ones. */
  read(marked: Uint8Array): AsyncIterable<SalvagedBucket>;
}

/** Buckets [from, to). */
export interface BucketRun {
  readonly from: number;
  readonly to: number;
}

/** Those of a list in memory. */
export function bucketsOfState(state: ListState): LocalBuckets {
  return {
    async same(digests) {
      const ours = state.bucketDigests();
      if (digests.length !== ours.length) return undefined;
      const marked = new Uint8Array(2 ** state.bucketBits);
      for (let b = 0; b < marked.length; b++) marked[b] = isDigest(digests, b, digestAt(ours, b)) ? 1 : 0;
      return marked;
    },
    async *read(marked) {
      for (let bucket = 0; bucket < marked.length; bucket++) {
        const rows = marked[bucket] === 1 ? state.bytesOfBucket(bucket) : new Uint8Array();
        if (rows.length > 0) yield { bucket, rows };
      }
    },
  };
}

/** Those that can still be read of a damaged list. */
export function bucketsOfSalvage(sha: Sha256, salvage: Salvage): LocalBuckets {
  return {
    async same(digests) {
      const buckets = 2 ** salvage.bucketBits;
      if (digests.length !== buckets * DIGEST_BYTES) return undefined;
      const empty = emptyDigests(sha, salvage.bucketBits);
      const marked = new Uint8Array(buckets);
      for (let b = 0; b < buckets; b++) marked[b] = isDigest(digests, b, digestAt(empty, b)) ? 1 : 0;
      for await (const { bucket, rows } of salvage.buckets())
        if (isDigest(digests, bucket, bucketDigest(sha, bucket, rows))) marked[bucket] = 1;
      return marked;
    },
    async *read(marked) {
      for await (const one of salvage.buckets()) if (marked[one.bucket] === 1) yield one;
    },
  };
}

const digestAt = (digests: Uint8Array, b: number): Uint8Array =>
  digests.subarray(b * DIGEST_BYTES, (b + 1) * DIGEST_BYTES);

const isDigest = (digests: Uint8Array, b: number, digest: Uint8Array): boolean =>
  equalBytes(digestAt(digests, b), digest);

/** What is to be pulled: the buckets that are not marked, and as many between them as keep the streams few. */
export function runsToPull(marked: Uint8Array): BucketRun[] {
  for (let gap = 0; ; gap = gap * 2 + 1) {
    const runs = runsOf(marked, gap);
    if (runs.length <= MAX_RUNS) return runs;
  }
}

function runsOf(marked: Uint8Array, gap: number): BucketRun[] {
  const runs: { from: number; to: number }[] = [];
  for (let b = 0; b < marked.length; b++) {
    if (marked[b] === 1) continue;
    const last = runs.at(-1);
    if (last !== undefined && b - last.to <= gap) last.to = b + 1;
    else runs.push({ from: b, to: b + 1 });
  }
  return runs;
}

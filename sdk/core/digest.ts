import { concat, writeU32 } from './bytes.js';
import { encodeHolds, type Hold } from './holds.js';
import type { RecordArena } from './record-arena.js';
import type { Sha256 } from './sha256.js';
import { utf8 } from './utf8.js';

/**
 * The bucketed set digest (docs/spec/list-format.md §3):
 * `bucket[b] = SHA-256("hashfed-bucket/1\n" ‖ u32 b ‖ records of b)`,
 * `set_digest = SHA-256("hashfed-set/1\n" ‖ u8 bucket_bits ‖ bucket[0] ‖ … ‖ holds)`.
 */
export const DIGEST_BYTES = 32;
const BUCKET_LABEL = utf8('hashfed-bucket/1\n');
const SET_LABEL = utf8('hashfed-set/1\n');
const HEADER = BUCKET_LABEL.length + 4;
/** Bytes gathered for one bucket before a further part is begun; large buckets take several parts. */
const PART_BYTES = 1 << 20;
const PART_ROWS = 8_192;

function header(b: number): Uint8Array {
  const out = new Uint8Array(HEADER);
  out.set(BUCKET_LABEL);
  writeU32(out, BUCKET_LABEL.length, b);
  return out;
}

/** The digest of a bucket whose canonical, sorted record bytes are at hand. */
export function bucketDigest(sha: Sha256, b: number, records: Uint8Array): Uint8Array {
  return sha.digest(header(b), records);
}

/** As `bucketDigest`, of records in several parts. */
export function digestOfParts(sha: Sha256, b: number, parts: readonly Uint8Array[]): Uint8Array {
  return sha.digest(header(b), ...parts);
}

/** `bucketDigests` is 2^bits × 32 bytes; `holds` are those the SEAL covers, ascending. */
export function setDigest(
  sha: Sha256,
  bits: number,
  bucketDigests: Uint8Array,
  holds: readonly Hold[],
): Uint8Array {
  return sha.digest(concat(SET_LABEL, Uint8Array.of(bits)), bucketDigests, encodeHolds(holds));
}

const EMPTY = new WeakMap<Sha256, Map<number, Uint8Array>>();

/** Bucket digests of the empty set: 2^bits × 32 bytes, a fresh copy. */
export function emptyDigests(sha: Sha256, bits: number): Uint8Array {
  const known = EMPTY.get(sha) ?? new Map<number, Uint8Array>();
  EMPTY.set(sha, known);
  const had = known.get(bits);
  if (had !== undefined) return had.slice();
  const out = new Uint8Array(DIGEST_BYTES * 2 ** bits);
  for (let b = 0; b < 2 ** bits; b++) out.set(sha.digest(header(b)), DIGEST_BYTES * b);
  known.set(bits, out);
  return out.slice();
}

/** Hashes buckets of an arena's rows, one scratch buffer for all. */
export class BucketHasher {
  private readonly sha: Sha256;
  private readonly arena: RecordArena;
  private scratch = new Uint8Array(16_384);

  constructor(sha: Sha256, arena: RecordArena) {
    this.sha = sha;
    this.arena = arena;
    this.scratch.set(BUCKET_LABEL);
  }

  /** `rows` are those of bucket `b`, sorted. */
  digest(b: number, rows: Uint32Array): Uint8Array {
    const bytes = this.arena.recordsLength(rows);
    if (bytes > PART_BYTES) return this.sha.digest(header(b), ...this.parts(rows));
    if (HEADER + bytes > this.scratch.length) {
      this.scratch = new Uint8Array(2 * (HEADER + bytes));
      this.scratch.set(BUCKET_LABEL);
    }
    writeU32(this.scratch, BUCKET_LABEL.length, b);
    const end = this.arena.copyRecords(rows, this.scratch, HEADER);
    return this.sha.digest(this.scratch.subarray(0, end));
  }

  private parts(rows: Uint32Array): Uint8Array[] {
    const parts: Uint8Array[] = [];
    for (let from = 0; from < rows.length; from += PART_ROWS) {
      const run = rows.subarray(from, from + PART_ROWS);
      const part = new Uint8Array(this.arena.recordsLength(run));
      this.arena.copyRecords(run, part, 0);
      parts.push(part);
    }
    return parts;
  }
}

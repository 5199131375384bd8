import { malformed } from '../core/index.js';
import { RECORD_FIXED_BYTES } from './limits.js';

export interface RowShape {
  readonly hashBytes: number;
  readonly bucketBits: number;
  readonly bucket: number;
}

/**
 * Walks canonical records (list format §3) and answers their hashes, packed. `MALFORMED` unless every record
 * is whole, belongs to the bucket, and is above the one before by (hash, add_index).
 */
export function copyKeys(rows: Uint8Array, shape: RowShape): Uint8Array {
  const { hashBytes } = shape;
  const least = hashBytes + RECORD_FIXED_BYTES;
  let keys = new Uint8Array(Math.ceil(rows.length / least) * hashBytes);
  let count = 0;
  let previous = -1;
  for (let at = 0; at < rows.length; ) {
    if (at + least > rows.length) malformed('rows', 'a record is cut off');
    if (bucketOf(rows, at, shape.bucketBits) !== shape.bucket)
      malformed('rows', 'a record is in a wrong bucket');
    if (previous >= 0 && !ascends(rows, previous, at, hashBytes + 8))
      malformed('rows', 'records are out of order');
    const to = count * hashBytes;
    for (let i = 0; i < hashBytes; i++) keys[to + i] = rows[at + i]!;
    count += 1;
    previous = at;
    at += least + ((rows[at + least - 2]! << 8) | rows[at + least - 1]!);
    if (at > rows.length) malformed('rows', 'a record is cut off');
  }
  keys = keys.subarray(0, count * hashBytes);
  return keys;
}

/** The first `bits` bits of the hash at `at`, 0–16 bits. */
function bucketOf(rows: Uint8Array, at: number, bits: number): number {
  return ((rows[at]! << 8) | rows[at + 1]!) >> (16 - bits);
}

/** Hash and add_index lie side by side and big-endian: one comparison orders both. */
function ascends(rows: Uint8Array, a: number, b: number, length: number): boolean {
  for (let i = 0; i < length; i++) {
    const difference = rows[b + i]! - rows[a + i]!;
    if (difference !== 0) return difference > 0;
  }
  return false;
}

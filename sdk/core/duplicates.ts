import { equalBytes } from './bytes.js';
import type { RecordArena } from './record-arena.js';
import { REC } from './records.js';
import { bucketOfRow } from './row-order.js';

/**
 * add_index of rows in `added` whose (hash, item_id) another live record has too. `bucket(b)` is the sorted
 * order after the change.
 */
export function findDuplicates(
  arena: RecordArena,
  added: Uint32Array,
  bits: number,
  bucket: (b: number) => Uint32Array,
): number[] {
  const out: number[] = [];
  for (const row of added) {
    const rows = bucket(bucketOfRow(arena, row, bits));
    if (hasTwin(arena, rows, row)) out.push(arena.addIndex(row));
  }
  return out;
}

/** First position in a sorted bucket whose row is not before `hash`. */
export function lowerBound(arena: RecordArena, rows: Uint32Array, hash: Uint8Array): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (arena.compareHash(rows[middle]!, hash) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function hasTwin(arena: RecordArena, rows: Uint32Array, row: number): boolean {
  const hash = arena.hash(row);
  const item = itemOf(arena, row);
  for (let i = lowerBound(arena, rows, hash); i < rows.length; i++) {
    const other = rows[i]!;
    if (arena.compareHash(other, hash) !== 0) return false;
    if (other !== row && equalBytes(itemOf(arena, other), item)) return true;
  }
  return false;
}

function itemOf(arena: RecordArena, row: number): Uint8Array {
  const at = arena.offset(row) + arena.hashLength + REC.ITEM;
  return arena.chunk(row).subarray(at, at + 16);
}

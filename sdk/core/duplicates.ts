import { equalBytes } from './bytes.js';
import type { RecordArena } from './record-arena.js';
import { REC } from './records.js';
import { bucketOfRow } from './row-order.js';

/**
 * add_index of rows in `added` whose (hash, item_id) another live record has too. `added` is sorted, and `bucket(b)`
 * is the sorted order after the change, which holds them: only a row's neighbours can share its hash.
 */
export function findDuplicates(
  arena: RecordArena,
  added: Uint32Array,
  bits: number,
  bucket: (b: number) => Uint32Array,
): number[] {
  const out: number[] = [];
  let number = -1;
  let rows = added;
  let at = 0;
  for (const row of added) {
    const b = bucketOfRow(arena, row, bits);
    if (b !== number) [number, rows, at] = [b, bucket(b), 0];
    while (at < rows.length && rows[at] !== row) at++;
    if (hasTwin(arena, rows, at)) out.push(arena.addIndex(row));
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

/** Whether another row of the run of equal hashes around position `at` has the same item. */
function hasTwin(arena: RecordArena, rows: Uint32Array, at: number): boolean {
  const row = rows[at]!;
  for (let i = at - 1; i >= 0 && arena.sameHash(rows[i]!, row); i--)
    if (sameItem(arena, rows[i]!, row)) return true;
  for (let i = at + 1; i < rows.length && arena.sameHash(rows[i]!, row); i++)
    if (sameItem(arena, rows[i]!, row)) return true;
  return false;
}

const sameItem = (arena: RecordArena, a: number, b: number): boolean =>
  equalBytes(itemOf(arena, a), itemOf(arena, b));

function itemOf(arena: RecordArena, row: number): Uint8Array {
  const at = arena.offset(row) + arena.hashLength + REC.ITEM;
  return arena.chunk(row).subarray(at, at + 16);
}

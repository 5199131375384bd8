import type { RecordArena } from './record-arena.js';
import { REC } from './records.js';
import { bucketOfRow } from './row-order.js';

/**
 * add_index of rows in `added` whose (hash, item_id) another live record has too. `added` is sorted, and `bucket(b)`
 * is the sorted order after the change, which holds them: rows of one hash stand side by side in it.
 */
export function findDuplicates(
  arena: RecordArena,
  added: Uint32Array,
  bits: number,
  bucket: (b: number) => Uint32Array,
): number[] {
  const out: number[] = [];
  let number = -1;
  let run = new HashRun(arena, added);
  let at = 0;
  for (const row of added) {
    const b = bucketOfRow(arena, row, bits);
    if (b !== number) [number, run, at] = [b, new HashRun(arena, bucket(b)), 0];
    while (at < run.rows.length && run.rows[at] !== row) at++;
    if (run.hasTwin(at)) out.push(arena.addIndex(row));
  }
  return out;
}

/** The rows of one hash in a sorted bucket, moved along; a hash listed a million times costs no more than once each. */
class HashRun {
  readonly rows: Uint32Array;
  private readonly arena: RecordArena;
  private end = 0;
  /** How often each item stands in [start, end); empty for a run of one. */
  private readonly items = new Map<string, number>();

  constructor(arena: RecordArena, rows: Uint32Array) {
    this.arena = arena;
    this.rows = rows;
  }

  /** Positions MUST ascend. */
  hasTwin(at: number): boolean {
    if (at >= this.end) this.enter(at);
    return this.items.size > 0 && this.items.get(itemOf(this.arena, this.rows[at]!))! > 1;
  }

  private enter(at: number): void {
    const { arena, rows, items } = this;
    items.clear();
    let start = at;
    while (start > 0 && arena.sameHash(rows[start - 1]!, rows[at]!)) start--;
    this.end = at + 1;
    while (this.end < rows.length && arena.sameHash(rows[this.end]!, rows[at]!)) this.end++;
    if (this.end - start === 1) return;
    for (let i = start; i < this.end; i++) {
      const item = itemOf(arena, rows[i]!);
      items.set(item, (items.get(item) ?? 0) + 1);
    }
  }
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

function itemOf(arena: RecordArena, row: number): string {
  const at = arena.offset(row) + arena.hashLength + REC.ITEM;
  let item = '';
  for (const byte of arena.chunk(row).subarray(at, at + 16)) item += String.fromCharCode(byte);
  return item;
}

import { malformed, readU64 } from '../../core/index.js';
import { type KeyBytes, MAX_ROWS } from './limits.js';
import { rowEnd } from './rows.js';
import { allocateTable, type IdWidth, slotOf, swap, type Table } from './table.js';

/** Fills a table with keys in ascending order; equal keys (further records of one hash) may follow each other. */
export class TableBuilder {
  readonly #table: Table;
  readonly #words: number;
  #row = 0;
  #slot = 0;
  #head = 0;

  constructor(keyBytes: KeyBytes, count: number, idWidth: IdWidth) {
    if (count > MAX_ROWS) malformed('rows', 'are too many for one table');
    this.#table = allocateTable(keyBytes, count, idWidth);
    this.#words = (keyBytes - 4) >>> 2;
  }

  /** Adds the key at `from[at]`. Throws `MALFORMED` where keys are out of order or too many. */
  add(from: Uint8Array, at: number, addIndex: number): void {
    const t = this.#table;
    const head = ((from[at]! << 24) | (from[at + 1]! << 16) | (from[at + 2]! << 8) | from[at + 3]!) >>> 0;
    const o = this.#row * this.#words;
    if (this.#row >= t.count || head < this.#head) malformed('rows', 'are not sorted, or too many');
    for (let i = 0, b = at + 4; i < this.#words; i++, b += 4) {
      t.rest[o + i] = from[b]! | (from[b + 1]! << 8) | (from[b + 2]! << 16) | (from[b + 3]! << 24);
    }
    if (head === this.#head && this.#row > 0) this.#checkOrder(o);
    if (t.ids !== undefined) t.ids[this.#row] = addIndex;
    this.#enter(head);
  }

  /** Copies rows [from, to) of another table, which keep their order. */
  copy(old: Table, from: number, to: number): void {
    if (from >= to) return;
    const t = this.#table;
    t.rest.set(old.rest.subarray(from * this.#words, to * this.#words), this.#row * this.#words);
    if (t.ids !== undefined && old.ids !== undefined) t.ids.set(old.ids.subarray(from, to), this.#row);
    let slot = slotOf(old, from);
    for (let row = from; row < to; row++) {
      while (old.directory[slot + 1]! <= row) slot++;
      this.#enter(((slot >>> (old.bits - 16)) * 0x1_0000 + old.tags[row]!) >>> 0);
    }
  }

  /** Directory and tag of the next row. */
  #enter(head: number): void {
    const t = this.#table;
    const slot = head >>> (32 - t.bits);
    while (this.#slot <= slot) t.directory[this.#slot++] = this.#row;
    t.tags[this.#row] = head;
    this.#head = head;
    this.#row++;
  }

  #checkOrder(o: number): void {
    const { rest } = this.#table;
    for (let i = 0; i < this.#words; i++) {
      const before = rest[o - this.#words + i]!;
      const now = rest[o + i]!;
      if (before === now) continue;
      if (swap(before) > swap(now)) malformed('rows', 'are not sorted');
      return;
    }
  }

  /** Closes the directory. Throws `MALFORMED` where rows are missing. */
  finish(): Table {
    const t = this.#table;
    if (this.#row !== t.count) malformed('rows', 'are fewer than announced');
    while (this.#slot <= 1 << t.bits) t.directory[this.#slot++] = t.count;
    return t;
  }
}

/** From flat sorted keys, `keyBytes` each. Row i is key i. */
export function tableFromKeys(keyBytes: KeyBytes, keys: Uint8Array): Table {
  if (keys.length % keyBytes !== 0) malformed('keys', 'end within a key');
  const builder = new TableBuilder(keyBytes, keys.length / keyBytes, 0);
  for (let at = 0; at < keys.length; at += keyBytes) builder.add(keys, at, 0);
  return builder.finish();
}

/** What a caller knows about rows before it hands them over, so that one pass is enough. */
export interface KnownRows {
  readonly count: number;
  /** Every add_index is below this. */
  readonly logSize: number;
}

/** From canonical rows sorted by (hash, add_index), in pieces that hold whole rows; each piece is read once. */
export function tableFromRows(keyBytes: KeyBytes, pieces: Iterable<Uint8Array>, known: KnownRows): Table {
  const builder = new TableBuilder(keyBytes, known.count, known.logSize > 2 ** 32 ? 8 : 4);
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; at = rowEnd(piece, at, keyBytes)) {
      builder.add(piece, at, readU64(piece, at + keyBytes));
    }
  }
  return builder.finish();
}

/** What `tableFromRows` must know, read off the rows. */
export function surveyRows(keyBytes: KeyBytes, pieces: readonly Uint8Array[]): KnownRows {
  let count = 0;
  let logSize = 0;
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; at = rowEnd(piece, at, keyBytes)) {
      count++;
      logSize = Math.max(logSize, readU64(piece, at + keyBytes) + 1);
    }
  }
  return { count, logSize };
}

import { malformed } from '../../core/index.js';
import type { KnownRows } from './build.js';
import { ExactIndex } from './exact-index.js';
import { type KeyBytes, MAX_ROWS } from './limits.js';
import { attachProbe, type Probe } from './probe.js';
import { rowEnd } from './rows.js';
import { allocateTable, type Table } from './table.js';

/** Where the key of a table begins to be its rest, bytes. */
const HEAD_BYTES = 4;

/**
 * An index on its way. Sorted keys come first and are little work: from then on it tells what is certainly not listed,
 * with 2 + 4/16 bytes a key; the rest of its memory is not touched yet. The rows follow, and make it whole.
 */
export class ExactOpening {
  readonly keyBytes: KeyBytes;
  readonly #table: Table;
  readonly #shift: number;
  #probe: Probe | undefined;
  #keys = 0;
  #slot = 0;
  #last = 0;
  #rows = 0;

  /** Throws `MALFORMED` for more rows than a table can have, `OVERLOADED` without memory. */
  constructor(keyBytes: KeyBytes, { count, logSize }: KnownRows) {
    if (count > MAX_ROWS) malformed('rows', 'are too many for one table');
    this.keyBytes = keyBytes;
    this.#table = allocateTable(keyBytes, count, logSize > 2 ** 32 ? 8 : 4);
    this.#shift = 32 - this.#table.bits;
    if (count === 0) this.#close();
  }

  /** Whole keys that follow those before. Throws `MALFORMED` where they are not sorted, or too many. */
  addKeys(keys: Uint8Array): void {
    const { tags, directory, count } = this.#table;
    const n = keys.length / this.keyBytes;
    if (!Number.isInteger(n) || this.#keys + n > count)
      malformed('keys', 'are too many, or end within a key');
    const view = new DataView(keys.buffer, keys.byteOffset, keys.length);
    let [row, slot, last] = [this.#keys, this.#slot, this.#last];
    for (let at = 0; at < keys.length; at += this.keyBytes) {
      const head = view.getUint32(at);
      if (head < last) malformed('keys', 'are not sorted');
      for (const own = head >>> this.#shift; slot <= own; ) directory[slot++] = row;
      tags[row++] = head;
      last = head;
    }
    [this.#keys, this.#slot, this.#last] = [row, slot, last];
    if (row === count) this.#close();
  }

  /** All keys are known: `mayHave` answers. */
  get hasKeys(): boolean {
    return this.#probe !== undefined;
  }

  /** False only where no record of this hash is in the rows. Throws `USAGE` before all keys are known. */
  mayHave(h: Uint8Array): boolean {
    if (this.#probe === undefined) malformed('keys', 'are not complete');
    return this.#probe((h[0]! << 24) | (h[1]! << 16) | (h[2]! << 8) | h[3]!) !== -1;
  }

  /** All rows were added. */
  get isWhole(): boolean {
    return this.#rows === this.#table.count;
  }

  /**
   * Whole canonical rows, the first of them number `row`, have the keys that are known; answers the number behind them.
   * Throws `MALFORMED` where one has not.
   */
  checkRows(rows: Uint8Array, row: number): number {
    const { tags, directory, count } = this.#table;
    const { keyBytes } = this;
    const shift = this.#shift;
    const view = new DataView(rows.buffer, rows.byteOffset, rows.length);
    let at = 0;
    let n = row;
    for (; at < rows.length; at = rowEnd(rows, at, keyBytes), n++) {
      const head = view.getUint32(at);
      const slot = head >>> shift;
      const own = n < count && directory[slot]! <= n && n < directory[slot + 1]!;
      if (!own || tags[n] !== (head & 0xffff)) malformed('rows', 'are not those of the keys');
    }
    return n;
  }

  /**
   * Whole canonical rows that follow those before, in the order of the keys; layout and order were checked by whoever
   * verified them. Throws `MALFORMED` as `checkRows`.
   */
  addRows(rows: Uint8Array): void {
    const { rest, ids } = this.#table;
    const { keyBytes } = this;
    const view = new DataView(rows.buffer, rows.byteOffset, rows.length);
    let row = this.#rows;
    const until = this.checkRows(rows, row);
    let o = row * ((keyBytes - HEAD_BYTES) >>> 2);
    for (let at = 0; row < until; at = rowEnd(rows, at, keyBytes)) {
      const end = at + keyBytes;
      for (let b = at + HEAD_BYTES; b < end; b += 4) rest[o++] = view.getInt32(b, true);
      ids![row++] = view.getUint32(end) * 0x1_0000_0000 + view.getUint32(end + 4);
    }
    this.#rows = until;
  }

  /** Throws `MALFORMED` where rows are missing. */
  finish(): ExactIndex {
    if (!this.isWhole) malformed('rows', 'are fewer than announced');
    return ExactIndex.of(this.#table);
  }

  #close(): void {
    const { directory, bits, count } = this.#table;
    while (this.#slot <= 1 << bits) directory[this.#slot++] = count;
    this.#probe = attachProbe(this.#table.memory, this.#table);
  }
}

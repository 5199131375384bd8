import { readU16, readU64, writeU16, writeU64 } from './bytes.js';
import { ADD_HASH_AT } from './leaf.js';
import { REC, RECORD_TAIL_BYTES, type RecordView, readRecord } from './records.js';
import { RowStore } from './row-store.js';

/**
 * The resident records of one list: canonical record bytes without meta, one fixed row each, in chunks. A row
 * keeps its number and its bytes for as long as it lives; sorting and indexing move row numbers only.
 */
export class RecordArena extends RowStore {
  readonly hashLength: number;
  /** Rows with meta, live or not. */
  private withMeta = 0;

  constructor(hashLength: number) {
    super(hashLength + RECORD_TAIL_BYTES);
    this.hashLength = hashLength;
  }

  release(row: number): void {
    this.dropMeta(row);
    this.giveBack(row, this.chunk(row)[this.offset(row)]!);
  }

  addIndex(row: number): number {
    return readU64(this.chunk(row), this.offset(row) + this.hashLength + REC.ADD);
  }

  lastIndex(row: number): number {
    return readU64(this.chunk(row), this.offset(row) + this.hashLength + REC.LAST);
  }

  listedMs(row: number): number {
    return readU64(this.chunk(row), this.offset(row) + this.hashLength + REC.LISTED);
  }

  /** Order of (hash, add_index), which lie side by side. */
  compare(a: number, b: number): number {
    const ca = this.chunk(a);
    const cb = this.chunk(b);
    const oa = this.offset(a);
    const ob = this.offset(b);
    for (let i = 0, n = this.hashLength + 8; i < n; i++) {
      const d = ca[oa + i]! - cb[ob + i]!;
      if (d !== 0) return d;
    }
    return 0;
  }

  sameHash(a: number, b: number): boolean {
    const ca = this.chunk(a);
    const cb = this.chunk(b);
    const oa = this.offset(a);
    const ob = this.offset(b);
    for (let i = 0, n = this.hashLength; i < n; i++) if (ca[oa + i] !== cb[ob + i]) return false;
    return true;
  }

  /** Order of a row's hash against `hash`. */
  compareHash(row: number, hash: Uint8Array): number {
    const chunk = this.chunk(row);
    const at = this.offset(row);
    for (let i = 0; i < this.hashLength; i++) {
      const d = chunk[at + i]! - hash[i]!;
      if (d !== 0) return d;
    }
    return 0;
  }

  /** A new row from a judged ADD at `b[at…]`. */
  takeAdd(b: Uint8Array, at: number, index: number): number {
    const row = this.take(b[at + ADD_HASH_AT]!);
    const c = this.chunk(row);
    let o = this.offset(row);
    const h = this.hashLength;
    for (let i = 0, from = at + ADD_HASH_AT; i < h; i++) c[o + i] = b[from + i]!;
    o += h;
    writeU64(c, o + REC.ADD, index);
    writeU64(c, o + REC.LAST, index);
    for (let i = 0; i < 8; i++) c[o + REC.LISTED + i] = b[at + 3 + i]!;
    for (let i = 0; i < 16; i++) c[o + REC.ITEM + i] = b[at + 15 + i]!;
    c[o + REC.SCHEME] = b[at + 12]!;
    c[o + REC.CODE] = b[at + 13]!;
    c[o + REC.CHECKS] = b[at + 14]!;
    this.putMeta(row, b, at + ADD_HASH_AT + h);
    return row;
  }

  /** A new row from a checked record at `b[at…]`. */
  takeRecord(b: Uint8Array, at: number): number {
    const row = this.take(b[at]!);
    const c = this.chunk(row);
    const o = this.offset(row);
    for (let i = 0, n = this.stride - 2; i < n; i++) c[o + i] = b[at + i]!;
    this.putMeta(row, b, at + this.stride - 2);
    return row;
  }

  /**
   * `n` ≥ 1 checked records of one first byte from `b[at…]` on, no more than there is `room` for: rows side by side, of
   * which the first is answered. Only a single one may have meta.
   */
  takeRecords(b: Uint8Array, at: number, n: number): number {
    if (n === 1) return this.takeRecord(b, at);
    const first = this.takeRun(b[at]!, n);
    this.chunk(first).set(b.subarray(at, at + n * this.stride), this.offset(first));
    return first;
  }

  /** A new row with the same bytes. */
  takeCopy(from: number): number {
    const bytes = new Uint8Array(this.recordLength(from));
    this.copyRecord(from, bytes, 0);
    return this.takeRecord(bytes, 0);
  }

  /** Replaces scheme, code, verifications and meta from a judged AMEND at `b[at…]`. */
  amend(row: number, b: Uint8Array, at: number, index: number): void {
    const c = this.chunk(row);
    const o = this.offset(row) + this.hashLength;
    writeU64(c, o + REC.LAST, index);
    c[o + REC.SCHEME] = b[at + 20]!;
    c[o + REC.CODE] = b[at + 21]!;
    c[o + REC.CHECKS] = b[at + 22]!;
    this.dropMeta(row);
    this.putMeta(row, b, at + 23);
  }

  recordLength(row: number): number {
    return this.stride + this.metaLength(row);
  }

  /** Bytes of all these records together. */
  recordsLength(rows: Uint32Array): number {
    if (this.withMeta === 0) return rows.length * this.stride;
    let bytes = 0;
    for (const row of rows) bytes += this.recordLength(row);
    return bytes;
  }

  /** Writes the canonical records one behind the other to `out[at…)`; answers the offset behind them. */
  copyRecords(rows: Uint32Array, out: Uint8Array, at: number): number {
    const view = new DataView(out.buffer, out.byteOffset, out.length);
    let to = at;
    for (let i = 0; i < rows.length; ) {
      const run = this.withMeta > 0 ? 1 : this.runLength(rows, i);
      to = run > 1 ? this.copyRun(rows[i]!, run, out, to) : this.copyOne(rows[i]!, out, view, to);
      i += run;
    }
    return to;
  }

  /** Writes one canonical record to `out[at…)`; answers the offset behind it. */
  copyRecord(row: number, out: Uint8Array, at: number): number {
    return this.copyOne(row, out, new DataView(out.buffer, out.byteOffset, out.length), at);
  }

  private copyOne(row: number, out: Uint8Array, view: DataView, at: number): number {
    this.copyRow(row, view, at);
    const meta = this.withMeta > 0 ? this.metaLength(row) : 0;
    if (meta > 0) this.heap.copy(this.metaAddress(row), meta, out, at + this.stride);
    return at + this.stride + meta;
  }

  view(row: number): RecordView {
    const bytes = new Uint8Array(this.recordLength(row));
    this.copyRecord(row, bytes, 0);
    return readRecord(bytes, 0, this.hashLength);
  }

  hash(row: number): Uint8Array {
    const at = this.offset(row);
    return this.chunk(row).slice(at, at + this.hashLength);
  }

  private copyRun(first: number, run: number, out: Uint8Array, at: number): number {
    const from = this.offset(first);
    out.set(this.chunk(first).subarray(from, from + run * this.stride), at);
    return at + run * this.stride;
  }

  /**
   * Moves rows so that `rows[i]` becomes row i; the others are dropped. Row numbers held elsewhere are void
   * from then on.
   */
  arrange(rows: Uint32Array): void {
    if (this.withMeta > 0) this.dropOthers(rows);
    this.move(rows);
  }

  private dropOthers(rows: Uint32Array): void {
    const named = new Uint8Array(this.capacity);
    for (const row of rows) named[row] = 1;
    for (let row = 0; row < named.length; row++) if (named[row] === 0) this.dropMeta(row);
  }

  private metaLength(row: number): number {
    return readU16(this.chunk(row), this.offset(row) + this.hashLength + REC.META);
  }

  /** `u16 meta_len | meta` at `b[at…]` becomes the row's. */
  private putMeta(row: number, b: Uint8Array, at: number): void {
    const length = readU16(b, at);
    writeU16(this.chunk(row), this.offset(row) + this.hashLength + REC.META, length);
    if (length === 0) return;
    this.withMeta++;
    this.setMetaAddress(row, this.heap.put(b, at + 2, length));
  }

  private dropMeta(row: number): void {
    const length = this.metaLength(row);
    if (length === 0) return;
    this.withMeta--;
    this.heap.release(this.metaAddress(row), length);
    this.chunk(row).set(NO_META, this.offset(row) + this.hashLength + REC.META);
  }
}

const NO_META = new Uint8Array(2);

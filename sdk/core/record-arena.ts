import { readU16, readU64, writeU16, writeU64 } from './bytes.js';
import { ADD_HASH_AT } from './leaf.js';
import { MetaHeap } from './meta-heap.js';
import { REC, RECORD_TAIL_BYTES, type RecordView, readRecord } from './records.js';

/** Rows in one chunk: 308 KiB of sha256 records. */
const CHUNK_SHIFT = 12;
const CHUNK_ROWS = 1 << CHUNK_SHIFT;

/**
 * The resident records of one list: canonical record bytes without meta, one fixed row each, in chunks. A row
 * keeps its number and its bytes for as long as it lives; sorting and indexing move row numbers only.
 */
export class RecordArena {
  readonly hashLength: number;
  /** Bytes of a row. */
  readonly stride: number;
  private readonly chunks: Uint8Array[] = [];
  private readonly metaAt: (Uint32Array | undefined)[] = [];
  private readonly heap = new MetaHeap();
  private readonly free: number[] = [];
  private used = 0;
  private withMeta = 0;
  private moves = 0;

  constructor(hashLength: number) {
    this.hashLength = hashLength;
    this.stride = hashLength + RECORD_TAIL_BYTES;
  }

  /** Row numbers ever given out lie below this. */
  get capacity(): number {
    return this.used;
  }

  /** The chunk that holds a row; `offset(row)` is where the row starts in it. */
  chunk(row: number): Uint8Array {
    return this.chunks[row >>> CHUNK_SHIFT]!;
  }

  offset(row: number): number {
    return (row & (CHUNK_ROWS - 1)) * this.stride;
  }

  take(): number {
    const again = this.free.pop();
    if (again !== undefined) return again;
    if ((this.used & (CHUNK_ROWS - 1)) === 0) {
      this.chunks.push(new Uint8Array(CHUNK_ROWS * this.stride));
      this.metaAt.push(undefined);
    }
    return this.used++;
  }

  release(row: number): void {
    this.dropMeta(row);
    this.free.push(row);
  }

  /** Grows when `arrange` renumbers the rows: row numbers of before mean nothing then. */
  get numbering(): number {
    return this.moves;
  }

  addIndex(row: number): number {
    return readU64(this.chunk(row), this.offset(row) + this.hashLength + REC.ADD);
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
    const row = this.take();
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
    const row = this.take();
    const c = this.chunk(row);
    const o = this.offset(row);
    for (let i = 0, n = this.stride - 2; i < n; i++) c[o + i] = b[at + i]!;
    this.putMeta(row, b, at + this.stride - 2);
    return row;
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
    let to = at;
    if (this.withMeta > 0) {
      for (const row of rows) to = this.copyRecord(row, out, to);
      return to;
    }
    for (let i = 0; i < rows.length; ) {
      const run = this.runLength(rows, i);
      to = run === 1 ? this.copyRecord(rows[i]!, out, to) : this.copyRun(rows[i]!, run, out, to);
      i += run;
    }
    return to;
  }

  /** Writes the canonical record to `out[at…)`; answers the offset behind it. */
  copyRecord(row: number, out: Uint8Array, at: number): number {
    const c = this.chunk(row);
    const o = this.offset(row);
    const stride = this.stride;
    for (let i = 0; i < stride; i++) out[at + i] = c[o + i]!;
    const meta = this.metaLength(row);
    if (meta > 0)
      this.heap.copy(this.metaAt[row >>> CHUNK_SHIFT]![row & (CHUNK_ROWS - 1)]!, meta, out, at + stride);
    return at + stride + meta;
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

  /** How many rows from position `i` on lie side by side. */
  private runLength(rows: Uint32Array, i: number): number {
    const first = rows[i]!;
    const most = Math.min(rows.length - i, CHUNK_ROWS - (first & (CHUNK_ROWS - 1)));
    let n = 1;
    while (n < most && rows[i + n] === first + n) n++;
    return n;
  }

  private copyRun(first: number, run: number, out: Uint8Array, at: number): number {
    const from = this.offset(first);
    out.set(this.chunk(first).subarray(from, from + run * this.stride), at);
    return at + run * this.stride;
  }

  /**
   * Moves rows so that `rows[i]` becomes row i, in place; rows that are not named are dropped. Other forks'
   * row numbers are void from then on.
   */
  arrange(rows: Uint32Array): void {
    const order = this.withRest(rows);
    const done = new Uint8Array((order.length >>> 3) + 1);
    const spare = new Uint8Array(this.stride);
    for (let i = 0; i < order.length; i++)
      if (order[i] !== i && (done[i >>> 3]! & (1 << (i & 7))) === 0) this.moveCycle(order, done, spare, i);
    this.used = rows.length;
    this.free.length = 0;
    this.moves++;
    const chunks = Math.ceil(rows.length / CHUNK_ROWS);
    this.chunks.length = chunks;
    this.metaAt.length = chunks;
  }

  /** `rows`, then every other row number, freed of its meta. */
  private withRest(rows: Uint32Array): Uint32Array {
    const order = new Uint32Array(this.used);
    const named = new Uint8Array(this.used);
    order.set(rows);
    for (const row of rows) named[row] = 1;
    let n = rows.length;
    for (let row = 0; row < this.used; row++) {
      if (named[row] === 1) continue;
      this.dropMeta(row);
      order[n++] = row;
    }
    return order;
  }

  private moveCycle(order: Uint32Array, done: Uint8Array, spare: Uint8Array, start: number): void {
    this.copyFixed(start, spare, 0);
    const spareMeta = this.metaAddress(start);
    let to = start;
    for (let from = order[to]!; from !== start; from = order[to]!) {
      this.copyFixed(from, this.chunk(to), this.offset(to));
      this.setMetaAddress(to, this.metaAddress(from));
      done[to >>> 3]! |= 1 << (to & 7);
      to = from;
    }
    this.chunk(to).set(spare, this.offset(to));
    this.setMetaAddress(to, spareMeta);
    done[to >>> 3]! |= 1 << (to & 7);
  }

  private copyFixed(row: number, out: Uint8Array, at: number): void {
    const c = this.chunk(row);
    const o = this.offset(row);
    for (let i = 0; i < this.stride; i++) out[at + i] = c[o + i]!;
  }

  private metaAddress(row: number): number {
    return this.metaAt[row >>> CHUNK_SHIFT]?.[row & (CHUNK_ROWS - 1)] ?? 0;
  }

  private setMetaAddress(row: number, address: number): void {
    const chunk = row >>> CHUNK_SHIFT;
    if (address !== 0) this.metaAt[chunk] ??= new Uint32Array(CHUNK_ROWS);
    const addresses = this.metaAt[chunk];
    if (addresses !== undefined) addresses[row & (CHUNK_ROWS - 1)] = address;
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
    this.heap.release(this.metaAt[row >>> CHUNK_SHIFT]![row & (CHUNK_ROWS - 1)]!, length);
    this.chunk(row).set(NO_META, this.offset(row) + this.hashLength + REC.META);
  }
}

const NO_META = new Uint8Array(2);

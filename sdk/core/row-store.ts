import { MetaHeap } from './meta-heap.js';
import { U32List } from './u32-list.js';

/** Rows in one chunk: 77 KiB of sha256 records. */
const CHUNK_SHIFT = 10;
const CHUNK_ROWS = 1 << CHUNK_SHIFT;
const CHUNK_MASK = CHUNK_ROWS - 1;
/** Chunks whose memory is asked for at once: small buffers cost several times as much to get. */
const SLAB_CHUNKS = 8;
/** Chunks before the first slab: a small list takes little more than it needs. */
const SINGLE_CHUNKS = 8;
/** From this many chunks on, rows go to chunks by their first hash byte, so that neighbours lie close. */
const PARTITION_FROM = 64;
const PARTITIONS = 256;
/** Beyond this part of all rows, free ones are taken whatever their partition. */
const STRAY_PART = 8;
const GONE = new Uint8Array(0);

/**
 * Fixed-size rows in chunks, addressed by a number that stays theirs until released or `arrange`d. `metaAt`
 * holds the address of what a row has out of line; 0 means nothing.
 */
export class RowStore {
  /** Bytes of a row. */
  readonly stride: number;
  protected readonly heap = new MetaHeap();
  private chunks: Uint8Array[] = [];
  /** The same bytes, for copying by words. */
  private views: DataView[] = [];
  private metaAt: (Uint32Array | undefined)[] = [];
  /** Rows given back, by partition: whoever takes one again gets neighbours of its own. */
  private readonly free = Array.from({ length: PARTITIONS }, () => new U32List());
  private freeRows = 0;
  /** The next row of each partition's open chunk; -1 where a chunk must be begun. */
  private readonly open = new Float64Array(PARTITIONS).fill(-1);
  private moves = 0;
  /** Memory that was asked for and is no chunk yet. */
  private slab = GONE;

  constructor(stride: number) {
    this.stride = stride;
  }

  /** Row numbers ever given out lie below this. */
  get capacity(): number {
    return this.chunks.length * CHUNK_ROWS;
  }

  /** Grows when `arrange` renumbers the rows: row numbers of before mean nothing then. */
  get numbering(): number {
    return this.moves;
  }

  /** The chunk that holds a row; `offset(row)` is where the row starts in it. */
  chunk(row: number): Uint8Array {
    return this.chunks[row >>> CHUNK_SHIFT]!;
  }

  offset(row: number): number {
    return (row & CHUNK_MASK) * this.stride;
  }

  /** A row to fill; `partition` 0–255 says near which others it should lie. */
  protected take(partition: number): number {
    const again = this.free[partition]!.pop() ?? this.strayRow();
    if (again !== undefined) {
      this.freeRows--;
      return again;
    }
    const p = this.chunks.length < PARTITION_FROM ? 0 : partition;
    let row = this.open[p]!;
    if (row < 0) {
      row = this.chunks.length * CHUNK_ROWS;
      this.begin([]);
    }
    this.open[p] = (row + 1) % CHUNK_ROWS === 0 ? -1 : row + 1;
    return row;
  }

  /** How many rows `takeRun` can give at once: the rest of the open chunk, or a whole one. At least 1. */
  room(partition: number): number {
    if (this.freeRows > 0) return 1;
    const row = this.open[this.chunks.length < PARTITION_FROM ? 0 : partition]!;
    return row < 0 ? CHUNK_ROWS : CHUNK_ROWS - (row & CHUNK_MASK);
  }

  /** `n` rows side by side, at most `room`; answers the first. */
  protected takeRun(partition: number, n: number): number {
    const p = this.chunks.length < PARTITION_FROM ? 0 : partition;
    const first = this.take(partition);
    const next = first + n;
    this.open[p] = next % CHUNK_ROWS === 0 ? -1 : next;
    return first;
  }

  /** `partition` as the row was taken with. */
  protected giveBack(row: number, partition: number): void {
    this.freeRows++;
    this.free[partition]!.push(row);
  }

  /** A free row of another partition, where so many are free that memory counts for more than neighbours. */
  private strayRow(): number | undefined {
    if (this.freeRows * STRAY_PART <= this.capacity) return undefined;
    for (const rows of this.free) {
      const row = rows.pop();
      if (row !== undefined) return row;
    }
    return undefined;
  }

  protected metaAddress(row: number): number {
    return this.metaAt[row >>> CHUNK_SHIFT]?.[row & CHUNK_MASK] ?? 0;
  }

  protected setMetaAddress(row: number, address: number): void {
    const chunk = row >>> CHUNK_SHIFT;
    if (address !== 0) this.metaAt[chunk] ??= new Uint32Array(CHUNK_ROWS);
    const addresses = this.metaAt[chunk];
    if (addresses !== undefined) addresses[row & CHUNK_MASK] = address;
  }

  /** How many rows from position `i` on lie side by side. */
  protected runLength(rows: Uint32Array, i: number): number {
    const first = rows[i]!;
    const most = Math.min(rows.length - i, CHUNK_ROWS - (first & CHUNK_MASK));
    let n = 1;
    while (n < most && rows[i + n] === first + n) n++;
    return n;
  }

  /**
   * Moves rows so that `rows[i]` becomes row i; rows that are not named are dropped. A chunk is used again as
   * soon as its last row has left: partitioned rows need little more memory than they take.
   */
  protected move(rows: Uint32Array): void {
    const from = this.chunks;
    const views = this.views;
    const left = new Uint32Array(from.length);
    for (const row of rows) left[row >>> CHUNK_SHIFT]!++;
    const spare = from.filter((_, c) => left[c] === 0);
    const addresses = this.metaAt;
    this.chunks = [];
    this.views = [];
    this.metaAt = [];
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!;
      const c = row >>> CHUNK_SHIFT;
      if ((i & CHUNK_MASK) === 0) this.begin(spare);
      const to = this.views[i >>> CHUNK_SHIFT]!;
      copyWords(views[c]!, (row & CHUNK_MASK) * this.stride, to, this.offset(i), this.stride);
      this.setMetaAddress(i, addresses[c]?.[row & CHUNK_MASK] ?? 0);
      if (--left[c]! > 0) continue;
      spare.push(from[c]!);
      from[c] = GONE;
    }
    this.afterMove(rows.length);
  }

  private begin(spare: Uint8Array[]): void {
    const chunk = spare.pop() ?? this.cut();
    this.chunks.push(chunk);
    this.views.push(new DataView(chunk.buffer, chunk.byteOffset, chunk.length));
    this.metaAt.push(undefined);
  }

  /** Fresh memory of one chunk. */
  private cut(): Uint8Array {
    const bytes = CHUNK_ROWS * this.stride;
    if (this.chunks.length < SINGLE_CHUNKS) return new Uint8Array(bytes);
    if (this.slab.length === 0) this.slab = new Uint8Array(SLAB_CHUNKS * bytes);
    const chunk = this.slab.subarray(0, bytes);
    this.slab = this.slab.subarray(bytes);
    return chunk;
  }

  /** Copies a row's bytes to `out` by words, the last one overlapping: four times as fast as by bytes. */
  protected copyRow(row: number, out: DataView, at: number): void {
    copyWords(this.views[row >>> CHUNK_SHIFT]!, this.offset(row), out, at, this.stride);
  }

  private afterMove(rows: number): void {
    this.moves++;
    this.freeRows = 0;
    for (const free of this.free) free.clear();
    this.open.fill(-1);
    // What is left of the last chunk goes on where the highest hashes lie.
    for (let row = this.capacity - 1; row >= rows; row--) this.giveBack(row, PARTITIONS - 1);
  }
}

/** `length` ≥ 4 bytes, between buffers that do not overlap. */
function copyWords(from: DataView, at: number, to: DataView, toAt: number, length: number): void {
  const last = length - 4;
  for (let i = 0; i < last; i += 4) to.setInt32(toAt + i, from.getInt32(at + i, true), true);
  to.setInt32(toAt + last, from.getInt32(at + last, true), true);
}

import type { RecordArena } from './record-arena.js';

/** Own arrays of buckets are joined beyond this number and this part of all buckets. */
const LEAST_JOINED = 1_024;
export const JOINED_PART = 4;
const NONE = new Uint32Array(0);

/** The bucket of a row: the first `bits` bits of its hash (docs/spec/list-format.md §3). */
export function bucketOfRow(arena: RecordArena, row: number, bits: number): number {
  const c = arena.chunk(row);
  const at = arena.offset(row);
  return ((c[at]! << 8) | c[at + 1]!) >>> (16 - bits);
}

export function bucketOfHash(hash: Uint8Array, bits: number): number {
  return ((hash[0]! << 8) | hash[1]!) >>> (16 - bits);
}

/**
 * The sorted order of a set, bucket by bucket: one array for all, and an own array for each bucket changed
 * since it was built.
 */
export class RowOrder {
  readonly bits: number;
  private rows: Uint32Array;
  private starts: Uint32Array;
  private readonly changed = new Map<number, Uint32Array>();

  private constructor(bits: number, rows: Uint32Array, starts: Uint32Array) {
    this.bits = bits;
    this.rows = rows;
    this.starts = starts;
  }

  /** `rows` are sorted by (hash, add_index), and owned by the order from now on. */
  static build(arena: RecordArena, bits: number, rows: Uint32Array): RowOrder {
    const starts = new Uint32Array(2 ** bits + 1);
    for (const row of rows) starts[bucketOfRow(arena, row, bits) + 1]!++;
    for (let b = 0; b < 2 ** bits; b++) starts[b + 1]! += starts[b]!;
    return new RowOrder(bits, rows, starts);
  }

  /** Bucket b is `rows[starts[b], starts[b + 1])`; both are owned by the order from now on. */
  static of(bits: number, rows: Uint32Array, starts: Uint32Array): RowOrder {
    return new RowOrder(bits, rows, starts);
  }

  static empty(): RowOrder {
    return new RowOrder(0, NONE, new Uint32Array(2));
  }

  get buckets(): number {
    return 2 ** this.bits;
  }

  /** Row numbers of bucket `b`, sorted; a view, valid until the next commit. */
  bucket(b: number): Uint32Array {
    return this.changed.get(b) ?? this.rows.subarray(this.starts[b]!, this.starts[b + 1]!);
  }

  /** Replaces whole buckets. One array for each would burden every garbage collection: many are joined. */
  replace(buckets: ReadonlyMap<number, Uint32Array>): void {
    for (const [b, rows] of buckets) this.changed.set(b, rows);
    if (this.changed.size > LEAST_JOINED && this.changed.size > this.buckets / JOINED_PART) this.compact();
  }

  get changedBuckets(): number {
    return this.changed.size;
  }

  /** Rows of all buckets. */
  get length(): number {
    let n = 0;
    for (let b = 0; b < this.buckets; b++) n += this.bucket(b).length;
    return n;
  }

  /** All rows, sorted, in one array: a copy. */
  all(): Uint32Array {
    const out = new Uint32Array(this.length);
    let at = 0;
    for (let b = 0; b < this.buckets; b++) {
      const rows = this.bucket(b);
      out.set(rows, at);
      at += rows.length;
    }
    return out;
  }

  /** Rows were renumbered in this very order. */
  renumber(): void {
    this.compact();
    this.rows.forEach((_, i) => {
      this.rows[i] = i;
    });
  }

  private compact(): void {
    const starts = new Uint32Array(this.buckets + 1);
    for (let b = 0; b < this.buckets; b++) starts[b + 1] = starts[b]! + this.bucket(b).length;
    this.rows = this.all();
    this.starts = starts;
    this.changed.clear();
  }
}

/** Merges two sorted runs, leaving out the rows of `before` for which `gone` answers true. */
export function mergeRows(
  arena: RecordArena,
  before: Uint32Array,
  added: Uint32Array,
  gone: (row: number) => boolean,
): Uint32Array {
  const out = new Uint32Array(before.length + added.length);
  const n = mergeInto(arena, before, added, gone, out, 0);
  return n === out.length ? out : out.slice(0, n);
}

/** As `mergeRows`, to `out[at…)`; answers the position behind the last row. */
export function mergeInto(
  arena: RecordArena,
  before: Uint32Array,
  added: Uint32Array,
  gone: (row: number) => boolean,
  out: Uint32Array,
  at: number,
): number {
  let n = at;
  let b = 0;
  for (const row of added) {
    const stop = positionOf(arena, before, row, b);
    for (; b < stop; b++) if (!gone(before[b]!)) out[n++] = before[b]!;
    out[n++] = row;
  }
  for (; b < before.length; b++) if (!gone(before[b]!)) out[n++] = before[b]!;
  return n;
}

/** The first position from `from` on whose row sorts behind `row`: galloping, then by halves. */
function positionOf(arena: RecordArena, rows: Uint32Array, row: number, from: number): number {
  let low = from;
  let step = 1;
  while (low + step <= rows.length && arena.compare(rows[low + step - 1]!, row) < 0) {
    low += step;
    step *= 2;
  }
  let high = Math.min(low + step - 1, rows.length);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (arena.compare(rows[middle]!, row) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

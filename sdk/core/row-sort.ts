import type { RecordArena } from './record-arena.js';

/**
 * Sorts row numbers by (hash, add_index) in place: most significant 16 bits first, then small groups by their
 * next 32 bits. O(n log n) whatever the hashes are, so that a skewed list cannot stall a reader.
 */
const RADIX = 65_536;
/** Digits whose rows are sorted between two pauses. */
const DIGITS_A_SLICE = 1_024;
/** Groups above this go through another radix pass. */
const RADIX_FROM = 4_096;
/** Groups up to this are sorted by insertion. */
const INSERTION_TO = 24;
/** Packed keys are 32 bits of hash above 21 bits of position. */
const PACK = 2 ** 21;

export function* sortSteps(arena: RecordArena, rows: Uint32Array): Generator<void, void> {
  if (rows.length <= RADIX_FROM) {
    sortRange(arena, rows, 0, rows.length, 0);
    return;
  }
  const ends = distribute(arena, rows, 0, rows.length, 0);
  for (let d = 0, start = 0; d < RADIX; d++) {
    if (d % DIGITS_A_SLICE === 0) yield;
    sortRange(arena, rows, start, ends[d]!, 2);
    start = ends[d]!;
  }
}

function sortRange(arena: RecordArena, rows: Uint32Array, from: number, to: number, depth: number): void {
  const n = to - from;
  if (n < 2) return;
  if (n > RADIX_FROM && depth + 2 <= arena.hashLength) radixPass(arena, rows, from, to, depth);
  else sortGroup(arena, rows, from, to, depth);
}

function radixPass(arena: RecordArena, rows: Uint32Array, from: number, to: number, depth: number): void {
  const ends = distribute(arena, rows, from, to, depth);
  let start = 0;
  for (let d = 0; d < RADIX; d++) {
    const end = ends[d]!;
    if (end - start > 1) sortRange(arena, rows, from + start, from + end, depth + 2);
    start = end;
  }
}

/** Orders [from, to) by the 16 bits behind `depth`; answers where each digit's rows end, counted from `from`. */
function distribute(
  arena: RecordArena,
  rows: Uint32Array,
  from: number,
  to: number,
  depth: number,
): Uint32Array {
  const ends = new Uint32Array(RADIX + 1);
  const digits = new Uint16Array(to - from);
  for (let i = from; i < to; i++) {
    const row = rows[i]!;
    const c = arena.chunk(row);
    const at = arena.offset(row) + depth;
    const digit = (c[at]! << 8) | c[at + 1]!;
    digits[i - from] = digit;
    ends[digit + 1]!++;
  }
  for (let d = 0; d < RADIX; d++) ends[d + 1]! += ends[d]!;
  const source = rows.slice(from, to);
  for (let i = 0; i < source.length; i++) rows[from + ends[digits[i]!]!++] = source[i]!;
  return ends;
}

/** 32 bits of the row behind `depth`; the row is longer than depth + 4 since add_index follows the hash. */
function key(arena: RecordArena, row: number, depth: number): number {
  const c = arena.chunk(row);
  const at = arena.offset(row) + depth;
  return ((c[at]! << 24) | (c[at + 1]! << 16) | (c[at + 2]! << 8) | c[at + 3]!) >>> 0;
}

function sortGroup(arena: RecordArena, rows: Uint32Array, from: number, to: number, depth: number): void {
  const n = to - from;
  if (n > RADIX_FROM || n >= PACK) {
    rows.subarray(from, to).sort((a, b) => arena.compare(a, b));
    return;
  }
  const keys = KEYS.subarray(0, n);
  for (let i = 0; i < n; i++) {
    KEYS[i] = key(arena, rows[from + i]!, depth) * PACK + i;
    GROUP[i] = rows[from + i]!;
  }
  if (n <= INSERTION_TO) insertionSort(n);
  else keys.sort();
  for (let i = 0; i < n; i++) rows[from + i] = GROUP[KEYS[i]! % PACK]!;
  settleTies(arena, rows, from, n);
}

const KEYS = new Float64Array(RADIX_FROM);
const GROUP = new Uint32Array(RADIX_FROM);

function insertionSort(n: number): void {
  for (let i = 1; i < n; i++) {
    const k = KEYS[i]!;
    let j = i - 1;
    while (j >= 0 && KEYS[j]! > k) {
      KEYS[j + 1] = KEYS[j]!;
      j--;
    }
    KEYS[j + 1] = k;
  }
}

/** Rows whose 32 bits agree are compared in full. `KEYS` still holds the sorted keys. */
function settleTies(arena: RecordArena, rows: Uint32Array, from: number, n: number): void {
  let start = 0;
  for (let i = 1; i <= n; i++) {
    if (i < n && Math.floor(KEYS[i]! / PACK) === Math.floor(KEYS[start]! / PACK)) continue;
    if (i - start > 1) rows.subarray(from + start, from + i).sort((a, b) => arena.compare(a, b));
    start = i;
  }
}

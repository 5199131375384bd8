import { LITTLE_ENDIAN } from './build.js';
import { BATCH, LINEAR_ROWS } from './limits.js';
import { findRow, swap, type Table } from './table.js';

const scratch = new Uint32Array(BATCH * 8);
const scratchBytes = new Uint8Array(scratch.buffer);
const lows = new Int32Array(BATCH);
const highs = new Int32Array(BATCH);
const tagsWanted = new Int32Array(BATCH);
/** Keeps the loads below from being optimised away. */
const sink = new Int32Array(1);

/**
 * First row of each key of `flat` (whole keys), or −1, into `out`. Each block of queries touches directory, tags
 * and rows in separate passes without branches between the loads, so that their cache misses overlap.
 */
export function findRows(t: Table, flat: Uint8Array, out: Int32Array): void {
  const count = flat.length / t.keyBytes;
  if (!LITTLE_ENDIAN || t.count === 0) {
    oneByOne(t, flat, out, count);
    return;
  }
  for (let start = 0; start < count; start += BATCH) {
    const n = Math.min(BATCH, count - start);
    const bytes = flat.subarray(start * t.keyBytes, (start + n) * t.keyBytes);
    scratchBytes.set(bytes);
    readDirectory(t, n);
    chooseByTag(t, n, bytes);
    confirm(t, n, out, start);
  }
}

function oneByOne(t: Table, flat: Uint8Array, out: Int32Array, count: number): void {
  for (let i = 0; i < count; i++) {
    out[i] = findRow(t, flat.subarray(i * t.keyBytes, (i + 1) * t.keyBytes));
  }
}

function readDirectory(t: Table, n: number): void {
  const { directory, tags } = t;
  const shift = 32 - t.bits;
  const stride = t.keyBytes >>> 2;
  for (let i = 0; i < n; i++) {
    const head = swap(scratch[i * stride]!);
    const slot = head >>> shift;
    tagsWanted[i] = head & 0xffff;
    lows[i] = directory[slot]!;
    highs[i] = directory[slot + 1]!;
  }
  const last = t.count - 1;
  let touched = 0;
  for (let i = 0; i < n; i++) touched += tags[Math.min(lows[i]!, last)]!;
  sink[0]! ^= touched;
}

/** Leaves in `lows` the first row with the wanted tag, or −1; slots that are too long are searched at once. */
function chooseByTag(t: Table, n: number, bytes: Uint8Array): void {
  const { tags, rest } = t;
  const words = (t.keyBytes - 4) >>> 2;
  for (let i = 0; i < n; i++) {
    const high = highs[i]!;
    const tag = tagsWanted[i]!;
    let row = lows[i]!;
    if (high - row > LINEAR_ROWS) {
      row = findRow(t, bytes.subarray(i * t.keyBytes, (i + 1) * t.keyBytes));
    } else {
      while (row < high && tags[row] !== tag) row++;
      if (row === high) row = -1;
    }
    lows[i] = row;
  }
  let touched = 0;
  for (let i = 0; i < n; i++) if (lows[i]! >= 0) touched += rest[lows[i]! * words]!;
  sink[0]! ^= touched;
}

function confirm(t: Table, n: number, out: Int32Array, start: number): void {
  const { tags } = t;
  for (let i = 0; i < n; i++) {
    let row = lows[i]!;
    if (row >= 0) {
      const high = highs[i]!;
      const tag = tagsWanted[i]!;
      while (row < high && (tags[row] !== tag || !sameWords(t, row, i))) row++;
      if (row === high) row = -1;
    }
    out[start + i] = row;
  }
}

/** Row against query `i` of the block. */
function sameWords(t: Table, row: number, i: number): boolean {
  const r = t.rest;
  const q = scratch;
  if (t.keyBytes === 32) {
    const o = row * 7;
    const a = i * 8 + 1;
    const front =
      (r[o]! ^ q[a]!) | (r[o + 1]! ^ q[a + 1]!) | (r[o + 2]! ^ q[a + 2]!) | (r[o + 3]! ^ q[a + 3]!);
    return (front | (r[o + 4]! ^ q[a + 4]!) | (r[o + 5]! ^ q[a + 5]!) | (r[o + 6]! ^ q[a + 6]!)) === 0;
  }
  if (t.keyBytes === 20) {
    const o = row * 4;
    const a = i * 5 + 1;
    const front = (r[o]! ^ q[a]!) | (r[o + 1]! ^ q[a + 1]!);
    return (front | (r[o + 2]! ^ q[a + 2]!) | (r[o + 3]! ^ q[a + 3]!)) === 0;
  }
  const o = row * 3;
  const a = i * 4 + 1;
  return ((r[o]! ^ q[a]!) | (r[o + 1]! ^ q[a + 1]!) | (r[o + 2]! ^ q[a + 2]!)) === 0;
}

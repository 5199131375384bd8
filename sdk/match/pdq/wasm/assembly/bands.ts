/**
 * Band tables. A band's first `bits` bits name a bucket, the next 16 (into the following band) are its tag.
 * A bucket is a chain of 64-byte lines: 12 tags of 2 bytes; a header with the count in bits 0–3 and the number
 * of the next line above; 12 rows of 3 bytes. Two sets exist, so that one can be built while the other serves.
 */

import { allocateLine, allocateTable, BAND_SET_BYTES, BANDS, ROW, releaseLine } from './layout';

export const LINE_ENTRIES: u32 = 12;
/** Lines walked to remove an entry; beyond that the entry stays and leads to a row that no longer matches. */
const MAX_REMOVE_LINES: u32 = 64;

let count0: u32 = 0;
let count1: u32 = 0;
let bits0: u32 = 0;
let bits1: u32 = 0;
/** Entries that were left behind since the active set was built. */
export let leftBehind: u32 = 0;

export function bandCount(set: u32): u32 {
  return set === 0 ? count0 : count1;
}

export function bucketBits(set: u32): u32 {
  return set === 0 ? bits0 : bits1;
}

export function bandAt(set: u32, band: u32): usize {
  return BANDS + <usize>set * BAND_SET_BYTES + ((<usize>band) << 4);
}

function setShape(set: u32, count: u32, bits: u32): void {
  if (set === 0) {
    count0 = count;
    bits0 = bits;
  } else {
    count1 = count;
    bits1 = bits;
  }
}

/** Lays out `count` bands over 256 bits and allocates their tables; false when memory is exhausted. */
export function createSet(set: u32, count: u32, bits: u32): bool {
  const tableBytes = (<usize>64) << bits;
  const wide: u32 = 256 % count;
  let offset: u32 = 0;
  const tables = allocateTable(tableBytes * <usize>count);
  if (tables === 0) return false;
  for (let band: u32 = 0; band < count; band++) {
    const width: u32 = 256 / count + (band < wide ? 1 : 0);
    const at = bandAt(set, band);
    store<u32>(at, <u32>(tables + tableBytes * <usize>band));
    store<u32>(at + 4, offset);
    store<u32>(at + 8, width);
    offset += width;
  }
  setShape(set, count, bits);
  return true;
}

export function forgetSet(set: u32): void {
  setShape(set, 0, 0);
}

export function resetLeftBehind(): void {
  leftBehind = 0;
}

/** Bits from the band's first on, of the wrapped hash at `hash`; at least 57 of them. */
export function bandBits(hash: usize, band: usize): u64 {
  const offset = load<u32>(band + 4);
  return load<u64>(hash + <usize>(offset >> 3)) >> <u64>(offset & 7);
}

function putEntry(line: usize, lane: u32, tag: u32, row: u32): void {
  store<u16>(line + ((<usize>lane) << 1), tag);
  const at = line + 28 + <usize>lane * 3;
  store<u16>(at, row);
  store<u8>(at + 2, row >>> 16);
}

export function rowIn(line: usize, lane: u32): u32 {
  return load<u32>(line + 27 + <usize>lane * 3) >>> 8;
}

/** Appends to a bucket without walking its chain; false when memory is exhausted. */
function insertEntry(head: usize, tag: u32, row: u32): bool {
  const header = load<u32>(head + 24);
  const count = header & 15;
  if (count < LINE_ENTRIES) {
    putEntry(head, count, tag, row);
    store<u32>(head + 24, header + 1);
    return true;
  }
  const next = header >>> 4;
  if (next !== 0) {
    const line = (<usize>next) << 6;
    const inner = load<u32>(line + 24);
    if ((inner & 15) < LINE_ENTRIES) {
      putEntry(line, inner & 15, tag, row);
      store<u32>(line + 24, inner + 1);
      return true;
    }
  }
  const fresh = allocateLine();
  if (fresh === 0) return false;
  putEntry(fresh, 0, tag, row);
  store<u32>(fresh + 24, (next << 4) | 1);
  store<u32>(head + 24, ((<u32>(fresh >> 6)) << 4) | LINE_ENTRIES);
  return true;
}

/** Reads the head of each bucket that the hash at ROW is in: done for several rows first, the misses overlap. */
export function touchBuckets(set: u32): u32 {
  const mask: u64 = ((<u64>1) << (<u64>bucketBits(set))) - 1;
  let sum: u32 = 0;
  for (let i: u32 = 0, n = bandCount(set); i < n; i++) {
    const band = bandAt(set, i);
    sum ^= load<u32>(<usize>load<u32>(band) + <usize>((bandBits(ROW, band) & mask) << 6));
  }
  return sum;
}

/** Enters the hash at ROW into every band of the set; false when memory is exhausted. */
export function insertRow(set: u32, row: u32): bool {
  const bits = bucketBits(set);
  const mask: u64 = ((<u64>1) << (<u64>bits)) - 1;
  let done = true;
  for (let i: u32 = 0, n = bandCount(set); i < n; i++) {
    const band = bandAt(set, i);
    const value = bandBits(ROW, band);
    const head = <usize>load<u32>(band) + <usize>((value & mask) << 6);
    if (!insertEntry(head, <u32>(value >> <u64>bits) & 0xffff, row)) done = false;
  }
  return done;
}

/** The lane of `row` in a line, or 12. */
function laneOf(line: usize, count: u32, row: u32): u32 {
  for (let lane: u32 = 0; lane < count; lane++) {
    if (rowIn(line, lane) === row) return lane;
  }
  return LINE_ENTRIES;
}

function removeEntry(head: usize, row: u32): bool {
  let previous: usize = 0;
  let line = head;
  for (let n: u32 = 0; n < MAX_REMOVE_LINES && line !== 0; n++) {
    const header = load<u32>(line + 24);
    const last = (header & 15) - 1;
    const lane = laneOf(line, header & 15, row);
    if (lane < LINE_ENTRIES) {
      putEntry(line, lane, load<u16>(line + ((<usize>last) << 1)), rowIn(line, last));
      store<u32>(line + 24, header - 1);
      if (last === 0 && previous !== 0) unlink(previous, line);
      return true;
    }
    previous = line;
    line = (<usize>(header >>> 4)) << 6;
  }
  return false;
}

function unlink(previous: usize, line: usize): void {
  const next = load<u32>(line + 24) & ~15;
  store<u32>(previous + 24, (load<u32>(previous + 24) & 15) | next);
  releaseLine(line);
}

/** Takes the row, whose hash is at ROW, out of every band of the set. */
export function removeRow(set: u32, row: u32): void {
  const bits = bucketBits(set);
  const mask: u64 = ((<u64>1) << (<u64>bits)) - 1;
  for (let i: u32 = 0, n = bandCount(set); i < n; i++) {
    const band = bandAt(set, i);
    const head = <usize>load<u32>(band) + <usize>((bandBits(ROW, band) & mask) << 6);
    if (!removeEntry(head, row)) leftBehind++;
  }
}

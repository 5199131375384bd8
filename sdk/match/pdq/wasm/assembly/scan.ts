/** The scan: first halves in order, second halves only where the first is within the distance. */

import { BLOCK_MASK, QUERY } from './layout';
import { consider, full, limit } from './results';
import { blockOf } from './rows';

/** Scans rows from `first`, a multiple of 4, to before `end`. */
export function scanRows(first: u32, end: u32): void {
  const q0 = load<u64>(QUERY);
  const q1 = load<u64>(QUERY, 8);
  const most = limit;
  while (first < end && !full) {
    const blockEnd = (first | BLOCK_MASK) + 1;
    const last = blockEnd < end ? blockEnd : end;
    scanBlock(blockOf(first), first, last, q0, q1, most);
    first = last;
  }
}

function half(at: usize, q0: u64, q1: u64): u32 {
  return <u32>(popcnt(load<u64>(at) ^ q0) + popcnt(load<u64>(at, 8) ^ q1));
}

function scanBlock(block: usize, first: u32, last: u32, q0: u64, q1: u64, most: u32): void {
  const quads = first + ((last - first) & ~3);
  let at = block + ((<usize>(first & BLOCK_MASK)) << 4);
  let row = first;
  for (; row < quads; row += 4, at += 64) {
    const a = half(at, q0, q1);
    const b = half(at + 16, q0, q1);
    const c = half(at + 32, q0, q1);
    const d = half(at + 48, q0, q1);
    if (<u32>(a <= most) | <u32>(b <= most) | <u32>(c <= most) | <u32>(d <= most)) {
      if (a <= most) consider(row, a);
      if (b <= most) consider(row + 1, b);
      if (c <= most) consider(row + 2, c);
      if (d <= most) consider(row + 3, d);
      if (full) return;
    }
  }
  for (; row < last; row++, at += 16) {
    const a = half(at, q0, q1);
    if (a <= most) consider(row, a);
  }
}

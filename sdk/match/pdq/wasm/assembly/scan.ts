/** The scan: first halves in order, second halves only where the first is within the distance. */

import { QUERY } from './layout';
import { consider, full, limit } from './results';
import { blockOf, rowLimit } from './rows';

export function scanRows(): void {
  const q0 = load<u64>(QUERY);
  const q1 = load<u64>(QUERY, 8);
  const most = limit;
  for (let first: u32 = 0; first < rowLimit && !full; first += 0x10000) {
    const left = rowLimit - first;
    scanBlock(blockOf(first), first, left < 0x10000 ? left : 0x10000, q0, q1, most);
  }
}

function half(at: usize, q0: u64, q1: u64): u32 {
  return <u32>(popcnt(load<u64>(at) ^ q0) + popcnt(load<u64>(at, 8) ^ q1));
}

function scanBlock(block: usize, first: u32, rows: u32, q0: u64, q1: u64, most: u32): void {
  const quads = rows & ~3;
  let at = block;
  let row: u32 = 0;
  for (; row < quads; row += 4, at += 64) {
    const a = half(at, q0, q1);
    const b = half(at + 16, q0, q1);
    const c = half(at + 32, q0, q1);
    const d = half(at + 48, q0, q1);
    if (<u32>(a <= most) | <u32>(b <= most) | <u32>(c <= most) | <u32>(d <= most)) {
      if (a <= most) consider(first + row, a);
      if (b <= most) consider(first + row + 1, b);
      if (c <= most) consider(first + row + 2, c);
      if (d <= most) consider(first + row + 3, d);
      if (full) return;
    }
  }
  for (; row < rows; row++, at += 16) {
    const a = half(at, q0, q1);
    if (a <= most) consider(first + row, a);
  }
}

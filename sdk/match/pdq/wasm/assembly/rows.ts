/** The hashes themselves, by row: two columns of 16 bytes, so that a scan reads the first alone. */

import {
  allocateLines,
  BLOCK_BYTES,
  BLOCK_HIGH,
  BLOCK_LIVE,
  BLOCK_MASK,
  BLOCK_SHIFT,
  BLOCKS,
  ROW,
} from './layout';

/** One more than the largest row ever stored. */
export let rowLimit: u32 = 0;
export let liveRows: u32 = 0;

export function blockOf(row: u32): usize {
  return <usize>load<u32>(BLOCKS + ((<usize>(row >>> BLOCK_SHIFT)) << 2));
}

export function isLive(row: u32): bool {
  if (row >= rowLimit) return false;
  const index = row & BLOCK_MASK;
  return ((load<u8>(blockOf(row) + BLOCK_LIVE + <usize>(index >> 3)) >> (index & 7)) & 1) !== 0;
}

function setLive(row: u32, live: u32): void {
  const index = row & BLOCK_MASK;
  const at = blockOf(row) + BLOCK_LIVE + <usize>(index >> 3);
  const bit: u32 = 1 << (index & 7);
  const value = <u32>load<u8>(at);
  store<u8>(at, live !== 0 ? value | bit : value & ~bit);
}

/** Makes room for `row`; false when memory is exhausted. */
export function reserveRow(row: u32): bool {
  while (rowLimit <= row) {
    const slot = BLOCKS + ((<usize>(rowLimit >>> BLOCK_SHIFT)) << 2);
    if ((rowLimit & BLOCK_MASK) === 0 && load<u32>(slot) === 0) {
      const block = allocateLines(BLOCK_BYTES);
      if (block === 0) return false;
      memory.fill(block + BLOCK_LIVE, 0, BLOCK_BYTES - BLOCK_LIVE);
      store<u32>(slot, <u32>block);
    }
    const end = (rowLimit | BLOCK_MASK) + 1;
    rowLimit = row + 1 < end ? row + 1 : end;
  }
  return true;
}

export function putRow(row: u32, hash: usize): void {
  const at = blockOf(row) + ((<usize>(row & BLOCK_MASK)) << 4);
  v128.store(at, v128.load(hash));
  v128.store(at + BLOCK_HIGH, v128.load(hash + 16));
  setLive(row, 1);
  liveRows++;
}

export function dropRow(row: u32): void {
  setLive(row, 0);
  liveRows--;
}

/** Copies the row's hash to ROW, wrapped. */
export function takeRow(row: u32): void {
  const at = blockOf(row) + ((<usize>(row & BLOCK_MASK)) << 4);
  v128.store(ROW, v128.load(at));
  v128.store(ROW + 16, v128.load(at + BLOCK_HIGH));
  store<u64>(ROW + 32, load<u64>(at));
}

/** What the host calls. Batches, queries and answers travel through the scratch areas of layout.ts. */

import { insertRow, leftBehind, removeRow, resetLeftBehind, touchBuckets } from './bands';
import { clearSet, startClearing } from './clear';
import { startHeads } from './heads';
import { BATCH_HASHES, BATCH_ROWS, memoryBytes, SINK } from './layout';
import { linesVisited, probeBands } from './probe';
import { finish, found, full, start } from './results';
import { dropRow, isLive, liveRows, putRow, reserveRow, rowLimit, takeRow } from './rows';
import { scanRows } from './scan';
import { bandCount, bucketBits, createSet } from './sets';

export { linesVisited, memoryBytes };

/** The set that serves; the other is being built, being cleared or empty. */
let active: u32 = 0;
/** Rows below this are in the set being built. */
let filled: u32 = 0;
let building: bool = false;

export function size(): u32 {
  return liveRows;
}

export function limitRow(): u32 {
  return rowLimit;
}

export function has(row: u32): bool {
  return isLive(row);
}

export function ghosts(): u32 {
  return leftBehind;
}

/** Bands that serve, in the low byte; their bucket bits in the next. */
export function shape(): u32 {
  return bandCount(active) | (bucketBits(active) << 8);
}

function removeOne(row: u32): u32 {
  if (!isLive(row)) return 0;
  takeRow(row);
  removeRow(active, row);
  if (building && row < filled) removeRow(1 - active, row);
  dropRow(row);
  return 1;
}

/** Rows whose buckets are touched before the first of them changes. */
const GROUP: u32 = 16;

function touchRow(row: u32): void {
  takeRow(row);
  let sum = touchBuckets(active);
  if (building && row < filled) sum ^= touchBuckets(1 - active);
  store<u32>(SINK, sum);
}

function batchRow(index: u32): u32 {
  return load<u32>(BATCH_ROWS + ((<usize>index) << 2));
}

/** Stores the hashes of batch rows `first` to `last`, not yet in any band; false when memory is exhausted. */
function storeRows(first: u32, last: u32): bool {
  for (let i = first; i < last; i++) {
    const row = batchRow(i);
    removeOne(row);
    if (!reserveRow(row)) return false;
    putRow(row, BATCH_HASHES + ((<usize>i) << 5));
    touchRow(row);
  }
  return true;
}

function enterRow(row: u32): bool {
  takeRow(row);
  let done = insertRow(active, row);
  if (building && row < filled) done = insertRow(1 - active, row) && done;
  if (!done) removeOne(row);
  return done;
}

/** Adds or replaces the first `count` rows of the batch, all different; false when memory is exhausted. */
export function addBatch(count: u32): bool {
  for (let first: u32 = 0; first < count; first += GROUP) {
    const last = first + GROUP < count ? first + GROUP : count;
    const stored = storeRows(first, last);
    for (let i = first; i < last; i++) {
      if (isLive(batchRow(i)) && !enterRow(batchRow(i))) return false;
    }
    if (!stored) return false;
  }
  return true;
}

/** Removes the first `count` rows of the batch; returns how many were there. */
export function removeBatch(count: u32): u32 {
  let removed: u32 = 0;
  for (let first: u32 = 0; first < count; first += GROUP) {
    const last = first + GROUP < count ? first + GROUP : count;
    for (let i = first; i < last; i++) {
      if (isLive(batchRow(i))) touchRow(batchRow(i));
    }
    for (let i = first; i < last; i++) removed += removeOne(batchRow(i));
  }
  return removed;
}

/** Starts building bands of another shape beside the serving ones; false when memory is exhausted. */
export function beginBuild(count: u32, bits: u32): bool {
  if (building || bandCount(1 - active) !== 0) return false;
  if (!createSet(1 - active, count, bits)) return false;
  startHeads(1 - active);
  building = true;
  filled = 0;
  return true;
}

/**
 * Builds or clears a little: at most `work` rows entered or buckets freed.
 * 0 nothing left · 1 more to do · 2 the new bands serve from now on · 3 memory is exhausted.
 */
export function step(work: u32): u32 {
  if (building) return fill(work);
  return bandCount(1 - active) !== 0 ? clearSet(1 - active, work) : 0;
}

function fill(work: u32): u32 {
  const end = rowLimit - filled < work ? rowLimit : filled + work;
  while (filled < end) {
    const last = filled + GROUP < end ? filled + GROUP : end;
    if (fillRows(1 - active, filled, last)) continue;
    endBuild();
    return 3;
  }
  if (filled < rowLimit) return 1;
  endBuild();
  active = 1 - active;
  resetLeftBehind();
  return 2;
}

/** Enters the live rows from `first` to `last`; false when memory is exhausted. */
function fillRows(set: u32, first: u32, last: u32): bool {
  for (let row = first; row < last; row++) {
    if (!isLive(row)) continue;
    takeRow(row);
    store<u32>(SINK, touchBuckets(set));
  }
  for (let row = first; row < last; row++) {
    filled = row + 1;
    if (!isLive(row)) continue;
    takeRow(row);
    if (!insertRow(set, row)) return false;
  }
  return true;
}

function endBuild(): void {
  building = false;
  startClearing();
}

/** Results of the last query: bit 31 set when more than the cap matched, bit 30 when probing was given up. */
function answer(scanned: u32): u32 {
  finish();
  return found | ((<u32>full) << 31) | (scanned << 30);
}

export function scan(maxDistance: u32, maxResults: u32): u32 {
  start(maxDistance, maxResults);
  scanRows(0, rowLimit);
  return answer(1);
}

/** Rows looked at before probing, at most, and the share of the index that they may be. */
const PREFIX: u32 = 1024;
/** One match in so many rows of the prefix: the scan fills the cap before probing would. */
const DENSE: u32 = 128;

export function search(maxDistance: u32, maxResults: u32, spare: u32): u32 {
  start(maxDistance, maxResults);
  const share = (rowLimit / PREFIX) & ~3;
  const prefix = share < PREFIX ? share : PREFIX;
  scanRows(0, prefix);
  if (full || (found > 1 && found * DENSE >= prefix)) {
    scanRows(prefix, rowLimit);
    return answer(0);
  }
  if (probeBands(active, spare)) return answer(0);
  scanRows(prefix, rowLimit);
  return answer(1);
}

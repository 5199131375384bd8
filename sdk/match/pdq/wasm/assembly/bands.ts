/**
 * Entries of a band set. A bucket is a chain of lines (lines.ts), all but the second as full as when they were
 * left: entries are added to the second, and one of it fills the place of an entry that is removed.
 */

import { linkBack, linkNext, obtainLine, occupyHead, returnLine, vacateHead } from './heads';
import { ROW } from './layout';
import { capacityOf, headerOf, LINE_ENTRIES, laneOf, lineOf, putEntry, refOf, rowIn, tagIn } from './lines';
import { bandAt, bandBits, bandCount, bucketBits } from './sets';

/** Lines walked to remove an entry; beyond that the entry stays and leads to a row that no longer matches. */
const MAX_REMOVE_LINES: u32 = 64;

/** Entries that were left behind since the active set was built. */
export let leftBehind: u32 = 0;

export function resetLeftBehind(): void {
  leftBehind = 0;
}

function append(ref: u32, tag: u32, row: u32): void {
  const at = headerOf(ref);
  const header = load<u32>(at);
  putEntry(lineOf(ref), header & 15, tag, row);
  store<u32>(at, header + 1);
}

/** Appends to a bucket without walking its chain; false when memory is exhausted. */
function insertEntry(set: u32, head: usize, tag: u32, row: u32): bool {
  const first = refOf(head);
  const header = load<u32>(head + 24);
  if (header === 0 && !occupyHead(set, head)) return false;
  if ((header & 15) < LINE_ENTRIES) {
    append(first, tag, row);
    return true;
  }
  const second = header >>> 4;
  if (second !== 0 && (load<u32>(headerOf(second)) & 15) < capacityOf(second)) {
    append(second, tag, row);
    return true;
  }
  const fresh = obtainLine(set);
  if (fresh === 0) return false;
  store<u32>(headerOf(fresh), second << 4);
  append(fresh, tag, row);
  linkNext(first, fresh);
  linkBack(fresh, first);
  linkBack(second, fresh);
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
    if (!insertEntry(set, head, <u32>(value >> <u64>bits) & 0xffff, row)) done = false;
  }
  return done;
}

function removeEntry(set: u32, head: usize, row: u32): bool {
  let ref = refOf(head);
  for (let n: u32 = 0; n < MAX_REMOVE_LINES && ref !== 0; n++) {
    const header = load<u32>(headerOf(ref));
    const lane = laneOf(lineOf(ref), header & 15, row);
    if (lane < LINE_ENTRIES) {
      refill(set, head, lineOf(ref), lane);
      return true;
    }
    ref = header >>> 4;
  }
  return false;
}

/** Moves the last entry of the second line, or of the only one, to a lane whose entry goes. */
function refill(set: u32, head: usize, line: usize, lane: u32): void {
  const first = refOf(head);
  const second = load<u32>(head + 24) >>> 4;
  const donor = second !== 0 ? second : first;
  const header = load<u32>(headerOf(donor)) - 1;
  const last = header & 15;
  putEntry(line, lane, tagIn(lineOf(donor), last), rowIn(lineOf(donor), last));
  store<u32>(headerOf(donor), header);
  if (last !== 0) return;
  if (second === 0) {
    vacateHead(set, head);
    return;
  }
  linkNext(first, header >>> 4);
  linkBack(header >>> 4, first);
  returnLine(set, second);
}

/** Takes the row, whose hash is at ROW, out of every band of the set. */
export function removeRow(set: u32, row: u32): void {
  const bits = bucketBits(set);
  const mask: u64 = ((<u64>1) << (<u64>bits)) - 1;
  for (let i: u32 = 0, n = bandCount(set); i < n; i++) {
    const band = bandAt(set, i);
    const head = <usize>load<u32>(band) + <usize>((bandBits(ROW, band) & mask) << 6);
    if (!removeEntry(set, head, row)) leftBehind++;
  }
}

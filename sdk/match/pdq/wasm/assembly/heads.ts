/**
 * Heads that no hash falls into. On skewed data they are most of a set's tables while other buckets need many
 * lines, so they are lent out as lines, and taken back when their own bucket gets an entry.
 */

import { allocateLines, releaseLine, reuseLine, SETS } from './layout';
import { backOf, headerOf, isLent, lentRefOf, lineOf, refOf } from './lines';
import { bandAt, bandCount, bucketBits } from './sets';

/** Heads are lent while more than 1 in so many is vacant: where hashes spread evenly, none ever is. */
const LEAST_VACANT: u32 = 16;
/** Heads looked at for a vacant one. */
const MAX_LOOKED_AT: u32 = 32;

function vacantAt(set: u32): usize {
  return SETS + ((<usize>set) << 4) + 8;
}

function cursorAt(set: u32): usize {
  return SETS + ((<usize>set) << 4) + 12;
}

/** All heads of a new set are vacant. */
export function startHeads(set: u32): void {
  store<u32>(vacantAt(set), bandCount(set) << bucketBits(set));
  store<u32>(cursorAt(set), 0);
}

/** Reference of a line without entries for a bucket of the set, or 0 when memory is exhausted. */
export function obtainLine(set: u32): u32 {
  const freed = reuseLine();
  if (freed !== 0) return refOf(freed);
  const lent = lendHead(set);
  return lent !== 0 ? lent : refOf(allocateLines(64));
}

function lendHead(set: u32): u32 {
  const heads = bandCount(set) << bucketBits(set);
  const vacant = load<u32>(vacantAt(set));
  if (vacant * LEAST_VACANT <= heads) return 0;
  const table = <usize>load<u32>(bandAt(set, 0));
  let cursor = load<u32>(cursorAt(set));
  let lent: u32 = 0;
  for (let i: u32 = 0; i < MAX_LOOKED_AT && lent === 0; i++) {
    const head = table + ((<usize>cursor) << 6);
    if (load<u64>(head + 20) === 0) lent = lentRefOf(head);
    cursor = cursor + 1 === heads ? 0 : cursor + 1;
  }
  store<u32>(cursorAt(set), cursor);
  if (lent !== 0) store<u32>(vacantAt(set), vacant - 1);
  return lent;
}

/** The bucket of this head has no entry left. */
export function vacateHead(set: u32, head: usize): void {
  store<u64>(head + 20, 0);
  store<u32>(vacantAt(set), load<u32>(vacantAt(set)) + 1);
}

/** Gives back a line that is in no bucket any more. */
export function returnLine(set: u32, ref: u32): void {
  if (isLent(ref)) vacateHead(set, lineOf(ref));
  else releaseLine(lineOf(ref));
}

/** Readies an empty head for the first entry of its bucket; false when memory is exhausted. */
export function occupyHead(set: u32, head: usize): bool {
  if (load<u32>(head + 20) !== 0) return moveLent(set, lentRefOf(head));
  store<u32>(vacantAt(set), load<u32>(vacantAt(set)) - 1);
  return true;
}

/** Moves what a lent head holds for another bucket to another line. */
function moveLent(set: u32, from: u32): bool {
  const to = obtainLine(set);
  if (to === 0) return false;
  const header = load<u32>(headerOf(from));
  const before = load<u32>(backOf(from));
  memory.copy(lineOf(to), lineOf(from), 64);
  store<u32>(headerOf(to), header);
  linkNext(before, to);
  linkBack(header >>> 4, to);
  return true;
}

/** Makes `next` the successor of the line `ref`. */
export function linkNext(ref: u32, next: u32): void {
  const at = headerOf(ref);
  store<u32>(at, (load<u32>(at) & 15) | (next << 4));
}

/** Makes `before` the predecessor of the line `ref`, where that is kept; `ref` may be 0. */
export function linkBack(ref: u32, before: u32): void {
  if (isLent(ref)) store<u32>(backOf(ref), before);
}

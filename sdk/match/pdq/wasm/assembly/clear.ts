/** Frees a set that serves no longer, a little at a time. */

import { releaseLine, releaseTable } from './layout';
import { headerOf, isLent, lineOf } from './lines';
import { bandAt, bandCount, bucketBits, forgetSet } from './sets';

/** Position in the set being cleared: heads before it are zero, the next is partly unchained. */
let cursor: u32 = 0;

export function startClearing(): void {
  cursor = 0;
}

/** Frees the overflow lines of the set, then its tables: at most `work` lines; 1 when there is more to do, or 0. */
export function clearSet(set: u32, work: u32): u32 {
  const table = <usize>load<u32>(bandAt(set, 0));
  const heads = bandCount(set) << bucketBits(set);
  while (cursor < heads) {
    const left = clearBucket(table + ((<usize>cursor) << 6), work);
    if (left === 0) return 1;
    work = left - 1;
    cursor++;
  }
  releaseTable(table, (<usize>heads) << 6);
  forgetSet(set);
  return 0;
}

/** Frees a bucket's lines; returns what is left of `work`, 0 if that did not suffice for the head too. */
function clearBucket(head: usize, work: u32): u32 {
  let next = load<u32>(head + 24) >>> 4;
  for (; next !== 0 && work !== 0; work--) {
    const ref = next;
    next = load<u32>(headerOf(ref)) >>> 4;
    if (!isLent(ref)) releaseLine(lineOf(ref));
  }
  if (work === 0) store<u32>(head + 24, next << 4);
  else store<u64>(head + 20, 0);
  return work;
}

/**
 * Multi-index hashing. With Σ(rᵢ + 1) = d + 1 over the bands, every hash within d has a band i that is within rᵢ
 * *and* that together with the next band is within rᵢ + rᵢ₊₁ + 1 (cycle lemma on dᵢ − rᵢ − 1, whose sum is
 * negative). The first condition chooses buckets, the second is checked on tags, 12 at a time.
 * Loops keep no branch on loaded data, so that the processor overlaps the cache misses.
 */

import { BALLS, BLOCK_MASK, CANDIDATES, HITS, MASKS, QUERY, QUEUE, RADII, SINK } from './layout';
import { headerOf, lineOf, rowIn } from './lines';
import { consider, full, limit } from './results';
import { blockOf } from './rows';
import { bandAt, bandBits, bandCount, bucketBits } from './sets';

/** Lines between two flushes: few enough to stay in the nearest cache from touch to visit. */
const CHUNK: u32 = 256;

/** A generation of overflow lines waits for the one before: it costs no less than so many lines. */
const LATENCY: u32 = 2;

/** Lines and candidates of this query, and how many it may have before a scan is cheaper. */
let visited: u32 = 0;
let budget: u32 = 0;
let hitsEnd: usize = HITS;
let queueEnd: usize = QUEUE;

/** All ones in each of 8 lanes whose tag is farther than the bound. */
function beyond(at: usize, tag: v128, most: v128): v128 {
  return i16x8.gt_s(i16x8.extadd_pairwise_i8x16_u(i8x16.popcnt(v128.xor(v128.load(at), tag))), most);
}

/** The lanes of a line within the bound; the four past the tags fall to the count in the header. */
function passing(line: usize, tag: v128, bound: u32, header: u32): u32 {
  const most = i16x8.splat(<i16>bound);
  const far = i8x16.narrow_i16x8_s(beyond(line, tag, most), beyond(line + 16, tag, most));
  return ~(<u32>i8x16.bitmask(far)) & ((1 << (header & 15)) - 1);
}

/** Looks at the hashes of what passed, unless a scan will do so anyway. */
function flushHits(): void {
  let end = CANDIDATES;
  for (let at = HITS; at < hitsEnd; at += 8) {
    const line = <usize>load<u32>(at);
    for (let lanes = load<u32>(at + 4); lanes !== 0; lanes &= lanes - 1) {
      store<u32>(end, rowIn(line, <u32>ctz(lanes)));
      end += 4;
    }
  }
  hitsEnd = HITS;
  visited += <u32>((end - CANDIDATES) >> 2);
  if (visited > budget) return;
  const q0 = load<u64>(QUERY);
  const q1 = load<u64>(QUERY, 8);
  const most = limit;
  for (let at = CANDIDATES; at < end; at += 4) {
    const row = load<u32>(at);
    const first = blockOf(row) + ((<usize>(row & BLOCK_MASK)) << 4);
    const low = <u32>(popcnt(load<u64>(first) ^ q0) + popcnt(load<u64>(first, 8) ^ q1));
    if (low <= most) consider(row, low);
  }
}

/** Reads a word of each probed line, so that their cache misses overlap. */
function touchProbes(table: usize, key: u32, first: u32, last: u32): void {
  let sum: u32 = 0;
  for (let k = first; k < last; k++) {
    const mask = load<u32>(MASKS + ((<usize>k) << 2)) & 0xffffff;
    sum ^= load<u32>(table + ((<usize>(key ^ mask)) << 6));
  }
  store<u32>(SINK, sum);
}

function touchQueue(end: usize): void {
  let sum: u32 = 0;
  for (let at = QUEUE; at < end; at += 8) sum ^= load<u32>(lineOf(load<u32>(at)));
  store<u32>(SINK, sum);
}

/** Filters lines: those with a lane that passes go to HITS, their successors to the queue. */
function visitProbes(table: usize, key: u32, first: u32, last: u32, tag: v128, bound: u32): void {
  let hits = HITS;
  let queue = QUEUE;
  for (let k = first; k < last; k++) {
    const probe = load<u32>(MASKS + ((<usize>k) << 2));
    const line = table + ((<usize>(key ^ (probe & 0xffffff))) << 6);
    const most = bound - (probe >>> 24);
    const header = load<u32>(line + 24);
    const lanes = passing(line, tag, most, header);
    store<u32>(hits, <u32>line);
    store<u32>(hits + 4, lanes);
    hits += <usize>((<u32>(lanes !== 0)) << 3);
    store<u32>(queue, header >>> 4);
    store<u32>(queue + 4, most);
    queue += <usize>((<u32>(header > 15)) << 3);
  }
  hitsEnd = hits;
  queueEnd = queue;
}

/** The same for queued lines; the queue shrinks in place. */
function visitQueue(end: usize, tag: v128): void {
  let hits = HITS;
  let queue = QUEUE;
  for (let at = QUEUE; at < end; at += 8) {
    const ref = load<u32>(at);
    const line = lineOf(ref);
    const most = load<u32>(at + 4);
    const header = load<u32>(headerOf(ref));
    const lanes = passing(line, tag, most, header);
    store<u32>(hits, <u32>line);
    store<u32>(hits + 4, lanes);
    hits += <usize>((<u32>(lanes !== 0)) << 3);
    store<u32>(queue, header >>> 4);
    store<u32>(queue + 4, most);
    queue += <usize>((<u32>(header > 15)) << 3);
  }
  hitsEnd = hits;
  queueEnd = queue;
}

/** Visits the queued overflow lines, a generation at a time. */
function drainQueue(tag: v128): void {
  while (queueEnd > QUEUE && !full && visited <= budget) {
    const end = queueEnd;
    const lines = <u32>((end - QUEUE) >> 3);
    visited += lines < LATENCY ? LATENCY : lines;
    touchQueue(end);
    visitQueue(end, tag);
    flushHits();
  }
}

function probeBand(set: u32, index: u32, radius: u32, bound: u32): void {
  const band = bandAt(set, index);
  const table = <usize>load<u32>(band);
  const bits = <u64>bucketBits(set);
  const value = bandBits(QUERY, band);
  const key = <u32>(value & (((<u64>1) << bits) - 1));
  const tag = i16x8.splat(<i16>(value >> bits));
  const probes = load<u32>(BALLS + ((<usize>radius) << 2));
  for (let first: u32 = 0; first < probes && !full && visited <= budget; first += CHUNK) {
    const last = first + CHUNK < probes ? first + CHUNK : probes;
    touchProbes(table, key, first, last);
    visitProbes(table, key, first, last, tag, bound);
    visited += last - first;
    flushHits();
    drainQueue(tag);
  }
}

/**
 * Probes every band; false if it gave up because a scan is cheaper. RADII is filled. Lines and candidates may
 * exceed what even buckets would cost, summed over the bands so far, by `spare`.
 */
export function probeBands(set: u32, spare: u32): bool {
  visited = 0;
  budget = spare;
  for (let i: u32 = 0, n = bandCount(set); i < n && !full; i++) {
    const plan = RADII + ((<usize>i) << 4);
    const reach = load<u32>(plan);
    budget += load<u32>(plan, 8);
    if (reach !== 0) probeBand(set, i, reach - 1, load<u32>(plan, 4));
    if (visited > budget) return full;
  }
  return true;
}

export function linesVisited(): u32 {
  return visited;
}

/** Which bands an index of n hashes gets, and which radii a distance needs: pure arithmetic. */

import { HASH_BYTES } from './limits.js';

/** `count` bands over 256 bits, each with a table of 2^bits buckets; no bands means scanning. */
export interface BandPlan {
  readonly count: number;
  readonly bits: number;
}

export const NO_BANDS: BandPlan = { count: 0, bits: 0 };

const HASH_BITS = 8 * HASH_BYTES;
const TAG_BITS = 16;
const LINE_ENTRIES = 12;
const LINE_BYTES = 64;
/** Below this many hashes a scan is as fast as bands. */
const MIN_BANDED = 4_096;
/** Bytes a hash that an index may take, all in, however its hashes are spread. */
const BYTES_PER_HASH = 130;
/** Bytes of a row: its hash and two bits of state. */
const ROW_BYTES = HASH_BYTES + 1 / 4;
/** Bytes that an index takes besides: scratch areas and half of the last row block (wasm/assembly/layout.ts). */
const FIXED_BYTES = 0x36000 + 0x20400;
/** With fewer hashes than this, what is fixed is not made up for by fewer bands. */
const SMALL = 65_536;
/** Share of the memory that is in reserve. */
const RESERVE = 1 / 256;
/** Lines a bucket that stay empty in part, in all, on the most uneven data measured; half a line is usual. */
const UNEVEN_WASTE = 0.65;
/** From this many hashes on a plan counts on even buckets, since probing more of them costs too much time. */
const LARGE = 2 ** 22;
/** Probes that the mask area holds. */
export const MAX_PROBES = 32_768;
/** Cost of a line that is reached through another, in lines reached directly: its miss overlaps less. */
const CHAINED_COST = 3;
/** Cost of a candidate in lines: one more cache miss for some of them. */
const CANDIDATE_COST = 0.7;

/** Lines that a bucket of Poisson(mean) entries takes, expected. */
export function linesPerBucket(mean: number): number {
  if (mean > 200) return mean / LINE_ENTRIES + 0.5;
  let probability = Math.exp(-mean);
  let sum = 0;
  const end = Math.ceil(mean + 10 * Math.sqrt(mean) + 10);
  for (let k = 0; k <= end; k++) {
    sum += probability * Math.max(1, Math.ceil(k / LINE_ENTRIES));
    probability *= mean / (k + 1);
  }
  return sum;
}

/** Numbers of keys of `bits` bits within each radius 0, 1, … while they fit the mask area. */
export function ballSizes(bits: number): number[] {
  const sizes: number[] = [];
  let ring = 1;
  let sum = 0;
  for (let radius = 0; radius <= bits; radius++) {
    sum += ring;
    if (sum > MAX_PROBES) break;
    sizes.push(sum);
    ring = (ring * (bits - radius)) / (radius + 1);
  }
  return sizes;
}

/** Per band, radius + 1: they sum to distance + 1, so one band at least is within its radius. */
export function reaches(count: number, distance: number): number[] {
  const base = Math.floor((distance + 1) / count);
  const extra = (distance + 1) % count;
  return Array.from({ length: count }, (_, i) => base + (i < extra ? 1 : 0));
}

/** Bound on bucket and tag distance together (cycle lemma, wasm/assembly/probe.ts). */
export function boundOf(plan: BandPlan, reach: readonly number[], band: number): number {
  const own = reach[band]!;
  const width = Math.floor(HASH_BITS / plan.count) + (band < HASH_BITS % plan.count ? 1 : 0);
  return width - plan.bits >= TAG_BITS ? own - 1 : own + reach[(band + 1) % plan.count]! - 1;
}

/** First lines that a query visits, or Infinity where a radius is beyond the mask area. */
export function probesOf(plan: BandPlan, balls: readonly number[], distance: number): number {
  let sum = 0;
  for (const reach of reaches(plan.count, distance)) {
    if (reach > 0) sum += balls[reach - 1] ?? Number.POSITIVE_INFINITY;
  }
  return sum;
}

/** Share of random 16-bit tags within `bound`. */
function tagShare(bound: number): number {
  let ring = 1;
  let sum = 0;
  for (let k = 0; k <= Math.min(bound, TAG_BITS); k++) {
    sum += ring;
    ring = (ring * (TAG_BITS - k)) / (k + 1);
  }
  return sum / 2 ** TAG_BITS;
}

/** Candidates that a query at `reach` meets in one band of evenly filled buckets. */
function candidatesIn(plan: BandPlan, mean: number, reach: readonly number[], band: number): number {
  const bound = boundOf(plan, reach, band);
  let ring = 1;
  let sum = 0;
  for (let weight = 0; weight < reach[band]!; weight++) {
    sum += ring * mean * tagShare(bound - weight);
    ring = (ring * (plan.bits - weight)) / (weight + 1);
  }
  return sum;
}

/** Lines and candidates that a query at `reach` meets in each band of evenly filled buckets. */
export function expectedWork(plan: BandPlan, hashes: number, reach: readonly number[]): number[] {
  const mean = hashes / 2 ** plan.bits;
  const balls = ballSizes(plan.bits);
  const lines = linesPerBucket(mean);
  return reach.map((own, band) => {
    if (own === 0) return 0;
    return (balls[own - 1] ?? Number.POSITIVE_INFINITY) * lines + candidatesIn(plan, mean, reach, band);
  });
}

function costOf(plan: BandPlan, hashes: number, distance: number): number {
  const mean = hashes / 2 ** plan.bits;
  const reach = reaches(plan.count, distance);
  const chained = CHAINED_COST * (linesPerBucket(mean) - 1);
  const lines = probesOf(plan, ballSizes(plan.bits), distance) * (1 + chained);
  return reach.reduce((sum, _, band) => sum + CANDIDATE_COST * candidatesIn(plan, mean, reach, band), lines);
}

/** Bytes a hash, all in, on the worst data below LARGE, else on even data: empty heads are lent as lines. */
export function bytesOf(plan: BandPlan, hashes: number): number {
  const mean = hashes / 2 ** plan.bits;
  const waste = hashes < LARGE ? UNEVEN_WASTE : 0;
  const lines = Math.max(linesPerBucket(mean), mean / LINE_ENTRIES + waste);
  const bands = (plan.count * LINE_BYTES * lines) / mean;
  return (ROW_BYTES + FIXED_BYTES / Math.max(hashes, SMALL) + bands) * (1 + RESERVE);
}

/** The cheapest plan for queries at `distance` among those that keep to the bytes a hash may take. */
export function planBands(hashes: number, distance: number): BandPlan {
  let best = NO_BANDS;
  if (hashes < MIN_BANDED) return best;
  let least = Number.POSITIVE_INFINITY;
  for (let count = 8; count <= 16; count++) {
    for (let bits = 6; bits <= Math.min(22, Math.floor(HASH_BITS / count)); bits++) {
      const plan = { count, bits };
      if (bytesOf(plan, hashes) > BYTES_PER_HASH) continue;
      const cost = costOf(plan, hashes, distance);
      if (cost < least) {
        least = cost;
        best = plan;
      }
    }
  }
  return best;
}

/** Bucket masks by rising weight, each with its weight in the top byte. */
export function bucketMasks(bits: number): Uint32Array {
  const balls = ballSizes(bits);
  const masks = new Uint32Array(balls.at(-1)!);
  let at = 1;
  for (let weight = 1; weight < balls.length; weight++) {
    let mask = 2 ** weight - 1;
    for (; at < balls[weight]!; at++) {
      masks[at] = mask | (weight << 24);
      const low = mask & -mask;
      const carried = mask + low;
      mask = carried | (((mask ^ carried) / low) >>> 2);
    }
  }
  return masks;
}

/** Keeps the plan in use, its masks and the radii of the last distance in step with the WebAssembly instance. */

import { MATCH_DISTANCE } from './limits.js';
import type { PdqMemory } from './memory.js';
import {
  type BandPlan,
  ballSizes,
  boundOf,
  bucketMasks,
  linesPerBucket,
  NO_BANDS,
  planBands,
  probesOf,
  reaches,
} from './plan.js';

/** Hashes scanned in the time of one line, measured on one machine from 10⁵ to 10⁷ hashes. */
const SCANNED_PER_LINE = 8;
/** Lines beyond the expected ones that a query may visit before it scans: at most 1/50 of the scan's time. */
const SPARE_SHARE = 1 / (50 * SCANNED_PER_LINE);
/** A plan is kept while the size stays within this factor of what it was made for. */
const TOLERANCE = 2;
/** Share of entries left behind at which bands are built anew. */
const MAX_GHOST_SHARE = 1 / 4;

export class PdqProbes {
  plan: BandPlan = NO_BANDS;
  readonly #memory: PdqMemory;
  #balls: number[] = [];
  #distance = -1;
  #probes = 0;
  #plannedFor = 0;
  #nextFor = 0;

  constructor(memory: PdqMemory) {
    this.#memory = memory;
  }

  /** True when `better` may have something: cheap enough to ask after every change. */
  outgrown(size: number, ghosts: number): boolean {
    return (
      size > TOLERANCE * Math.max(this.#plannedFor, 2048) ||
      size * TOLERANCE * 4 < this.#plannedFor ||
      ghosts > Math.max(4096, size * this.plan.count * MAX_GHOST_SHARE)
    );
  }

  /** The plan to build now, if the one in use does not fit. */
  better(size: number, ghosts: number): BandPlan | undefined {
    if (!this.outgrown(size, ghosts)) return undefined;
    this.#nextFor = size;
    const plan = planBands(size, MATCH_DISTANCE);
    if (plan.count === 0) return undefined;
    return plan;
  }

  /** The bands built last serve from now on. */
  adopt(shape: number): void {
    this.plan = { count: shape & 255, bits: (shape >>> 8) & 255 };
    this.#plannedFor = this.#nextFor;
    this.#balls = ballSizes(this.plan.bits);
    this.#memory.setMasks(bucketMasks(this.plan.bits), this.#balls);
    this.#distance = -1;
  }

  /** Sets the radii; returns the lines that a query may visit, 0 if a scan is the better way from the start. */
  prepare(distance: number, size: number): number {
    if (this.plan.count === 0) return 0;
    if (distance !== this.#distance) this.#setDistance(distance);
    const expected = this.#probes * linesPerBucketCached(size / 2 ** this.plan.bits);
    if (expected * SCANNED_PER_LINE > size) return 0;
    return Math.ceil(expected * 1.1 + size * SPARE_SHARE);
  }

  #setDistance(distance: number): void {
    const reach = reaches(this.plan.count, distance);
    const pairs = reach.flatMap((own, band) => [own, own === 0 ? 0 : boundOf(this.plan, reach, band)]);
    this.#probes = probesOf(this.plan, this.#balls, distance);
    if (Number.isFinite(this.#probes)) this.#memory.setRadii(pairs);
    this.#distance = distance;
  }
}

let cachedMean = -1;
let cachedLines = 1;

/** The mean moves slowly: recomputed when it has moved by a hundredth. */
function linesPerBucketCached(mean: number): number {
  if (Math.abs(mean - cachedMean) > cachedMean / 100) {
    cachedMean = mean;
    cachedLines = linesPerBucket(mean);
  }
  return cachedLines;
}

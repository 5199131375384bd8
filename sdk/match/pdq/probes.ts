/** Keeps the plan in use, its masks and the radii of the last distance in step with the WebAssembly instance. */

import { MATCH_DISTANCE } from './limits.js';
import type { PdqMemory } from './memory.js';
import {
  type BandPlan,
  ballSizes,
  boundOf,
  bucketMasks,
  expectedWork,
  NO_BANDS,
  planBands,
  reaches,
} from './plan.js';
import { Purse } from './purse.js';

/** Hashes scanned in the time of one line or candidate, measured from 10⁵ to 10⁷ hashes. */
const SCANNED_PER_LINE = 16;
/** Expected work is exceeded by chance: this much is still as expected. */
const CHANCE = 1.15;
/** A plan is kept while the size stays within this factor of what it was made for. */
const TOLERANCE = 2;
/** Share of entries left behind at which bands are built anew. */
const MAX_GHOST_SHARE = 1 / 4;

export class PdqProbes {
  plan: BandPlan = NO_BANDS;
  readonly #memory: PdqMemory;
  #distance = -1;
  #size = 0;
  #work = 0;
  #purse = new Purse();
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

  /** There is no memory for other bands: those in use stay until the size has doubled again. */
  keep(size: number): void {
    this.#plannedFor = size;
  }

  /** The bands built last serve from now on. */
  adopt(shape: number): void {
    this.plan = { count: shape & 255, bits: (shape >>> 8) & 255 };
    this.#plannedFor = this.#nextFor;
    this.#memory.setMasks(bucketMasks(this.plan.bits), ballSizes(this.plan.bits));
    this.#distance = -1;
    this.#purse = new Purse();
  }

  /** Sets the radii; returns the work that a query may do beyond the expected, 0 if it should scan at once. */
  prepare(distance: number, size: number): number {
    if (this.plan.count === 0) return 0;
    if (distance !== this.#distance || Math.abs(size - this.#size) * 64 > size) {
      this.#setDistance(distance, size);
    }
    if (this.#work * SCANNED_PER_LINE > size) return 0;
    return this.#purse.offer(size / SCANNED_PER_LINE, this.#work);
  }

  /** Tells how the last probing query ended and what it did; truncated ones teach nothing. */
  learn(gaveUp: boolean, work: number): void {
    this.#purse.settle(gaveUp, work);
  }

  #setDistance(distance: number, size: number): void {
    const reach = reaches(this.plan.count, distance);
    const work = expectedWork(this.plan, size, reach);
    this.#work = work.reduce((sum, one) => sum + one, 0);
    this.#distance = distance;
    this.#size = size;
    if (!Number.isFinite(this.#work)) return;
    this.#memory.setRadii(
      reach.flatMap((own, band) => [
        own,
        own === 0 ? 0 : boundOf(this.plan, reach, band),
        Math.ceil(work[band]! * CHANCE),
        0,
      ]),
    );
  }
}

import type { SealLeaf } from './leaf.js';
import { DIGEST_ALG_SHA256, NO_PREVIOUS_SEAL } from './leaf.js';
import { MAX_BUCKET_BITS, MAX_U53 } from './limits.js';

/** What the well-formed SEALs so far fix for the next one, matching or not (docs/spec/list-format.md §4). */
export interface SealChain {
  /** Well-formed SEALs so far. */
  readonly count: number;
  /** The nearest one, or `NO_PREVIOUS_SEAL`. */
  readonly prevIndex: number;
  /** The greatest time_ms of any of them; 0 before the first. */
  readonly maxTimeMs: number;
  /** bucket_bits of the first whose value is 0–16; -1 before. */
  readonly bucketBits: number;
}

export const NO_SEALS: SealChain = {
  count: 0,
  prevIndex: NO_PREVIOUS_SEAL,
  maxTimeMs: 0,
  bucketBits: -1,
};

export function chainAfter(chain: SealChain, seal: SealLeaf, index: number): SealChain {
  const fixes = chain.bucketBits < 0 && seal.bucketBits <= MAX_BUCKET_BITS;
  return {
    count: chain.count + 1,
    prevIndex: index,
    maxTimeMs: Math.max(chain.maxTimeMs, seal.timeMs),
    bucketBits: fixes ? seal.bucketBits : chain.bucketBits,
  };
}

/** Whether a SEAL is not older than any before it. */
export function inTimeOrder(chain: SealChain, seal: SealLeaf): boolean {
  return seal.timeMs >= chain.maxTimeMs && seal.timeMs < MAX_U53;
}

/** Whether every field but set_count and set_digest is right. `events` logs carry zeros. */
export function chainFits(chain: SealChain, seal: SealLeaf, events: boolean): boolean {
  const bits = chain.bucketBits < 0 ? seal.bucketBits : chain.bucketBits;
  return (
    seal.batchNo === chain.count + 1 &&
    seal.prevSealIndex === chain.prevIndex &&
    inTimeOrder(chain, seal) &&
    seal.digestAlg === DIGEST_ALG_SHA256 &&
    seal.bucketBits === bits &&
    seal.bucketBits <= (events ? 0 : MAX_BUCKET_BITS)
  );
}

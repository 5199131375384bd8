/** Hashes for the benchmarks of the perceptual index: seeded, so that two runs see the same data. */

import { flip } from '../unit/pdq/sets.js';

export const BYTES = 32;

/** sfc32: small, fast and without the patterns of a linear generator. */
export function random32(seed: number): () => number {
  let a = 0;
  let b = seed | 0;
  let c = 1;
  let d = 1;
  return () => {
    const t = (a + b + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    return t >>> 0;
  };
}

export function uniform(count: number, seed: number): Uint8Array {
  const words = new Uint32Array(count * 8);
  const next = random32(seed);
  for (let i = 0; i < words.length; i++) words[i] = next();
  return new Uint8Array(words.buffer);
}

function families(size: number, spread: number) {
  return (count: number, seed: number): Uint8Array => {
    const out = uniform(count, seed);
    const next = random32(seed + 1);
    for (let i = 0; i < count; i++) {
      if (i % size === 0) continue;
      const first = (i - (i % size)) * BYTES;
      out.copyWithin(i * BYTES, first, first + BYTES);
      flip(out, i * BYTES, next() % (spread + 1), next);
    }
    return out;
  };
}

function masked(change: (byte: number, index: number) => number) {
  return (count: number, seed: number) => uniform(count, seed).map((byte, i) => change(byte, i % BYTES));
}

/** Clustered and degenerate sets: families as lists have them, and what breaks buckets. */
export const CLUSTERED: Record<string, (count: number, seed: number) => Uint8Array> = {
  'families-of-100': families(100, 31),
  'families-of-1000': families(1000, 31),
  'families-of-10000': families(10_000, 31),
  'wide-families-of-10000': families(10_000, 80),
  'one-family': families(1e9, 31),
  'one-wide-family': families(1e9, 120),
  'families-of-900-identical': families(900, 0),
  identical: families(1e9, 0),
  'all-zero-bands': masked((byte, i) => (i < 8 ? 0 : byte)),
  'constant-bytes': masked((byte, i) => (i % 4 === 0 ? 0 : i % 4 === 1 ? 255 : byte)),
  'low-entropy': masked((byte) => byte & 0x33),
  'few-bits-set': masked((byte) => byte & (byte << 1) & (byte >> 2)),
};

/** Half strangers, half members with up to 39 flips. */
export function queries(hashes: Uint8Array, count: number, seed: number): Uint8Array[] {
  const next = random32(seed);
  const strangers = uniform(count, seed + 1);
  return Array.from({ length: count }, (_, i) => {
    if (i % 2 === 0) return strangers.slice(i * BYTES, (i + 1) * BYTES);
    const at = (next() % (hashes.length / BYTES)) * BYTES;
    const query = hashes.slice(at, at + BYTES);
    flip(query, 0, next() % 40, next);
    return query;
  });
}

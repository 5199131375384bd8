/** Data sets for the perceptual index, harmless to friendly: what real lists look like and what breaks buckets. */

import { lcg } from './patterns.js';

export const BYTES = 32;

export type HashSet = (count: number, seed: number) => Uint8Array;

function randomBytes(bytes: number, seed: number): Uint8Array {
  const next = lcg(seed);
  const out = new Uint8Array(bytes);
  for (let i = 0; i < bytes; i++) out[i] = next() >>> 24;
  return out;
}

/** Flips `count` bits, not always different ones, of the hash at `at`. */
export function flip(hashes: Uint8Array, at: number, count: number, next: () => number): void {
  for (let i = 0; i < count; i++) {
    const bit = next() >>> 24;
    hashes[at + (bit >> 3)]! ^= 1 << (bit & 7);
  }
}

/** Families of `size` hashes, each up to `spread` flips from the first. */
function families(size: number, spread: number): HashSet {
  return (count, seed) => {
    const out = randomBytes(count * BYTES, seed);
    const next = lcg(seed + 1);
    for (let i = 0; i < count; i++) {
      const first = (i - (i % size)) * BYTES;
      if (i % size === 0) continue;
      out.copyWithin(i * BYTES, first, first + BYTES);
      flip(out, i * BYTES, (next() >>> 8) % (spread + 1), next);
    }
    return out;
  };
}

function masked(change: (byte: number, index: number) => number): HashSet {
  return (count, seed) => randomBytes(count * BYTES, seed).map((byte, i) => change(byte, i % BYTES));
}

export const SETS: Record<string, HashSet> = {
  uniform: randomBytesOf,
  'families of 30': families(30, 31),
  'families of 1000': families(1000, 31),
  'one wide family': families(1_000_000, 90),
  'families of identical hashes': families(700, 0),
  identical: families(1_000_000, 0),
  'all-zero bands': masked((byte, i) => (i < 8 ? 0 : byte)),
  'alternating constant bytes': masked((byte, i) => (i % 4 === 0 ? 0 : i % 4 === 1 ? 255 : byte)),
  'low entropy': masked((byte) => byte & 0x11),
  'few bits set': masked((byte) => byte & (byte << 1) & (byte >> 2)),
};

function randomBytesOf(count: number, seed: number): Uint8Array {
  return randomBytes(count * BYTES, seed);
}

/** Queries: members, near members and strangers. */
export function queriesFor(hashes: Uint8Array, count: number, seed: number): Uint8Array[] {
  const next = lcg(seed);
  return Array.from({ length: count }, (_, i) => {
    if (i % 5 === 4) return randomBytes(BYTES, next());
    const at = ((next() >>> 4) % (hashes.length / BYTES)) * BYTES;
    const query = hashes.slice(at, at + BYTES);
    flip(query, 0, (next() >>> 8) % (10 * (i % 5) + 1), next);
    return query;
  });
}

const ONES = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll('0', '').length);

/** Hamming distance, or some number above `most` if it is above that. */
export function distance(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number, most = 256): number {
  let sum = 0;
  for (let i = 0; i < BYTES && sum <= most; i++) sum += ONES[a[aAt + i]! ^ b[bAt + i]!]!;
  return sum;
}

/** The oracle: `row:distance` of every hash within `most`, sorted. */
export function bruteForce(
  rows: Iterable<[number, number]>,
  hashes: Uint8Array,
  query: Uint8Array,
  most: number,
): string[] {
  const out: string[] = [];
  for (const [row, at] of rows) {
    const d = distance(hashes, at, query, 0, most);
    if (d <= most) out.push(`${row}:${d}`);
  }
  return out.sort();
}

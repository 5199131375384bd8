/** Clock, randomness, hashing and synthetic logs for storage tests. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, CompactRange, type Random, type Sha256 } from '../../sdk/core/index.js';
import type { Bundle, CommitPart, Segment, Storage } from '../../server/storage/index.js';

export const ORIGIN = 'police.example/stills/sha256/g1';
export const OTHER = 'police.example/stills/md5/g1';
export const HEADS_KEY = new Uint8Array(32).fill(7);

const sha256 = (...parts: readonly Uint8Array[]): Uint8Array => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return Uint8Array.from(hash.digest());
};

/** The platform's SHA-256, plain and slow in bulk. */
export const testSha: Sha256 = {
  digest: sha256,
  hashLeaves(bundle, count) {
    const out = new Uint8Array(count * 32);
    for (let at = 0, i = 0; at < bundle.length; i += 1) {
      const length = (bundle[at]! << 8) | bundle[at + 1]!;
      const end = at + 2 + (length === 0 ? 32 : length);
      const leaf = bundle.subarray(at + 2, end);
      out.set(length === 0 ? leaf : sha256(Uint8Array.of(0), leaf), i * 32);
      at = end;
    }
    return out;
  },
  hashPairs(nodes) {
    const out = new Uint8Array(nodes.length / 2);
    for (let at = 0; at < nodes.length; at += 64) {
      out.set(sha256(Uint8Array.of(1), nodes.subarray(at, at + 64)), at / 2);
    }
    return out;
  },
};

export class TestClock implements Clock {
  ms = 1_790_000_000_000;
  nowMs(): number {
    return this.ms;
  }
  monotonicMs(): number {
    return this.ms;
  }
}

export const utf8 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));

/** Deterministic bytes. */
export function testRandom(seed: number): Random {
  let count = 0;
  return {
    bytes(length) {
      count += 1;
      const block = sha256(Buffer.from(`${seed}/${count}`));
      return Uint8Array.from({ length }, (_, i) => block[i % 32]!);
    },
  };
}

export const leafAt = (index: number, label = 'leaf'): Uint8Array =>
  Buffer.from(`${label}-${index}-`.padEnd(60, 'x'));

export function pack(leaves: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(leaves.flatMap((leaf) => [Uint8Array.of(leaf.length >> 8, leaf.length & 255), leaf]));
}

export const leaves = (from: number, to: number, label?: string): Uint8Array[] =>
  Array.from({ length: to - from }, (_, i) => leafAt(from + i, label));

export function rootOf(all: readonly Uint8Array[]): Uint8Array {
  const range = CompactRange.empty(testSha);
  if (all.length > 0) range.append(testSha.hashLeaves(pack(all), all.length));
  return range.root();
}

/** Stages leaves [from, to) of the synthetic log at the head, or after another segment. */
export async function stage(
  storage: Storage,
  origin: string,
  from: number,
  to: number,
  after?: string,
  label?: string,
): Promise<Segment> {
  const stager = await storage.logs.stage(origin, after);
  for (let at = from; at < to; at += 5_000)
    await stager.append(pack(leaves(at, Math.min(at + 5_000, to), label)));
  return stager.finish();
}

export const partOf = (segment: Segment, ...before: Segment[]): CommitPart => ({
  origin: segment.origin,
  segments: [...before, segment].map(({ id }) => id),
  size: segment.to,
  root: segment.root,
  note: utf8(`note ${segment.to}`),
  anchor: new Uint8Array(0),
  state: utf8(`state ${segment.to}`),
});

/** Appends [size, to) and commits. */
export async function grow(storage: Storage, origin: string, to: number): Promise<void> {
  const from = (await storage.logs.head(origin))?.size ?? 0;
  await storage.logs.commit([partOf(await stage(storage, origin, from, to))]);
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** The packed bytes of bundles that follow each other without a gap. */
export function concatBundles(bundles: readonly Bundle[], from: number): Uint8Array {
  let at = from;
  for (const { first, count } of bundles) {
    if (first !== at) throw new Error(`bundle begins at ${first}, not ${at}`);
    at += count;
  }
  return Buffer.concat(bundles.map(({ bytes }) => bytes));
}

export async function withDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'hashfed-storage-'));
  try {
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

import { ExactIndex } from '../../sdk/match/index.js';
import { type Baseline, openLevel, openLmdb } from './exact-baselines.js';
import { clusteredKeys, intoClusters, noise, sortedKeys } from './keys.js';
import { time } from './measure.js';

/** Queries a round; each names another key, so that no cache remembers it. */
export const QUERIES = 300_000;

/** `clustered`: thousands of keys share their first six bytes, as somebody might make them on purpose. */
export type Spread = 'uniform' | 'clustered';

/** Keys to ask, joined and apart. */
export interface Queries {
  readonly flat: Uint8Array;
  readonly each: readonly Buffer[];
}

export interface Fixture {
  readonly n: number;
  readonly spread: Spread;
  readonly index: ExactIndex;
  readonly baselines: readonly Baseline[];
  readonly missing: readonly { name: string; why: string }[];
  readonly hits: Queries;
  readonly misses: Queries;
}

export function cut(flat: Uint8Array): Queries {
  const buffer = Buffer.from(flat.buffer, flat.byteOffset, flat.length);
  return {
    flat,
    each: Array.from({ length: flat.length / 32 }, (_, i) => buffer.subarray(i * 32, i * 32 + 32)),
  };
}

/** Keys from all over the list, in no order; every second key is skipped at most once. */
function chosen(keys: Uint8Array, n: number): Uint8Array {
  const picks = noise(QUERIES * 4, 77);
  const view = new DataView(picks.buffer);
  const flat = new Uint8Array(QUERIES * 32);
  for (let i = 0; i < QUERIES; i++) {
    const row = view.getUint32(i * 4) % n;
    flat.set(keys.subarray(row * 32, row * 32 + 32), i * 32);
  }
  return flat;
}

async function build(n: number, spread: Spread): Promise<Fixture> {
  const keys = spread === 'uniform' ? sortedKeys(n, 11) : clusteredKeys(n, 11);
  const buffer = Buffer.from(keys.buffer);
  const baselines: Baseline[] = [];
  const missing: { name: string; why: string }[] = [];
  for (const [name, open] of [
    ['lmdb', openLmdb],
    ['level', openLevel],
  ] as const) {
    try {
      baselines.push(await open(buffer, n));
    } catch (error) {
      missing.push({ name, why: `could not be opened: ${(error as Error).message.split('\n')[0]}` });
    }
  }
  const index = ExactIndex.fromKeys(32, keys);
  const misses = noise(QUERIES * 32, 99);
  if (spread === 'clustered') intoClusters(misses, n);
  return { n, spread, index, baselines, missing, hits: cut(chosen(keys, n)), misses: cut(misses) };
}

let current: Fixture | undefined;

/** One size at a time: two would not fit beside each other. */
export async function fixture(n: number, spread: Spread = 'uniform'): Promise<Fixture> {
  if (current?.n !== n || current.spread !== spread) {
    await close();
    current = await build(n, spread);
  }
  return current!;
}

export async function close(): Promise<void> {
  for (const baseline of current?.baselines ?? []) await baseline.close();
  current = undefined;
}

/** Asks every key in turn; keeps the sum, so that no answer is optimised away. */
export function askEach(get: (key: Buffer) => number, queries: Queries): number {
  let sum = 0;
  for (const key of queries.each) sum += get(key);
  return sum;
}

/** The same loop over our index, of its own: each side is called from one place, as in a program that uses it. */
export function askIndex(index: ExactIndex, queries: Queries): number {
  let sum = 0;
  for (const key of queries.each) sum += index.find(key);
  return sum;
}

/** Every way of the baseline must answer our rows; then the fastest one is taken. */
export async function bestSingle({ index }: Fixture, baseline: Baseline, queries: Queries) {
  let best: { get: (key: Buffer) => number; took: number } | undefined;
  for (const [way, get] of Object.entries(baseline.single)) {
    for (const key of queries.each) {
      if (get(key) !== index.find(key)) throw new Error(`${baseline.name} ${way} answers something else`);
    }
    const took = await time(() => askEach(get, queries));
    if (best === undefined || took < best.took) best = { get, took };
  }
  return best!;
}

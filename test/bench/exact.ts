import { ExactIndex } from '../../sdk/match/index.js';
import { type Baseline, openLevel, openLmdb } from './exact-baselines.js';
import { noise, sortedKeys } from './keys.js';
import { interleaved, result, time } from './measure.js';
import { options } from './options.js';
import type { BenchLine } from './types.js';

/** Queries a round; each names another key, so that no cache remembers it. */
const QUERIES = 300_000;
const DEFAULT_SIZES = [2_000_000];

interface Queries {
  readonly flat: Uint8Array;
  readonly each: readonly Buffer[];
}

interface Fixture {
  readonly n: number;
  readonly index: ExactIndex;
  readonly baselines: readonly Baseline[];
  readonly missing: readonly { name: string; why: string }[];
  readonly hits: Queries;
  readonly misses: Queries;
}

function cut(flat: Uint8Array): Queries {
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

async function build(n: number): Promise<Fixture> {
  const keys = sortedKeys(n, 11);
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
  return { n, index, baselines, missing, hits: cut(chosen(keys, n)), misses: cut(noise(QUERIES * 32, 99)) };
}

let current: Fixture | undefined;

/** One size at a time: two would not fit beside each other. */
async function fixture(n: number): Promise<Fixture> {
  if (current?.n !== n) {
    await close();
    current = await build(n);
  }
  return current!;
}

export async function close(): Promise<void> {
  for (const baseline of current?.baselines ?? []) await baseline.close();
  current = undefined;
}

/** Asks every key in turn; keeps the sum, so that no answer is optimised away. */
function askEach(get: (key: Buffer) => number, queries: Queries): number {
  let sum = 0;
  for (const key of queries.each) sum += get(key);
  return sum;
}

/** The same loop over our index, of its own: each side is called from one place, as in a program that uses it. */
function askIndex(index: ExactIndex, queries: Queries): number {
  let sum = 0;
  for (const key of queries.each) sum += index.find(key);
  return sum;
}

/** Every way of the baseline must answer our rows; then the fastest one is taken. */
async function bestSingle({ index }: Fixture, baseline: Baseline, queries: Queries) {
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

async function single(bench: string, n: number, which: 'hits' | 'misses'): Promise<BenchLine[]> {
  const f = await fixture(n);
  const queries = f[which];
  const sides: Record<string, () => unknown> = { ours: () => askIndex(f.index, queries) };
  for (const baseline of f.baselines) {
    const { get } = await bestSingle(f, baseline, queries);
    sides[baseline.name] = () => askEach(get, queries);
  }
  return lines(f, bench, await interleaved(sides, options.rounds));
}

function lines(f: Fixture, bench: string, milliseconds: (side: string) => number): BenchLine[] {
  const ns = (side: string) => (milliseconds(side) * 1e6) / QUERIES;
  const ran = f.baselines.map(({ name }) =>
    result({
      ...{ bench, n: f.n, unit: 'ns', ours: ns('ours'), baseline: name, theirs: ns(name) },
      ...{ rounds: options.rounds, checked: true },
    }),
  );
  return [...ran, ...f.missing.map(({ name, why }) => ({ bench, baseline: name, skipped: why }))];
}

/** Hits and misses in turn, as an upload stream has them: one in two is worst for both sides' branch predictors. */
function mixed({ hits, misses }: Fixture): Queries {
  const flat = new Uint8Array(QUERIES * 32);
  for (let i = 0; i < QUERIES; i++) {
    const from = i % 2 === 0 ? hits.flat : misses.flat;
    flat.set(from.subarray(i * 32, i * 32 + 32), i * 32);
  }
  return cut(flat);
}

async function bestBatch(f: Fixture, baseline: Baseline, queries: Queries): Promise<() => unknown> {
  const expected = f.index.matchMany(queries.flat);
  const one = await bestSingle(f, baseline, queries);
  let best: { ask: () => unknown; took: number } = { ask: () => askEach(one.get, queries), took: one.took };
  for (const [way, ask] of Object.entries(baseline.many)) {
    const rows = await ask([...queries.each]);
    if (rows.some((row, i) => row !== expected[i]))
      throw new Error(`${baseline.name} ${way} answers otherwise`);
    const took = await time(() => ask([...queries.each]));
    if (took < best.took) best = { ask: () => ask([...queries.each]), took };
  }
  return best.ask;
}

async function batch(n: number): Promise<BenchLine[]> {
  const f = await fixture(n);
  const queries = mixed(f);
  const out = new Int32Array(QUERIES);
  const sides: Record<string, () => unknown> = { ours: () => f.index.matchMany(queries.flat, out) };
  for (const baseline of f.baselines) sides[baseline.name] = await bestBatch(f, baseline, queries);
  return lines(f, 'exact-batch', await interleaved(sides, options.rounds));
}

/** The index alone, as allocated; of the baselines what their trees or files take. Nothing here varies. */
async function bytes(n: number): Promise<BenchLine[]> {
  const f = await fixture(n);
  const held = f.index.bytes;
  const ours = (held.table + held.overlay) / n;
  const ran = f.baselines.map(({ name, bytesPerEntry }) =>
    result({
      ...{ bench: 'exact-bytes', n, unit: 'B', ours, baseline: name, theirs: bytesPerEntry },
      ...{ rounds: options.rounds, checked: true },
    }),
  );
  return [
    ...ran,
    ...f.missing.map(({ name, why }) => ({ bench: 'exact-bytes', baseline: name, skipped: why })),
  ];
}

const sized = (run: (n: number) => Promise<BenchLine[]>) => async (): Promise<BenchLine[]> => {
  const all: BenchLine[] = [];
  for (const n of options.sizes ?? DEFAULT_SIZES) all.push(...(await run(n)));
  return all;
};

export const benches: Record<string, () => Promise<BenchLine[]>> = {
  'exact-hit': sized((n) => single('exact-hit', n, 'hits')),
  'exact-miss': sized((n) => single('exact-miss', n, 'misses')),
  'exact-batch': sized(batch),
  'exact-bytes': sized(bytes),
};

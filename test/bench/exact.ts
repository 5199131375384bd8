import type { Baseline } from './exact-baselines.js';
import {
  askEach,
  askIndex,
  bestSingle,
  cut,
  type Fixture,
  fixture,
  QUERIES,
  type Queries,
  type Spread,
} from './exact-fixture.js';
import { interleaved, median, result, time } from './measure.js';
import { options } from './options.js';
import type { BenchLine } from './types.js';

const DEFAULT_SIZES = [2_000_000];

type Which = 'hits' | 'misses';

async function single(bench: string, n: number, which: Which, spread?: Spread): Promise<BenchLine[]> {
  const f = await fixture(n, spread);
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

/** Calls timed together: one alone takes less than looking at the clock. */
const GROUP = 32;

/** Milliseconds a call in the slowest groups but one in a hundred. */
function slowest(ask: (key: Buffer) => number, { each }: Queries): number {
  const took: number[] = [];
  let sum = 0;
  for (let from = 0; from + GROUP <= each.length; from += GROUP) {
    const start = process.hrtime.bigint();
    for (let i = from; i < from + GROUP; i++) sum += ask(each[i]!);
    took.push(Number(process.hrtime.bigint() - start));
  }
  took.sort((a, b) => a - b);
  if (!Number.isFinite(sum)) throw new Error('no answers');
  return took[Math.floor(took.length * 0.99)]! / GROUP / 1e6;
}

/** The 99th percentile of groups of calls; rounds interleaved, the median of their percentiles. */
async function tail(bench: string, n: number, which: Which): Promise<BenchLine[]> {
  const f = await fixture(n);
  const asks = new Map<string, (key: Buffer) => number>([['ours', (key) => f.index.find(key)]]);
  for (const baseline of f.baselines) asks.set(baseline.name, (await bestSingle(f, baseline, f[which])).get);
  const took = new Map<string, number[]>([...asks.keys()].map((name) => [name, []]));
  for (let round = -1; round < options.rounds; round++)
    for (const [name, ask] of asks) {
      const ms = slowest(ask, f[which]);
      if (round >= 0) took.get(name)!.push(ms);
    }
  return lines(f, bench, (side) => median(took.get(side)!) * QUERIES);
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
  'exact-p99-hit': sized((n) => tail('exact-p99-hit', n, 'hits')),
  'exact-p99-miss': sized((n) => tail('exact-p99-miss', n, 'misses')),
  'exact-batch': sized(batch),
  'exact-bytes': sized(bytes),
  'exact-clustered-hit': sized((n) => single('exact-clustered-hit', n, 'hits', 'clustered')),
  'exact-clustered-miss': sized((n) => single('exact-clustered-miss', n, 'misses', 'clustered')),
};

export { close } from './exact-fixture.js';

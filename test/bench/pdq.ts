/**
 * Benchmarks of perceptual hashing and matching. Run alone: node dist/test/bench/pdq.js NAME …
 * Ours and the baseline alternate within each round, on the same data, after their answers were compared.
 */

import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { PdqIndex, type PdqMatches } from '../../sdk/match/pdq/index.js';
import { BYTES, CLUSTERED, queries, uniform } from './pdq-data.js';
import { faiss } from './pdq-faiss.js';
import { pdqHash } from './pdq-hash.js';

/** One line of the benchmark contract; further fields say more. */
export interface BenchLine {
  readonly bench: string;
  readonly [field: string]: string | number | boolean | undefined;
}

const ROUNDS = 7;
/** Rounds of the clustered sets: even, so that each of both comes first as often. */
const CLUSTERED_ROUNDS = 8;

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

function percentile(values: readonly number[], share: number): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length * share)]!;
}

const round3 = (value: number) => Number(value.toPrecision(4));

function load(hashes: Uint8Array): PdqIndex {
  const index = new PdqIndex();
  index.load(
    Uint32Array.from({ length: hashes.length / BYTES }, (_, i) => i),
    hashes,
  );
  return index;
}

function text(matches: PdqMatches): string {
  if (matches.truncated) return 'truncated';
  return Array.from(matches.rows, (row, i) => `${row}:${matches.distances[i]}`)
    .sort()
    .join();
}

/** Throws where the two disagree; truncated answers agree when both are. */
function compare(index: PdqIndex, asked: readonly Uint8Array[]): void {
  for (const query of asked) {
    if (text(index.search(query)) !== text(index.scan(query))) throw new Error('answers differ');
  }
}

function time(run: () => void): number {
  const start = performance.now();
  run();
  return performance.now() - start;
}

/** Queries a second of ours and of the scan; both get the same queries, turn by turn. */
function race(index: PdqIndex, asked: readonly Uint8Array[], scanned: number) {
  const ours: number[] = [];
  const theirs: number[] = [];
  const each: number[] = [];
  for (let turn = 0; turn < ROUNDS; turn++) {
    let sum = 0;
    for (const query of asked) {
      const one = time(() => index.search(query));
      each.push(one);
      sum += one;
    }
    ours.push((1000 * asked.length) / sum);
    const part = asked.slice(0, scanned);
    const scanning = time(() => {
      for (const query of part) index.scan(query);
    });
    theirs.push((1000 * scanned) / scanning);
  }
  return { ours: median(ours), theirs: median(theirs), p99: percentile(each, 0.99) };
}

async function* uniformBench(bench: string, n: number, scanned: number): AsyncGenerator<BenchLine> {
  const hashes = uniform(n, 1);
  const index = load(hashes);
  const asked = queries(hashes, 1000, 2);
  compare(index, asked.slice(0, 4 * scanned));
  const { ours, theirs, p99 } = race(index, asked, scanned);
  yield {
    bench,
    n,
    unit: 'ops/s',
    ours: round3(ours),
    baseline: 'scan',
    theirs: round3(theirs),
    ratio: round3(ours / theirs),
    rounds: ROUNDS,
    checked: true,
    p99_us: round3(1000 * p99),
    bytes_per_hash: round3(index.bytes / n),
    bands: index.bands.count,
    bucket_bits: index.bands.bits,
  };
  yield faiss(bench, hashes, asked, (query) => index.search(query).count, ROUNDS);
}

/** One line a set. Search and scan alternate query by query, now one first and now the other. */
async function* clusteredBench(): AsyncGenerator<BenchLine> {
  const n = 1_000_000;
  for (const [set, make] of Object.entries(CLUSTERED)) {
    const hashes = make(n, 3);
    const index = load(hashes);
    const asked = queries(hashes, 40, 4);
    compare(index, asked);
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let turn = 0; turn < CLUSTERED_ROUNDS; turn++) {
      let [sum, scan] = [0, 0];
      for (const [i, query] of asked.entries()) {
        const first = (i + turn) % 2 === 0;
        if (first) sum += time(() => index.search(query));
        scan += time(() => index.scan(query));
        if (!first) sum += time(() => index.search(query));
      }
      ours.push((1000 * asked.length) / sum);
      theirs.push((1000 * asked.length) / scan);
    }
    yield {
      bench: 'pdq-clustered-1m',
      set,
      n,
      unit: 'ops/s',
      ours: round3(median(ours)),
      baseline: 'scan',
      theirs: round3(median(theirs)),
      ratio: round3(median(ours) / median(theirs)),
      rounds: CLUSTERED_ROUNDS,
      checked: true,
      bytes_per_hash: round3(index.bytes / n),
    };
  }
}

/** Latencies from a query's turn in the event loop to its answer, while `busy` says so. */
async function latencies(
  index: PdqIndex,
  asked: readonly Uint8Array[],
  busy: () => boolean,
): Promise<number[]> {
  const out: number[] = [];
  for (let i = 0; busy(); i++) {
    const start = performance.now();
    await setImmediate();
    index.search(asked[i % asked.length]!);
    out.push(performance.now() - start);
  }
  return out;
}

async function* updateBench(): AsyncGenerator<BenchLine> {
  const n = 1_000_000;
  const part = n / 100;
  const hashes = uniform(n + ROUNDS * part, 5);
  const asked = queries(hashes, 500, 6);
  const index = load(hashes.subarray(0, n * BYTES));
  const current = hashes.slice(0, n * BYTES);
  const [ours, theirs, idle, updating]: number[][] = [[], [], [], []];
  for (let turn = 0; turn < ROUNDS; turn++) {
    const rows = Uint32Array.from({ length: part }, (_, i) => turn * part + i);
    const fresh = hashes.subarray((n + turn * part) * BYTES, (n + (turn + 1) * part) * BYTES);
    current.set(fresh, turn * part * BYTES);
    let left = 1000;
    idle!.push(...(await latencies(index, asked, () => left-- > 0)));
    const start = performance.now();
    await index.update({ remove: rows, rows, hashes: fresh });
    ours!.push(performance.now() - start);
    let rebuilt: PdqIndex | undefined;
    theirs!.push(
      time(() => {
        rebuilt = load(current);
      }),
    );
    for (const query of asked.slice(0, 50)) {
      if (text(index.search(query)) !== text(rebuilt!.search(query))) throw new Error('answers differ');
    }
    let running = true;
    const again = index.update({ remove: rows, rows, hashes: fresh }).finally(() => {
      running = false;
    });
    updating!.push(...(await latencies(index, asked, () => running)));
    await again;
  }
  yield {
    bench: 'pdq-update',
    n,
    unit: 'ms',
    ours: round3(median(ours!)),
    baseline: 'rebuild',
    theirs: round3(median(theirs!)),
    ratio: round3(median(theirs!) / median(ours!)),
    rounds: ROUNDS,
    checked: true,
    changed: part,
    p99_idle_us: round3(1000 * percentile(idle!, 0.99)),
    p99_updating_us: round3(1000 * percentile(updating!, 0.99)),
  };
}

async function gather(lines: AsyncIterable<BenchLine>): Promise<BenchLine[]> {
  const out: BenchLine[] = [];
  for await (const line of lines) out.push(line);
  return out;
}

export const benches: Record<string, () => Promise<BenchLine[]>> = {
  'pdq-uniform-1m': () => gather(uniformBench('pdq-uniform-1m', 1_000_000, 50)),
  'pdq-uniform-10m': () => gather(uniformBench('pdq-uniform-10m', 10_000_000, 10)),
  'pdq-clustered-1m': () => gather(clusteredBench()),
  'pdq-update': () => gather(updateBench()),
  'pdq-hash': () => gather(pdqHash()),
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const asked = process.argv.slice(2);
  for (const [name, bench] of Object.entries(benches)) {
    if (asked.length > 0 && !asked.includes(name)) continue;
    for (const line of await bench()) console.log(JSON.stringify(line));
  }
}

/** FAISS as a second baseline, where Debian's python3-faiss (a generic build) is installed. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BenchLine } from './pdq.js';

const PYTHON = '/usr/bin/python3';

/** Prints JSON: matches of each query, and queries a second of each round. Radius 32 means distance < 32. */
const SCRIPT = `
import json, sys, time
import faiss, numpy
faiss.omp_set_num_threads(1)
base = numpy.fromfile(sys.argv[1], dtype=numpy.uint8).reshape(-1, 32)
asked = numpy.fromfile(sys.argv[2], dtype=numpy.uint8).reshape(-1, 32)
index = faiss.IndexBinaryFlat(256)
index.add(base)
limits, _, _ = index.range_search(asked, 32)
rates = []
for _ in range(int(sys.argv[3])):
    start = time.perf_counter()
    for one in asked:
        index.range_search(one.reshape(1, 32), 32)
    rates.append(len(asked) / (time.perf_counter() - start))
print(json.dumps({"counts": numpy.diff(limits).tolist(), "rates": rates}))
`;

const ASKED = 20;

function measure(hashes: Uint8Array, asked: readonly Uint8Array[], rounds: number) {
  const folder = mkdtempSync(join(tmpdir(), 'pdq-faiss-'));
  try {
    writeFileSync(join(folder, 'base'), hashes);
    writeFileSync(join(folder, 'asked'), Buffer.concat(asked));
    const args = ['-c', SCRIPT, join(folder, 'base'), join(folder, 'asked'), String(rounds)];
    const { status, stdout, stderr } = spawnSync(PYTHON, args, { encoding: 'utf8', maxBuffer: 1 << 26 });
    if (status !== 0) throw new Error(stderr);
    return JSON.parse(stdout) as { counts: number[]; rates: number[] };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** One line against FAISS, rounds of both one after the other, or a line that says why there is none. */
export function faiss(
  bench: string,
  hashes: Uint8Array,
  queries: readonly Uint8Array[],
  search: (query: Uint8Array) => number,
  rounds: number,
): BenchLine {
  if (spawnSync(PYTHON, ['-c', 'import faiss']).status !== 0) {
    return { bench, skipped: 'faiss is not installed (Debian: python3-faiss)' };
  }
  const asked = queries.slice(0, ASKED);
  const { counts, rates } = measure(hashes, asked, rounds);
  if (asked.some((query, i) => search(query) !== Math.min(1000, counts[i]!)))
    throw new Error('answers differ');
  const ours = Array.from({ length: rounds }, () => {
    const start = performance.now();
    for (const query of queries) search(query);
    return (1000 * queries.length) / (performance.now() - start);
  });
  const middle = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]!;
  return {
    bench,
    n: hashes.length / 32,
    unit: 'ops/s',
    ours: Math.round(middle(ours)),
    baseline: 'faiss-flat (generic build)',
    theirs: Number(middle(rates).toPrecision(4)),
    ratio: Number((middle(ours) / middle(rates)).toPrecision(4)),
    rounds,
    checked: true,
  };
}

import type { BenchResult } from './types.js';

/** Middle value; of an even number the lower one of the two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}

/** Milliseconds that `work` takes, exact to the nanosecond. */
export async function time(work: () => unknown): Promise<number> {
  const start = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - start) / 1e6;
}

/** Medians of each side in milliseconds. Rounds are interleaved and each starts with another side; one warms up. */
export async function interleaved(sides: Record<string, () => unknown>, rounds: number) {
  const names = Object.keys(sides);
  const times = new Map<string, number[]>(names.map((name) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    for (let i = 0; i < names.length; i++) {
      const name = names[(i + round + 1) % names.length]!;
      const took = await time(sides[name]!);
      if (round >= 0) times.get(name)!.push(took);
    }
  }
  return (name: string): number => median(times.get(name)!);
}

const LOWER_IS_BETTER = new Set(['ns', 'ms', 'B']);

/** A line with its ratio; numbers keep four digits. */
export function result(line: Omit<BenchResult, 'ratio'>): BenchResult {
  const ratio = LOWER_IS_BETTER.has(line.unit) ? line.theirs / line.ours : line.ours / line.theirs;
  const short = (value: number) => Number(value.toPrecision(4));
  return { ...line, ours: short(line.ours), theirs: short(line.theirs), ratio: short(ratio) };
}

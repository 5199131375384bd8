/** One result: `npm run bench -- --json` prints it as one line. */
export interface BenchResult {
  readonly bench: string;
  /** Entries, images, bytes: what the benchmark is sized by. */
  readonly n: number;
  readonly unit: 'ns' | 'ops/s' | 'MB/s' | 'ms' | 'B';
  readonly ours: number;
  readonly baseline: string;
  readonly theirs: number;
  /** How many times better ours is: above 1 is better, whichever way the unit points. */
  readonly ratio: number;
  readonly rounds: number;
  /** Both sides answered the same before they were timed. */
  readonly checked: boolean;
}

/** A benchmark or a baseline that did not run, and why; never a number. */
export interface BenchSkipped {
  readonly bench: string;
  readonly baseline?: string;
  readonly skipped: string;
}

export type BenchLine = BenchResult | BenchSkipped;

/** What a file of this folder exports: `benches` by name, and `close` where something must be cleaned up. */
export interface BenchModule {
  readonly benches: Record<string, () => Promise<BenchLine[]>>;
  readonly close?: () => Promise<void>;
}

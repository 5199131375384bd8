import type { Verdict } from './match/index.js';
import type { JournalEntry } from './store/index.js';

/** One object that was checked, as telemetry may count it: no name, no hash. */
export interface CountedObject {
  readonly verdict: Verdict;
  readonly bytes: number;
  readonly nowMs: number;
  /** It arrived just now (an upload), rather than lying there. */
  readonly received?: boolean;
}

/** Counts for the monitor. Counting costs no I/O; what it loses in a crash is bounded and documented. */
export interface Counting {
  object(counted: CountedObject): void;
  released(entries: readonly JournalEntry[], nowMs: number): void;
}

/** Counts nothing. */
export const NO_COUNTING: Counting = { object: () => {}, released: () => {} };

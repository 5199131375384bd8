/** Runs a generator a slice at a time and gives the thread back between slices. */

import { setImmediate } from 'node:timers/promises';
import { HashfedError } from '../../core/index.js';
import { MAX_SLICE_MS } from './limits.js';

export interface SliceOptions {
  readonly signal?: AbortSignal;
  /** Longest time on the thread at once, milliseconds, at most 1. */
  readonly sliceMs?: number;
}

/** Runs `steps`, each well under a slice, to the end. Throws `CANCELLED` when the signal fires. */
export async function inSlices(steps: Iterator<void>, options: SliceOptions): Promise<void> {
  const slice = Math.min(options.sliceMs ?? MAX_SLICE_MS, MAX_SLICE_MS);
  for (;;) {
    if (options.signal?.aborted) throw new HashfedError('CANCELLED', 'pdq: the update was cancelled');
    const end = performance.now() + slice;
    do {
      if (steps.next().done) return;
    } while (performance.now() < end);
    await setImmediate();
  }
}

import { setImmediate } from 'node:timers/promises';

/** Milliseconds of work between two looks at what else waits: pings, statements, other members' calls. */
const SLICE_MS = 25;

/** Runs long work and lets others have their turn in between. Throws CANCELLED when the signal aborts. */
export async function inSlices<T>(work: Iterator<void, T>, signal?: AbortSignal): Promise<T> {
  for (let startedMs = performance.now(); ; ) {
    const step = work.next();
    if (step.done) return step.value;
    if (performance.now() - startedMs < SLICE_MS) continue;
    await setImmediate();
    signal?.throwIfAborted();
    startedMs = performance.now();
  }
}

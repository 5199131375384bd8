import { describe, expect, it } from 'vitest';
import { inSlices } from '../../../server/log/slices.js';

/** Steps of 10 ms of work each. */
function* work(steps: number): Generator<void, number> {
  for (let i = 0; i < steps; i += 1) {
    const endMs = performance.now() + 10;
    while (performance.now() < endMs);
    yield;
  }
  return steps;
}

describe('long work in slices', () => {
  it('ends with its answer, and others had their turn meanwhile', async () => {
    let turns = 0;
    const other = (): void => {
      turns += 1;
      pending = setImmediate(other);
    };
    let pending = setImmediate(other);
    expect(await inSlices(work(20))).toBe(20);
    clearImmediate(pending);
    expect(turns).toBeGreaterThan(1);
  });

  it('ends early when the call that wants it is given up', async () => {
    const signal = AbortSignal.abort(new Error('given up'));
    await expect(inSlices(work(1_000), signal)).rejects.toThrow('given up');
  });
});

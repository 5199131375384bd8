import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ByteBudget } from '../../../sdk/pipeline/budget.js';
import { CheckingStream } from '../../../sdk/pipeline/checking-stream.js';
import { STREAM_WAIT_MS } from '../../../sdk/pipeline/limits.js';
import { emptyVerdict } from './parts.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('a stream that often finds no room is held up for no longer than one that never does', async () => {
  const budget = new ByteBudget(30);
  budget.take(30);
  let kept: unknown;
  const stream = new CheckingStream({
    keep: { budget, maxBytes: 1_000 },
    finish: async ({ hashes, bytes }, content) => {
      kept = content;
      return emptyVerdict({ hashes, bytes });
    },
  });
  let passed = 0;
  stream.on('data', (bytes: Uint8Array) => {
    passed += bytes.length;
  });
  for (let i = 0; i < 3; i++) stream.write(Buffer.alloc(10));
  stream.end();
  await vi.advanceTimersByTimeAsync(STREAM_WAIT_MS - 1_000);
  budget.give(10);
  await vi.advanceTimersByTimeAsync(500);
  expect(passed).toBe(10);
  await vi.advanceTimersByTimeAsync(600);
  expect(passed).toBe(30);
  await stream.verdict;
  expect(kept).toBe('overloaded');
  expect(budget.held).toBe(20);
});

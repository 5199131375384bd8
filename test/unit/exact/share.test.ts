import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { type ExactHandle, ExactIndex } from '../../../sdk/match/index.js';
import { rowsOf } from './oracle.js';

const hash = (v: number) => new Uint8Array(32).fill(v);

describe('a shared index', () => {
  it('crosses threads without a copy', async () => {
    const index = ExactIndex.fromRows(32, [rowsOf([{ hash: hash(1), addIndex: 0 }])]);
    index.apply({ added: [{ hash: hash(2), addIndex: 1 }] });
    const script = `const { parentPort } = require('node:worker_threads');
      parentPort.once('message', (handle) => {
        handle.table.tags[0] = 0x4242;
        parentPort.postMessage([handle.table.rest.buffer instanceof SharedArrayBuffer, handle.overlay.keys[0]]);
      });`;
    const worker = new Worker(script, { eval: true });
    const answer = new Promise((resolve) => worker.once('message', resolve));
    worker.postMessage(index.share());
    expect(await answer).toEqual([true, 2]);
    await worker.terminate();
    expect(index.share().table.tags[0]).toBe(0x4242);
  });

  it('shows a reader what the writer changes, until its arrays are replaced', () => {
    const index = ExactIndex.fromRows(32, [rowsOf([1, 2].map((v) => ({ hash: hash(v), addIndex: v })))]);
    const reader = ExactIndex.attach(structuredClone(index.share()) as ExactHandle);
    index.apply({ added: [{ hash: hash(3), addIndex: 3 }], removed: [{ hash: hash(1), addIndex: 1 }] });
    expect([1, 2, 3, 4].map((v) => reader.has(hash(v)))).toEqual([false, true, true, false]);
    expect(reader.rows(hash(3)).map((row) => reader.addIndexOf(row))).toEqual([3]);
    expect(() => reader.apply({})).toThrow(expect.objectContaining({ code: 'USAGE' }));
    expect(reader.superseded).toBe(false);
    for (const m = index.beginMerge(); !m.step(); );
    expect(reader.superseded).toBe(true);
    expect([1, 2, 3].map((v) => reader.has(hash(v)))).toEqual([false, true, true]);
    expect(ExactIndex.attach(index.share()).superseded).toBe(false);
  });

  it('keeps old readers right when the overlay grows', () => {
    const index = ExactIndex.empty(32);
    const reader = ExactIndex.attach(index.share());
    const key = (i: number) => Uint8Array.from(Buffer.from(i.toString(16).padStart(64, '0'), 'hex'));
    index.apply({ added: Array.from({ length: 5000 }, (_, i) => ({ hash: key(i), addIndex: i })) });
    expect(reader.superseded).toBe(true);
    expect(reader.has(key(0))).toBe(true);
    const fresh = ExactIndex.attach(index.share());
    for (let i = 0; i < 5000; i++) expect(fresh.find(key(i))).toBeGreaterThanOrEqual(0);
    expect(fresh.has(key(5000))).toBe(false);
  });
});

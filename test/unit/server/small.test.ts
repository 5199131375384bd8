import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LookupHashResponse } from '../../../proto/gen/hashfed/v1/query.js';
import { Turns } from '../../../sdk/core/index.js';
import { MemoryBudgets } from '../../../server/access/index.js';
import { publishService } from '../../../server/services/publish.js';
import { paddingFor } from '../../../server/services/query-padding.js';

const random = { bytes: (length: number) => new Uint8Array(length).fill(7) };

/** Total bytes of an answer about lists of these names, with what was found. */
function answered(names: readonly string[], matches: number, metaBytes = 0): number {
  const lists = names.map((origin) => ({ origin, size: 1n, purpose: 1, state: 1, freshnessMs: 1n }) as const);
  const match = { position: 0, list: 0, addIndex: 1n, lastIndex: 1n, listedMs: 1_767_225_600_000n };
  const rest = { itemId: new Uint8Array(16), scheme: 1, code: 1, verifications: 1, held: false };
  const found = Array.from({ length: matches }, () => ({
    ...match,
    ...rest,
    meta: new Uint8Array(metaBytes),
  }));
  const answer = { matches: found, lists, padding: new Uint8Array() };
  const length = (one: LookupHashResponse) => LookupHashResponse.encode(one).finish().length;
  const padding = paddingFor(length(answer), length({ ...answer, matches: [] }), random);
  return length({ ...answer, padding });
}

test('padding brings every answer to a multiple of 512 bytes', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1_100 }), (length) => {
      expect(answered(['a'.repeat(length)], length % 3, length % 513) % 512).toBe(0);
    }),
    { numRuns: 1_200 },
  );
});

test('an answer with some records is as long as one without any', () => {
  for (let length = 0; length <= 1_100; length++) {
    const names = ['b'.repeat(length), 'police.example/known/sha256/g1'];
    for (const matches of [1, 2, 3, 4])
      expect([length, matches, answered(names, matches)]).toEqual([length, matches, answered(names, 0)]);
  }
});

describe('turns', () => {
  test('never overlap, keep their order, and outlive a failure', async () => {
    const turns = new Turns();
    const said: string[] = [];
    const work = (name: string, fails = false) =>
      turns.run(async () => {
        said.push(`${name} begins`);
        await new Promise((resolve) => setImmediate(resolve));
        said.push(`${name} ends`);
        if (fails) throw new Error(name);
        return name;
      });
    const all = await Promise.allSettled([work('a'), work('b', true), work('c')]);
    expect(all.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(said).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  });
});

test('an upload costs what it says that it holds, and at least a unit for each KiB', async () => {
  const clock = { nowMs: () => 0, monotonicMs: () => 0 };
  const { handlers } = publishService(
    {} as never,
    {} as never,
    {} as never,
    new MemoryBudgets(clock, { upload: { burst: 100, perSecond: 1 } }),
  );
  async function* upload(count: number, bytes: number) {
    yield { origin: '', firstIndex: 0n, count, bundle: new Uint8Array(bytes), requestId: new Uint8Array() };
  }
  const send = (count: number, bytes: number) =>
    handlers['uploadEntries']!(upload(count, bytes) as never, { caller: { member: 'police' } } as never);
  await expect(send(101, 1)).rejects.toMatchObject({ code: 'BUDGET_EXCEEDED' });
  await expect(send(4, 256 * 1024)).rejects.toMatchObject({ code: 'BUDGET_EXCEEDED' });
  await expect(send(0, 60 * 1024)).rejects.toMatchObject({ code: 'MALFORMED' });
  await expect(send(0, 60 * 1024)).rejects.toMatchObject({ code: 'BUDGET_EXCEEDED' });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LookupHashResponse } from '../../../proto/gen/hashfed/v1/query.js';
import { Turns } from '../../../server/log/turns.js';
import { paddingFor } from '../../../server/services/query-padding.js';

const random = { bytes: (length: number) => new Uint8Array(length).fill(7) };

test('padding brings every answer to a multiple of 512 bytes', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1_100 }), (length) => {
      const meta = new Uint8Array(length);
      const match = {
        position: 0,
        list: 0,
        addIndex: 1n,
        lastIndex: 1n,
        listedMs: 1n,
        itemId: meta,
        scheme: 1,
      };
      const matches =
        length === 0 ? [] : [{ ...match, code: 1, verifications: 0, meta: new Uint8Array(), held: false }];
      const answer = { matches, lists: [], padding: new Uint8Array() };
      const padding = paddingFor(LookupHashResponse.encode(answer).finish().length, random);
      expect(LookupHashResponse.encode({ ...answer, padding }).finish().length % 512).toBe(0);
    }),
    { numRuns: 1_200 },
  );
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

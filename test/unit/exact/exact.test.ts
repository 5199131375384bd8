import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExactIndex, type KeyBytes, type RecordKey } from '../../../sdk/match/index.js';
import { hashMaker, Oracle, randomSource, rowsOf } from './oracle.js';

const KINDS = ['uniform', 'prefix', 'tail'] as const;
const LENGTHS: readonly KeyBytes[] = [16, 20, 32];

function idsOf(index: ExactIndex, hash: Uint8Array): (number | undefined)[] {
  return index.rows(hash).map((row) => index.addIndexOf(row));
}

/** Everything that the oracle ever saw, and strangers, asked one by one and in one batch. */
function expectSame(index: ExactIndex, oracle: Oracle, strangers: readonly Uint8Array[]): void {
  const known = [...oracle.records.keys()].map((hex) => Uint8Array.from(Buffer.from(hex, 'hex')));
  const asked = [...known, ...strangers];
  const flat = Uint8Array.from(Buffer.concat(asked));
  const rows = index.matchMany(flat);
  const bits = index.matchBitmap(flat);
  const wrong = asked.filter((hash, i) => {
    const ids = [...oracle.of(hash)].sort((a, b) => a - b);
    const bit = ((bits[i >>> 3]! >>> (i & 7)) & 1) === 1;
    const first = index.rows(hash)[0] ?? -1;
    const agrees = index.has(hash) === ids.length > 0 && bit === ids.length > 0;
    return (
      !agrees || index.find(hash) !== rows[i] || first !== rows[i] || `${idsOf(index, hash)}` !== `${ids}`
    );
  });
  expect(wrong).toEqual([]);
  expect(index.size).toBe(oracle.sorted().length);
}

function records(
  make: () => Uint8Array,
  count: number,
  firstId: number,
  twins: number,
  next: (n: number) => number,
) {
  const made: RecordKey[] = [];
  for (let i = 0; i < count; i++) {
    const twin = made.length > 0 && next(100) < twins;
    made.push({ hash: twin ? made[next(made.length)]!.hash : make(), addIndex: firstId + i });
  }
  return made;
}

for (const keyBytes of LENGTHS) {
  for (const kind of KINDS) {
    describe(`${keyBytes}-byte keys, ${kind}`, () => {
      it('answers as a map of lists does, through changes and merges', () => {
        const next = randomSource(keyBytes * 7 + kind.length);
        const make = hashMaker(kind, keyBytes, next);
        const oracle = new Oracle();
        oracle.apply({ added: records(make, 2500, 0, 20, next), removed: [] });
        const index = ExactIndex.fromRows(keyBytes, [rowsOf(oracle.sorted(), 3)]);
        const strangers = Array.from({ length: 300 }, make);
        expectSame(index, oracle, strangers);
        for (let round = 1; round <= 6; round++) {
          const all = oracle.sorted();
          const removed = all.filter(() => next(100) < 15);
          const added = records(make, 400, round * 100_000, 20, next);
          for (let i = 0; i < 50; i++) {
            added.push({ hash: all[next(all.length)]!.hash, addIndex: round * 100_000 + 50_000 + i });
          }
          oracle.apply({ added, removed });
          expect(index.apply({ added, removed })).toEqual({
            added: added.length,
            removed: removed.length,
            repeated: 0,
            absent: 0,
          });
          expectSame(index, oracle, strangers);
          if (round % 3 !== 0) continue;
          const merge = index.beginMerge();
          while (!merge.step());
          expect(index.rowCount).toBe(index.size);
          expectSame(index, oracle, strangers);
        }
      });
    });
  }
}

describe('properties', () => {
  const hash = fc.uint8Array({ minLength: 16, maxLength: 16, max: 2 });
  it('any sequence of batches leaves what a map has', () => {
    const step = fc.record({
      add: fc.array(hash, { maxLength: 12 }),
      drop: fc.array(fc.nat(40), { maxLength: 8 }),
    });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 8 }),
        fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
        (steps, merges) => {
          const oracle = new Oracle();
          const index = ExactIndex.empty(16);
          let id = 0;
          steps.forEach(({ add, drop }, at) => {
            const all = oracle.sorted();
            const removed = [...new Set(drop)].filter((d) => d < all.length).map((d) => all[d]!);
            const added = add.map((h) => ({ hash: h, addIndex: id++ }));
            oracle.apply({ added, removed });
            index.apply({ added, removed });
            if (merges[at]) for (const m = index.beginMerge(); !m.step(); );
            expectSame(index, oracle, []);
          });
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('changes that meet a running merge', () => {
  it('are in the merged table, and in a cancelled one too', () => {
    const next = randomSource(5);
    const make = hashMaker('uniform', 32, next);
    const oracle = new Oracle();
    oracle.apply({ added: records(make, 3000, 0, 10, next), removed: [] });
    const index = ExactIndex.fromRows(32, [rowsOf(oracle.sorted())]);
    for (const cancel of [true, false]) {
      const merge = index.beginMerge();
      const base = oracle.sorted();
      expect(() => index.beginMerge()).toThrow(expect.objectContaining({ code: 'USAGE' }));
      for (let i = 0; i < 255; i++) {
        expect(merge.step()).toBe(false);
        const batch = {
          added: [{ hash: make(), addIndex: 10_000 + i + (cancel ? 0 : 1000) }],
          removed: base.splice(next(base.length), 1),
        };
        oracle.apply(batch);
        index.apply(batch);
      }
      if (cancel) merge.cancel();
      else expect(merge.step()).toBe(true);
      expectSame(index, oracle, [make()]);
    }
  });

  it('a merge in the background can be aborted', async () => {
    const index = ExactIndex.empty(20);
    const controller = new AbortController();
    const running = index.merge({ signal: controller.signal, pause: async () => controller.abort() });
    await expect(running).rejects.toMatchObject({ code: 'CANCELLED' });
    await index.merge();
    expect(index.size).toBe(0);
  });
});

describe('repeated and absent changes', () => {
  const hash = new Uint8Array(32).fill(7);
  it('are counted and change nothing', () => {
    const index = ExactIndex.fromRows(32, [rowsOf([{ hash, addIndex: 4 }])]);
    expect(index.apply({ added: [{ hash, addIndex: 4 }] })).toMatchObject({ added: 0, repeated: 1 });
    expect(index.apply({ removed: [{ hash, addIndex: 5 }] })).toMatchObject({ removed: 0, absent: 1 });
    expect(index.apply({ removed: [{ hash, addIndex: 4 }] })).toMatchObject({ removed: 1 });
    expect(index.apply({ removed: [{ hash, addIndex: 4 }] })).toMatchObject({ removed: 0, absent: 1 });
    expect(index.has(hash)).toBe(false);
    expect(
      index.apply({
        added: [
          { hash, addIndex: 9 },
          { hash, addIndex: 9 },
        ],
      }),
    ).toMatchObject({ added: 1, repeated: 1 });
    expect(idsOf(index, hash)).toEqual([9]);
  });

  it('an amended record leaves and enters, and stays in its row', () => {
    const index = ExactIndex.fromRows(32, [rowsOf([{ hash, addIndex: 4 }])]);
    const amended = [{ hash, addIndex: 4 }];
    expect(index.apply({ added: amended, removed: amended })).toMatchObject({
      added: 1,
      removed: 1,
      absent: 0,
    });
    expect([index.rows(hash), index.size]).toEqual([[0], 1]);
    expect(index.apply({ removed: amended }).removed).toBe(1);
    expect(index.has(hash)).toBe(false);
    for (const m = index.beginMerge(); !m.step(); );
    expect([index.rowCount, index.size]).toEqual([0, 0]);
  });

  it('of one hash ten thousand times are not quadratic in what they answer', () => {
    const index = ExactIndex.empty(32);
    const added = Array.from({ length: 10_000 }, (_, addIndex) => ({ hash, addIndex }));
    expect(index.apply({ added }).added).toBe(10_000);
    for (const m = index.beginMerge(); !m.step(); );
    expect(index.apply({ removed: added.slice(1) }).removed).toBe(9_999);
    expect(idsOf(index, hash)).toEqual([0]);
  });
});

describe('bare keys', () => {
  it('answer with the row of each key, and remove any record of a hash', () => {
    const keys = new Uint8Array(5 * 16);
    for (const [i, v] of [1, 3, 3, 3, 9].entries()) keys.fill(v, i * 16, i * 16 + 16);
    const index = ExactIndex.fromKeys(16, keys);
    const of = (v: number) => new Uint8Array(16).fill(v);
    expect([1, 3, 9, 2].map((v) => index.find(of(v)))).toEqual([0, 1, 4, -1]);
    expect(index.rows(of(3))).toEqual([1, 2, 3]);
    expect(index.addIndexOf(1)).toBeUndefined();
    index.apply({ removed: [1, 2].map((addIndex) => ({ hash: of(3), addIndex })) });
    expect(index.rows(of(3))).toEqual([3]);
    index.apply({
      removed: [
        { hash: of(3), addIndex: 3 },
        { hash: of(3), addIndex: 4 },
      ],
    });
    expect([index.has(of(3)), index.size]).toEqual([false, 2]);
    for (const m = index.beginMerge(); !m.step(); );
    expect([index.find(of(1)), index.find(of(9)), index.rowCount]).toEqual([0, 1, 2]);
  });
});

describe('bad input', () => {
  const hash = (v: number) => new Uint8Array(32).fill(v);
  const malformed = expect.objectContaining({ code: 'MALFORMED' });
  it('is refused before anything changes', () => {
    const index = ExactIndex.fromRows(32, [rowsOf([{ hash: hash(1), addIndex: 0 }])]);
    const bad = {
      added: [
        { hash: hash(2), addIndex: 1 },
        { hash: new Uint8Array(31), addIndex: 2 },
      ],
    };
    expect(() => index.apply(bad)).toThrow(malformed);
    expect(index.has(hash(2))).toBe(false);
    expect(() => index.find(new Uint8Array(20))).toThrow(malformed);
    expect(() => index.has(new Uint8Array(33))).toThrow(malformed);
    expect(() => index.matchMany(new Uint8Array(33))).toThrow(malformed);
    expect(() => index.matchMany(new Uint8Array(64), new Int32Array(1))).toThrow(malformed);
  });

  it('unsorted, truncated and overlong rows are refused', () => {
    const unsorted = rowsOf([2, 1].map((v) => ({ hash: hash(v), addIndex: v })));
    const late = hash(1);
    late[31] = 0;
    expect(() => ExactIndex.fromRows(32, [unsorted])).toThrow(malformed);
    expect(() =>
      ExactIndex.fromRows(32, [
        rowsOf([
          { hash: hash(1), addIndex: 0 },
          { hash: late, addIndex: 1 },
        ]),
      ]),
    ).toThrow(malformed);
    const whole = rowsOf([{ hash: hash(1), addIndex: 0 }], 5);
    for (let length = 1; length < whole.length; length++) {
      expect(() => ExactIndex.fromRows(32, [whole.subarray(0, length)])).toThrow(malformed);
    }
    expect(() => ExactIndex.fromKeys(32, new Uint8Array(33))).toThrow(malformed);
  });

  it('rows that are more or fewer than was said are refused', () => {
    const rows = rowsOf([
      { hash: hash(1), addIndex: 0 },
      { hash: hash(2), addIndex: 1 },
    ]);
    const build = (count: number) => ExactIndex.fromRows(32, [rows], { count, logSize: 2 });
    expect(build(2).size).toBe(2);
    expect(() => build(1)).toThrow(malformed);
    expect(() => build(3)).toThrow(malformed);
  });

  it('numbers beyond 32 bits survive tables and merges', () => {
    const large = 2 ** 40 + 1;
    const index = ExactIndex.fromRows(32, [rowsOf([{ hash: hash(1), addIndex: large }])]);
    expect(idsOf(index, hash(1))).toEqual([large]);
    const small = ExactIndex.fromRows(32, [rowsOf([{ hash: hash(1), addIndex: 1 }])]);
    small.apply({ added: [{ hash: hash(1), addIndex: large }] });
    for (const m = small.beginMerge(); !m.step(); );
    expect(idsOf(small, hash(1))).toEqual([1, large]);
  });
});

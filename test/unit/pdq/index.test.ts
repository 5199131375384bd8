import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_ROWS, PdqIndex, type PdqMatches } from '../../../sdk/match/pdq/index.js';
import { lcg } from './patterns.js';
import { BYTES, bruteForce, distance, queriesFor, SETS } from './sets.js';

const COUNT = 8_000;
const answer = (matches: PdqMatches) =>
  Array.from(matches.rows, (row, i) => `${row}:${matches.distances[i]}`).sort();
const numbered = (count: number, first = 0) => Uint32Array.from({ length: count }, (_, i) => first + i);
const places = (rows: Uint32Array) => [...rows].map((row, i): [number, number] => [row, i * BYTES]);

function loaded(hashes: Uint8Array): PdqIndex {
  const index = new PdqIndex();
  index.load(numbered(hashes.length / BYTES), hashes);
  return index;
}

/** Compares one query at every kind of distance; where more match than the cap, that many true ones suffice. */
function checkQuery(
  index: PdqIndex,
  places: [number, number][],
  hashes: Uint8Array,
  query: Uint8Array,
): void {
  for (const most of [0, 15, 31, 40, 63]) {
    const expected = bruteForce(places, hashes, query, most);
    const got = index.search(query, most, 1000);
    expect(got.truncated).toBe(expected.length > 1000);
    expect(got.count).toBe(Math.min(1000, expected.length));
    const all = new Set(expected);
    expect(answer(got).filter((one) => !all.has(one))).toEqual([]);
    expect(new Set(got.rows).size).toBe(got.count);
  }
}

describe.each(Object.entries(SETS))('the PDQ index on %s', (_, make) => {
  it('finds exactly what a brute-force search finds', () => {
    const hashes = make(COUNT, 1);
    const index = loaded(hashes);
    expect(index.size).toBe(COUNT);
    expect(index.bands.count).toBeGreaterThan(0);
    const all = places(numbered(COUNT));
    for (const query of queriesFor(hashes, 10, 2)) checkQuery(index, all, hashes, query);
  });

  it('keeps to that while hashes are added and removed', () => {
    const hashes = make(COUNT, 3);
    const index = loaded(hashes.subarray(0, (COUNT / 2) * BYTES));
    const next = lcg(4);
    const held = new Map(places(numbered(COUNT / 2)));
    for (let turn = 0; turn < 4_000; turn++) {
      const row = (next() >>> 4) % COUNT;
      const had = held.delete(row);
      expect(index.remove(row)).toBe(had);
      if (had && next() >>> 31 === 1) continue;
      const from = ((next() >>> 4) % COUNT) * BYTES;
      index.add(row, hashes.subarray(from, from + BYTES));
      held.set(row, from);
    }
    expect(index.size).toBe(held.size);
    for (const query of queriesFor(hashes, 6, 5)) checkQuery(index, [...held], hashes, query);
  });

  it('is empty after everything was removed, and can be filled again', async () => {
    const hashes = make(5_000, 6);
    const index = loaded(hashes);
    await index.update({ remove: numbered(5_000) });
    expect(index.size).toBe(0);
    for (const query of queriesFor(hashes, 4, 7)) expect(index.search(query, 63).count).toBe(0);
    await index.update({ rows: numbered(5_000), hashes });
    const all = places(numbered(5_000));
    for (const query of queriesFor(hashes, 4, 8)) checkQuery(index, all, hashes, query);
  });
});

describe('the PDQ index', () => {
  const uniform = SETS['uniform']!;
  const kin = SETS['families of 30']!;

  it('answers as brute force after any sequence of changes', () => {
    const hash = fc.tuple(fc.nat(3), fc.nat(6), fc.nat(255)).map(([base, flips, seed]) => {
      const bytes = new Uint8Array(BYTES).fill(base * 85);
      const next = lcg(seed);
      for (let i = 0; i < flips * 4; i++) bytes[(next() >>> 8) % BYTES]! ^= 1 << (next() >>> 29);
      return bytes;
    });
    const change = fc.record({ row: fc.nat(70_000), hash: fc.option(hash) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), hash, fc.nat(63), (changes, query, most) => {
        const index = new PdqIndex();
        const held = new Map<number, Uint8Array>();
        for (const one of changes) {
          if (one.hash === null) expect(index.remove(one.row)).toBe(held.delete(one.row));
          else {
            index.add(one.row, one.hash);
            held.set(one.row, one.hash);
          }
        }
        const expected = [...held]
          .map(([row, bytes]) => ({ row, d: distance(bytes, 0, query, 0) }))
          .filter(({ d }) => d <= most)
          .map(({ row, d }) => `${row}:${d}`);
        expect(answer(index.search(query, most))).toEqual(expected.sort());
        expect(index.size).toBe(held.size);
      }),
      { numRuns: 60 },
    );
  });

  it('grows from nothing one by one, building bands on the way', () => {
    const hashes = kin(20_000, 9);
    const index = new PdqIndex();
    const shapes = new Set<string>();
    const queries = queriesFor(hashes, 20, 10);
    for (let row = 0; row < 20_000; row++) {
      index.add(row, hashes.subarray(row * BYTES, (row + 1) * BYTES));
      shapes.add(JSON.stringify(index.bands));
      if (row % 1_000 !== 999) continue;
      const query = queries[Math.floor(row / 1_000)]!;
      const rows = places(numbered(row + 1));
      expect(answer(index.search(query))).toEqual(bruteForce(rows, hashes, query, 31));
    }
    expect(shapes.size).toBeGreaterThan(2);
  });

  it('answers between the slices of an update, from before or after each change', async () => {
    const hashes = kin(30_000, 11);
    const index = loaded(hashes.subarray(0, 20_000 * BYTES));
    const queries = queriesFor(hashes, 50, 12);
    const remove = numbered(5_000, 5_000);
    const rows = numbered(10_000, 20_000);
    let running = true;
    const update = index
      .update({ remove, rows, hashes: hashes.subarray(20_000 * BYTES) }, { sliceMs: 0.01 })
      .finally(() => {
        running = false;
      });
    let turns = 0;
    for (; running; turns++) {
      const query = queries[turns % queries.length]!;
      const least = bruteForce(
        places(numbered(20_000)).filter(([row]) => row < 5_000 || row >= 10_000),
        hashes,
        query,
        31,
      );
      const most = new Set(bruteForce(places(numbered(30_000)), hashes, query, 31));
      const got = answer(index.search(query));
      expect(least.filter((one) => !got.includes(one))).toEqual([]);
      expect(got.filter((one) => !most.has(one))).toEqual([]);
      await setImmediate();
    }
    await update;
    expect(turns).toBeGreaterThan(3);
    expect(index.size).toBe(25_000);
  });

  it('refuses a second update at a time and stops when told to', async () => {
    const index = loaded(uniform(5_000, 13));
    const controller = new AbortController();
    const first = index.update(
      { rows: numbered(5_000, 5_000), hashes: uniform(5_000, 14) },
      { signal: controller.signal, sliceMs: 0 },
    );
    await expect(index.update({ remove: numbered(1) })).rejects.toThrow('another update');
    controller.abort();
    await expect(first).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(index.size).toBeLessThan(10_000);
    await index.update({ rows: numbered(5_000, 5_000), hashes: uniform(5_000, 14) });
    expect(index.size).toBe(10_000);
  });

  it('caps results and says so', () => {
    const index = loaded(new Uint8Array(5_000 * BYTES));
    const query = new Uint8Array(BYTES);
    expect(index.search(query, 31, 10)).toMatchObject({ count: 10, truncated: true });
    expect(index.search(query, 31, 4_096)).toMatchObject({ count: 4_096, truncated: true });
    const few = new PdqIndex();
    few.load(numbered(10), new Uint8Array(10 * BYTES));
    expect(few.search(query, 31, 10)).toMatchObject({ count: 10, truncated: false });
  });

  it('takes at most 130 bytes a hash for 200,000 hashes', () => {
    const count = 3 * 65_536;
    const index = loaded(uniform(count, 15));
    expect(index.bytes / count).toBeLessThanOrEqual(130);
  });

  it('does not grow while rows come and go', async () => {
    const index = loaded(uniform(20_000, 16));
    let settled = 0;
    for (let turn = 0; turn < 12; turn++) {
      await index.update({ rows: numbered(20_000), hashes: uniform(20_000, 17 + turn) });
      if (turn === 5) settled = index.bytes;
    }
    expect(index.bytes).toBeLessThanOrEqual(settled * 1.05);
  });

  it('takes the last hash of a row that is given twice', () => {
    const hashes = uniform(6_000, 30);
    const index = loaded(hashes);
    index.load(Uint32Array.of(7, 8, 7), hashes.subarray(0, 3 * BYTES));
    expect(index.size).toBe(6_000);
    expect(answer(index.search(hashes.subarray(2 * BYTES, 3 * BYTES), 0))).toEqual(['2:0', '7:0']);
    expect(index.remove(7)).toBe(true);
    expect(answer(index.search(hashes.subarray(2 * BYTES, 3 * BYTES), 0))).toEqual(['2:0']);
  });

  it('refuses malformed input', async () => {
    const index = new PdqIndex();
    const hash = new Uint8Array(BYTES);
    expect(() => index.search(new Uint8Array(31))).toThrow('32 bytes');
    expect(() => index.search(hash, 64)).toThrow('distance');
    expect(() => index.search(hash, 1.5)).toThrow('distance');
    expect(() => index.search(hash, 31, 0)).toThrow('cap');
    expect(() => index.add(MAX_ROWS, hash)).toThrow('row');
    expect(() => index.add(-1, hash)).toThrow('row');
    expect(() => index.add(0, new Uint8Array(33))).toThrow('32 bytes');
    expect(() => index.load(numbered(2), hash)).toThrow('32 bytes');
    await expect(index.update({ rows: numbered(1), hashes: new Uint8Array(0) })).rejects.toThrow('32 bytes');
    expect(index.remove(5)).toBe(false);
    index.add(5, hash);
    for (const row of [2 ** 32 + 5, -1, 5.5]) expect(index.remove(row)).toBe(false);
    expect(index.remove(5)).toBe(true);
    expect(index.size).toBe(0);
  });
});

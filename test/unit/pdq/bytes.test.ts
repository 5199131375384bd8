import { describe, expect, it } from 'vitest';
import { PdqIndex } from '../../../sdk/match/pdq/index.js';
import { bytesOf, planBands } from '../../../sdk/match/pdq/plan.js';
import { CLUSTERED, uniform } from '../../bench/pdq-data.js';
import { BYTES, bruteForce, queriesFor } from './sets.js';

const COUNT = 100_000;
const numbered = (count: number) => Uint32Array.from({ length: count }, (_, i) => i);

function loaded(hashes: Uint8Array): PdqIndex {
  const index = new PdqIndex();
  index.load(numbered(hashes.length / BYTES), hashes);
  return index;
}

describe('the memory of the PDQ index', () => {
  it.each(Object.entries({ uniform, ...CLUSTERED }))('is at most 130 bytes a hash on %s', (_, make) => {
    const index = loaded(make(COUNT, 3));
    expect(index.bands.count).toBeGreaterThan(0);
    expect(index.bytes / COUNT).toBeLessThanOrEqual(130);
  });

  it('is the same where a list is loaded in parts', () => {
    const hashes = uniform(COUNT, 3);
    const rows = numbered(COUNT);
    const index = new PdqIndex();
    const cuts = [0, 30_000, 30_001, 65_536, COUNT];
    index.loadParts(
      cuts.slice(1).map((to, i) => ({
        rows: rows.subarray(cuts[i], to),
        hashes: hashes.subarray(cuts[i]! * BYTES, to * BYTES),
      })),
    );
    expect([index.size, index.bytes, index.bands]).toEqual([
      COUNT,
      loaded(hashes).bytes,
      loaded(hashes).bands,
    ]);
    const row = 65_536;
    expect([...index.search(hashes.subarray(row * BYTES, (row + 1) * BYTES)).rows]).toEqual([row]);
  });

  it('is at most that by plan for every size from 65,536 on', () => {
    for (let count = 65_536; count < 2 ** 24; count *= 1.1) {
      expect(bytesOf(planBands(count, 31), count)).toBeLessThanOrEqual(130);
    }
  });

  it('is lent and taken back without losing a hash when the data change their nature', async () => {
    const count = 20_000;
    const rows = numbered(count);
    const index = loaded(CLUSTERED['identical']!(count, 3));
    for (const make of [uniform, CLUSTERED['one-family']!, CLUSTERED['low-entropy']!, uniform]) {
      const hashes = make(count, 5);
      await index.update({ rows, hashes });
      for (const query of queriesFor(hashes, 5, 6)) {
        const places = Array.from(rows, (row): [number, number] => [row, row * BYTES]);
        const got = index.search(query, 20, 4_096);
        const expected = bruteForce(places, hashes, query, 20);
        expect(got.truncated).toBe(expected.length > 4_096);
        const found = Array.from(got.rows, (row, i) => `${row}:${got.distances[i]}`).sort();
        if (got.truncated) expect(found.filter((one) => !expected.includes(one))).toEqual([]);
        else expect(found).toEqual(expected);
      }
    }
  });
});

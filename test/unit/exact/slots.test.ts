import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ExactIndex, type KeyBytes } from '../../../sdk/match/index.js';
import { crowdedKeys, randomSource } from './oracle.js';

const hex = (key: Uint8Array): string => Buffer.from(key).toString('hex');

/** Rows of each key, by its digits. */
function rowsByKey(keys: readonly Uint8Array[]): Map<string, number[]> {
  const rows = new Map<string, number[]>();
  keys.forEach((key, row) => {
    rows.set(hex(key), [...(rows.get(hex(key)) ?? []), row]);
  });
  return rows;
}

/** Every key, and each with its slot, tag, first or last byte of the rest changed by one. */
function asked(keys: readonly Uint8Array[]): Uint8Array[] {
  return keys.flatMap((key) =>
    [undefined, 0, 1, 2, 3, 4, key.length - 1].flatMap((byte) => {
      const changed = [-1, 1].map((by) => {
        const other = key.slice();
        if (byte !== undefined) other[byte] = other[byte]! + by;
        return other;
      });
      return byte === undefined ? [key] : changed;
    }),
  );
}

function expectAnswers(index: ExactIndex, keys: readonly Uint8Array[]): void {
  const queries = asked(keys);
  const many = index.matchMany(Uint8Array.from(Buffer.concat(queries)));
  const expected = rowsByKey(keys);
  const wrong = queries.filter((query, i) => {
    const rows = expected.get(hex(query)) ?? [];
    const first = rows[0] ?? -1;
    const right = index.find(query) === first && many[i] === first && index.has(query) === first >= 0;
    return !right || `${index.rows(query)}` !== `${rows}`;
  });
  expect(wrong).toEqual([]);
}

for (const keyBytes of [16, 20, 32] as KeyBytes[]) {
  describe(`${keyBytes}-byte keys that crowd together`, () => {
    it('are found in slots of 0 to 40 rows, tags and whole keys being equal', () => {
      const next = randomSource(keyBytes);
      const sizes = Array.from({ length: 41 }, (_, rows) => rows);
      for (const order of [sizes, sizes.toReversed()]) {
        const keys = crowdedKeys(order, keyBytes, next);
        expectAnswers(ExactIndex.fromKeys(keyBytes, Uint8Array.from(Buffer.concat(keys))), keys);
      }
    });

    it.each([31, 32, 33, 47, 48, 49, 200])('are found where %i rows have one tag', (rows) => {
      const keys = crowdedKeys([rows], keyBytes, randomSource(rows)).map((key) => {
        key[3] = 0xff;
        return key;
      });
      keys.sort(Buffer.compare);
      expectAnswers(ExactIndex.fromKeys(keyBytes, Uint8Array.from(Buffer.concat(keys))), keys);
    });

    it('of the lowest and the highest values are found', () => {
      const edge = (value: number, last: number) => {
        const key = new Uint8Array(keyBytes).fill(value);
        key[keyBytes - 1] = last;
        return key;
      };
      const keys = [edge(0, 0), edge(0, 1), edge(255, 254), edge(255, 255)];
      expectAnswers(ExactIndex.fromKeys(keyBytes, Uint8Array.from(Buffer.concat(keys))), keys);
      expectAnswers(ExactIndex.empty(keyBytes), []);
      expect(ExactIndex.empty(keyBytes).find(edge(0, 0))).toBe(-1);
    });
  });
}

describe('the WebAssembly of the exact index', () => {
  it('is what its source compiles to', () => {
    const script = fileURLToPath(new URL('../../../sdk/match/exact/wasm/build.mjs', import.meta.url));
    const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});

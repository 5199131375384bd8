import { describe, expect, it, test } from 'vitest';
import { ExactIndex, ExactOpening, type KeyBytes, type RecordKey } from '../../../sdk/match/index.js';
import { hashMaker, randomSource, rowsOf } from './oracle.js';

const LENGTHS: readonly KeyBytes[] = [16, 20, 32];
const KINDS = ['uniform', 'prefix', 'tail'] as const;
const COUNT = 3_000;
const code = (code: string) => expect.objectContaining({ code });

const joined = (parts: readonly Uint8Array[]) => Uint8Array.from(Buffer.concat(parts));
const byHash = (a: RecordKey, b: RecordKey) => Buffer.compare(a.hash, b.hash) || a.addIndex - b.addIndex;

function sorted(keyBytes: KeyBytes, kind: (typeof KINDS)[number], firstId = 0): RecordKey[] {
  const next = randomSource(keyBytes + kind.length);
  const make = hashMaker(kind, keyBytes, next);
  const records: RecordKey[] = [];
  for (let i = 0; i < COUNT; i++) {
    const twin = records[next(COUNT)];
    records.push({ hash: twin?.hash ?? make(), addIndex: firstId + i });
  }
  return records.sort(byHash);
}

/** Keys and rows in pieces of uneven length. */
function opened(keyBytes: KeyBytes, records: readonly RecordKey[], logSize: number): ExactOpening {
  const opening = new ExactOpening(keyBytes, { count: records.length, logSize });
  for (let at = 0, n = 1; at < records.length; at += n, n = (n * 7) % 501)
    opening.addKeys(joined(records.slice(at, at + n).map(({ hash }) => hash)));
  return opening;
}

describe.each(LENGTHS)('keys of %d bytes', (keyBytes) => {
  it.each(KINDS)('%s: misses nothing from the keys, and becomes what the rows make', (kind) => {
    const records = sorted(keyBytes, kind);
    const opening = opened(keyBytes, records, COUNT);
    const make = hashMaker(kind, keyBytes, randomSource(99));
    const strangers = Array.from({ length: 2_000 }, make);
    const index = ExactIndex.fromRows(keyBytes, [rowsOf(records, 3)]);
    expect(records.every(({ hash }) => opening.mayHave(hash))).toBe(true);
    const wrong = strangers.filter((hash) => index.has(hash) && !opening.mayHave(hash));
    expect(wrong).toEqual([]);
    for (let at = 0, n = 1; at < records.length; at += n, n = (n * 5) % 333) {
      const rows = rowsOf(records.slice(at, at + n), 3);
      expect(opening.checkRows(rows, at)).toBe(Math.min(at + n, records.length));
      expect(opening.isWhole).toBe(false);
      opening.addRows(rows);
    }
    const whole = opening.finish();
    const asked = joined([...records.map(({ hash }) => hash), ...strangers]);
    expect(whole.matchMany(asked)).toEqual(index.matchMany(asked));
    const ids = (of: ExactIndex) => records.map(({ hash }) => of.rows(hash).map((row) => of.addIndexOf(row)));
    expect(ids(whole)).toEqual(ids(index));
  });
});

test('few strangers have the beginning of a key', () => {
  const records = sorted(32, 'uniform');
  const opening = opened(32, records, COUNT);
  const make = hashMaker('uniform', 32, randomSource(5));
  const maybe = Array.from({ length: 20_000 }, make).filter((hash) => opening.mayHave(hash));
  expect(maybe.length).toBeLessThan(20);
});

test('entries of a log beyond 32 bits keep their numbers', () => {
  const records = sorted(16, 'uniform', 2 ** 40);
  const opening = opened(16, records, 2 ** 41);
  opening.addRows(rowsOf(records));
  const index = opening.finish();
  expect(records.map((_, row) => index.addIndexOf(row))).toEqual(records.map(({ addIndex }) => addIndex));
});

test('a list without records has no keys to wait for', () => {
  const opening = new ExactOpening(20, { count: 0, logSize: 0 });
  expect(opening.hasKeys).toBe(true);
  expect(opening.mayHave(new Uint8Array(20))).toBe(false);
  expect(opening.finish().size).toBe(0);
});

describe('refuses', () => {
  const records = sorted(32, 'uniform');
  const keys = joined(records.map(({ hash }) => hash));
  const fresh = () => new ExactOpening(32, { count: COUNT, logSize: COUNT });
  const malformed = code('MALFORMED');

  test('keys that are not sorted, too many, or cut', () => {
    const turned = joined([...records].reverse().map(({ hash }) => hash));
    expect(() => fresh().addKeys(turned)).toThrow(malformed);
    expect(() => fresh().addKeys(joined([keys, keys.subarray(-32)]))).toThrow(malformed);
    expect(() => fresh().addKeys(keys.subarray(0, 33))).toThrow(malformed);
  });

  test('to answer before all keys are known', () => {
    const opening = fresh();
    opening.addKeys(keys.subarray(32));
    expect(opening.hasKeys).toBe(false);
    expect(() => opening.mayHave(keys.subarray(0, 32))).toThrow(malformed);
  });

  test('rows of other keys, more rows, and fewer', () => {
    const opening = () => opened(32, records, COUNT);
    const other = records.map(({ hash, addIndex }, i) => ({
      hash: i === 1_000 ? hash.map((byte, at) => (at === 3 ? byte ^ 1 : byte)) : hash,
      addIndex,
    }));
    for (const wrong of [other, [...records, records[0]!], records.slice(1)]) {
      expect(() => opening().addRows(rowsOf(wrong))).toThrow(malformed);
      expect(() => opening().checkRows(rowsOf(wrong), 0)).toThrow(malformed);
    }
    const fewer = opening();
    fewer.addRows(rowsOf(records.slice(0, -1)));
    expect(() => fewer.finish()).toThrow(malformed);
  });
});

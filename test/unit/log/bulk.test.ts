import { describe, expect, it } from 'vitest';
import {
  compareBytes,
  encodeBundle,
  encodeLeaf,
  ListState,
  parseOrigin,
  type RecordView,
  toHex,
  writeU64,
} from '../../../sdk/core/index.js';
import { seededBytes } from '../../support/log-builder.js';
import { naiveDigest } from '../../support/naive-log.js';
import { testSha256 } from '../../support/sha256.js';

const NO_META = new Uint8Array(0);
const T = 1_700_000_000_000;
const LEAF = 82;

/** `count` ADDs in one bundle: a third of hashes spread, a third sharing 30 bits, a third one and the same. */
function adds(count: number, seed: string): Uint8Array {
  const one = {
    kind: 'add',
    timeMs: T,
    readd: false,
    hashType: 3,
    scheme: 1,
    code: 1,
    verifications: 0,
  } as const;
  const bytes = {
    itemId: new Uint8Array(16),
    blind: new Uint8Array(16),
    hash: new Uint8Array(32),
    meta: NO_META,
  };
  const entry = encodeBundle([encodeLeaf({ ...one, ...bytes })]);
  const random = seededBytes(seed, 8 * count);
  const out = new Uint8Array((2 + LEAF) * count);
  for (let i = 0; i < count; i++) {
    const at = (2 + LEAF) * i;
    out.set(entry, at);
    writeU64(out, at + 2 + 15, i);
    if (i % 3 === 0) out.set(random.subarray(8 * i, 8 * i + 8), at + 50);
    if (i % 3 === 1) out.set(random.subarray(8 * i, 8 * i + 8), at + 54);
  }
  return out;
}

function commit(state: ListState, bundle: Uint8Array, bits?: number): void {
  const planned = state.stage();
  planned.append(bundle, state.size);
  const seal = encodeBundle([encodeLeaf(planned.planSeal(T, new Uint8Array(16), bits))]);
  planned.append(seal, planned.next);
  planned.finish();
  planned.commit();
}

/** Sorted strictly, every index found, and the digest of its definition. */
function checkWhole(state: ListState): void {
  const records: RecordView[] = [...state.records()];
  expect(records).toHaveLength(state.count);
  const wrong = records.filter((record, i) => {
    const before = records[i - 1];
    const order =
      before === undefined ? -1 : compareBytes(before.hash, record.hash) || before.addIndex - record.addIndex;
    return order >= 0 || state.rowByIndex(record.addIndex) === undefined;
  });
  expect(wrong).toEqual([]);
  expect(toHex(state.setDigest())).toBe(naiveDigest(state.bucketBits, records, []));
}

describe('a list of many records', () => {
  it('stays sorted, found and digested through changes and compaction, however skewed', () => {
    const state = ListState.empty(parseOrigin('a.example/b/sha256/g1'), testSha256);
    commit(state, adds(80_000, 'first'), 6);
    checkWhole(state);
    const targets = Array.from({ length: 3_000 }, (_, i) => (i * 26) % 80_000);
    const changes = targets.map((targetIndex, i) => {
      const common = { timeMs: T, targetIndex, reason: 1, meta: NO_META };
      if (i % 2 === 0) return encodeLeaf({ kind: 'withdraw', ...common });
      return encodeLeaf({ kind: 'amend', ...common, scheme: 2, code: 2, verifications: 3 });
    });
    commit(state, encodeBundle(changes));
    state.compact();
    checkWhole(state);
    commit(state, adds(9_000, 'second'));
    expect(state.count).toBe(80_000 - 1_500 + 9_000);
    checkWhole(state);
  });

  it('stays so when forks are given up and many small changes follow each other', () => {
    const state = ListState.empty(parseOrigin('a.example/b/sha256/g1'), testSha256);
    commit(state, adds(90_000, 'first'), 12);
    for (let i = 0; i < 6; i++) {
      const given = state.stage();
      given.append(adds(500 + 7_000 * (i % 2), `given up ${i}`), state.size);
      given.discard();
      commit(state, adds(900, `small ${i}`));
    }
    expect(state.count).toBe(90_000 + 6 * 900);
    checkWhole(state);
  });

  it('names each repetition of a hash that stands in it ten thousand times', () => {
    const state = ListState.empty(parseOrigin('a.example/b/sha256/g1'), testSha256);
    const once = adds(30_000, 'first');
    commit(state, once, 6);
    const again = state.stage();
    again.append(once.slice(0, 3 * (2 + LEAF)), state.size);
    again.append(encodeBundle([encodeLeaf(again.planSeal(T, new Uint8Array(16)))]), again.next);
    const first = state.size;
    expect(again.finish().duplicates().sort()).toEqual([first, first + 1, first + 2]);
    again.discard();
  });

  it('is judged the same in slices as at once, at first and on top of what is there', () => {
    const state = ListState.empty(parseOrigin('a.example/b/sha256/g1'), testSha256);
    for (const seed of ['first', 'second']) {
      const bundle = adds(20_000, seed);
      const planned = state.stage();
      planned.append(bundle, state.size);
      const seal = encodeBundle([encodeLeaf(planned.planSeal(T, new Uint8Array(16), 12))]);
      planned.discard();
      const sliced = state.stage();
      sliced.append(bundle, state.size);
      sliced.append(seal, sliced.next);
      expect([...sliced.steps()].length).toBeGreaterThan(60);
      expect([...sliced.steps()]).toEqual([]);
      sliced.finish();
      sliced.commit();
      checkWhole(state);
    }
  });
});

import { describe, expect, it } from 'vitest';
import { encodeBundle, encodeLeaf, ListState, oneKeyLimit, toHex } from '../../../sdk/core/index.js';
import { LogBuilder } from '../../support/log-builder.js';
import { testSha256 } from '../../support/sha256.js';

const ORIGIN = 'police.example/csam/sha256/g1';
const code = (code: string) => expect.objectContaining({ code });

function stage(log: LogBuilder, erased: readonly number[] = [], until?: number) {
  const state = ListState.empty(log.origin, testSha256);
  const staging = state.stage(until === undefined ? {} : { until });
  staging.append(log.bundle(0, log.size, new Set(erased)), 0);
  return { state, staging };
}

function sealed(): LogBuilder {
  const log = new LogBuilder(ORIGIN);
  log.add('a');
  log.add('b');
  log.seal();
  return log;
}

describe('judging a range', () => {
  it('names what is wrong, and leaves the state alone', () => {
    const unsealed = sealed();
    unsealed.add('c');
    const wrongCount = sealed();
    wrongCount.seal({ setCount: 3 });
    const wrongDigest = sealed();
    wrongDigest.seal({ setDigest: new Uint8Array(32) });
    const wrongChain = sealed();
    wrongChain.seal({ batchNo: 3 });
    const rows = [
      [unsealed, [], 'NOT_SEALED'],
      [wrongCount, [], 'PUBLISHER_INVALID'],
      [wrongDigest, [], 'PUBLISHER_INVALID'],
      [wrongChain, [], 'PUBLISHER_INVALID'],
      [sealed(), [1], 'MISSING_ENTRY'],
      [wrongCount, [1], 'MISSING_ENTRY'],
    ] as const;
    for (const [log, erased, expected] of rows) {
      const { state, staging } = stage(log, erased);
      expect(() => staging.finish()).toThrow(code(expected));
      expect(() => staging.commit()).toThrow(code('INTERNAL'));
      staging.discard();
      expect([state.size, state.count]).toEqual([0, 0]);
    }
  });

  it('stops at the last seal before an unknown leaf, which can still be committed', () => {
    const log = sealed();
    log.raw(Uint8Array.of(2));
    log.raw(log.leaves[2]!);
    const { staging } = stage(log, [1]);
    expect(() => staging.finish()).toThrow(code('UPGRADE_REQUIRED'));
    expect(staging.stopped).toEqual({ index: 3, sealedSize: 3 });
    const again = stage(log, [], 3);
    again.staging.finish();
    again.staging.commit();
    expect([again.state.size, again.state.count]).toEqual([3, 2]);
  });

  it('recovers at a later seal that matches', () => {
    const log = sealed();
    log.seal({ setCount: 9 });
    log.seal();
    const { state, staging } = stage(log);
    expect(staging.finish().seals.map((s) => s.countOk)).toEqual([true, false, true]);
    staging.commit();
    expect(state.head.seal?.batchNo).toBe(3);
  });

  it('refuses a gap, a closed staging, and a fork of an older state', () => {
    const log = sealed();
    const { state, staging } = stage(log);
    expect(() => staging.append(log.bundle(), 2)).toThrow(code('MALFORMED'));
    const other = state.stage();
    staging.finish();
    staging.commit();
    expect(() => staging.finish()).toThrow(code('INTERNAL'));
    expect(() => other.append(log.bundle(), 0)).toThrow(code('OLD_SIZE_MISMATCH'));
    other.discard();
  });
});

describe('lookups', () => {
  it('find every record of a hash, and none that was withdrawn', () => {
    const log = new LogBuilder(ORIGIN);
    const first = log.add('a');
    const second = log.add('a', { itemId: new Uint8Array(16).fill(5) });
    const gone = log.add('b');
    log.withdraw(gone);
    log.amend(second, 9);
    log.seal();
    const { state, staging } = stage(log);
    const range = staging.finish();
    expect(range.duplicates()).toEqual([]);
    staging.commit();
    const record = state.recordByIndex(first)!;
    expect(state.lookup(record.hash).map((r) => [r.addIndex, r.lastIndex, r.verifications])).toEqual([
      [first, first, 1],
      [second, 4, 9],
    ]);
    expect(state.recordByIndex(gone)).toBeUndefined();
    expect(state.recordByIndex(99)).toBeUndefined();
    expect(state.lookup(new Uint8Array(20))).toEqual([]);
  });

  it('name staged records that repeat a live (hash, item_id)', () => {
    const log = sealed();
    const twin = log.add('a');
    log.seal();
    const { staging } = stage(log);
    expect(staging.finish().duplicates().sort()).toEqual([0, twin]);
  });

  it('tell the rows that came and went', () => {
    const log = sealed();
    const { state, staging } = stage(log);
    staging.finish();
    staging.commit();
    log.withdraw(0);
    log.amend(1);
    const added = log.add('c');
    log.seal();
    const next = state.stage();
    next.append(log.bundle(3), 3);
    const range = next.finish();
    const indexes = (rows: Uint32Array) => [...rows].map((row) => state.arena.addIndex(row)).sort();
    next.commit();
    expect(indexes(range.added)).toEqual([1, added]);
    expect(indexes(range.removed)).toEqual([0, 1]);
  });

  it('hold what a hold covers until it ends, or for ever without a clock', () => {
    const log = sealed();
    const until = log.timeMs + 3_600_000;
    log.hold(1, 2, 1);
    log.seal();
    const { state, staging } = stage(log);
    staging.finish();
    staging.commit();
    expect([state.isHeld(0, until - 1), state.isHeld(1, until - 1), state.isHeld(1, until)]).toEqual([
      false,
      true,
      false,
    ]);
    expect(state.isHeld(1, undefined)).toBe(true);
  });
});

describe('counts above an anchor', () => {
  it('are those of each mark, withdrawals only of what is older', () => {
    const log = sealed();
    log.add('c');
    log.withdraw(3);
    log.withdraw(0);
    log.amend(1);
    const second = log.seal() + 1;
    log.add('d', { readd: true });
    log.withdraw(1);
    log.seal();
    const { staging } = stage(log);
    staging.finish();
    expect(staging.countsSince(3)).toMatchObject({
      anchorSetCount: 2,
      added: 2,
      amended: 1,
      withdrawn: 3,
      withdrawnOld: 2,
    });
    expect(staging.countsSince(second)).toMatchObject({
      anchorSetCount: 1,
      added: 1,
      readded: 1,
      withdrawnOld: 1,
    });
    expect(staging.countsSince(0)).toMatchObject({ added: 4, withdrawnOld: 0 });
    expect(() => staging.countsSince(4)).toThrow(code('NOT_FOUND'));
    staging.replay.counts.forgetBelow(second);
    expect(staging.countsSince(second)).toMatchObject({ added: 1, withdrawnOld: 1 });
    expect(() => staging.countsSince(3)).toThrow(code('NOT_FOUND'));
  });

  it('see which old records holds cover, and whether one is covered twice', () => {
    const old = 1_600_000_000_000;
    const log = new LogBuilder(ORIGIN);
    for (const name of ['a', 'b', 'c']) log.add(name, { timeMs: old });
    log.add('young');
    const anchor = log.seal() + 1;
    log.hold(0, 2);
    log.hold(2, 4);
    log.seal();
    const apart = stage(log).staging;
    expect(apart.countsSince(anchor)).toMatchObject({ holds: 2, heldOld: 3, heldTwice: false });
    log.hold(1, 3);
    log.seal();
    expect(stage(log).staging.countsSince(anchor)).toMatchObject({ holds: 3, heldOld: 3, heldTwice: true });
    log.withdraw(1);
    log.withdraw(2);
    log.seal();
    expect(stage(log).staging.countsSince(anchor)).toMatchObject({ heldOld: 1, heldTwice: false });
  });

  it('are compared with a limit that grows with the list', () => {
    expect([0, 100, 500, 10_000, 50_000, 1_000_000].map(oneKeyLimit)).toEqual([
      20, 20, 50, 1_000, 1_000, 10_000,
    ]);
  });
});

describe('publishing', () => {
  it('plans the seal that a reader accepts', () => {
    const log = sealed();
    const { state, staging } = stage(log);
    staging.finish();
    staging.commit();
    log.withdraw(1);
    const mine = state.stage();
    mine.append(log.bundle(3), 3);
    const seal = mine.planSeal(log.timeMs, new Uint8Array(16).fill(3));
    mine.append(encodeBundle([encodeLeaf(seal)]), 4);
    const range = mine.finish();
    mine.commit();
    expect([range.size, state.count, seal.batchNo, seal.prevSealIndex]).toEqual([5, 1, 2, 2]);
    expect(toHex(state.recomputeDigest())).toBe(toHex(seal.setDigest));
  });

  it('refuses a seal over what it cannot know, or before an earlier one', () => {
    const { staging } = stage(sealed(), [1]);
    expect(() => staging.planSeal(2e12, new Uint8Array(16))).toThrow(code('MISSING_ENTRY'));
    const whole = stage(sealed()).staging;
    expect(() => whole.planSeal(1, new Uint8Array(16))).toThrow(code('MALFORMED'));
  });
});

import { describe, expect, it } from 'vitest';
import type { CliContext } from '../../../client/cli/index.js';
import { freshnessExit, isBeyondPolicy } from '../../../client/commands/hoster-shared.js';
import { type Hashfed, type ListStatus, parsePolicy } from '../../../sdk/index.js';

const HOUR = 3_600_000;
const NOW = 1_000 * HOUR;
const policy = parsePolicy({ staleness: { confirm_after_hours: 24 } });

const list = (state: ListStatus['state'], hoursAgo: number | null, purpose = 'listed') =>
  ({ state, purpose, last_fresh_ms: hoursAgo === null ? null : NOW - hoursAgo * HOUR }) as ListStatus;

describe('stale beyond policy', () => {
  it.each([
    ['all fresh', [list('FRESH', 0)], false],
    ['stale for a short while', [list('FRESH', 0), list('STALE', 1)], false],
    ['stale for longer than the policy trusts one analyst', [list('FRESH', 0), list('STALE', 25)], true],
    ['never fresh', [list('STALE', null)], true],
    ['expired', [list('FRESH', 0), list('EXPIRED', 1)], true],
    ['never synced', [list('EMPTY', null), list('EMPTY', null, 'test')], true],
    ['nothing published yet', [list('EMPTY', null), list('FRESH', 0, 'test')], false],
    ['only the test list is old', [list('FRESH', 0), list('EXPIRED', 99, 'test')], false],
    ['no lists', [], false],
  ])('%s', (_name, lists, beyond) => {
    expect(isBeyondPolicy(lists, policy, NOW)).toBe(beyond);
  });
});

describe('what commands say of the lists', () => {
  const DAMAGED = { ...list('EXPIRED', null), origin: 'a.example/known/sha256/g1', size: 0 };
  const OLD = { ...list('STALE', 30), origin: 'b.example/known/sha256/g1', size: 9 };
  const FRESH = { ...list('FRESH', 0), origin: 'c.example/known/sha256/g1', size: 9 };
  const exitOf = (...lists: ListStatus[]) => {
    const said: string[] = [];
    const out = { warn: (line: string) => said.push(line) };
    const context = { clock: { nowMs: () => NOW }, out } as unknown as CliContext;
    const hashfed = { lists: () => lists, policy } as unknown as Hashfed;
    return { exit: freshnessExit(hashfed, context), said };
  };
  const damage = expect.stringMatching(/STORAGE_FAILED \[a\.example.*damaged.*hashfed verify.*hashfed sync/);

  it('names the list that is damaged, and does not call the others old for it', () => {
    expect(exitOf(FRESH, DAMAGED)).toEqual({ exit: 5, said: [damage] });
  });

  it('names a damaged test list, too, which makes nothing stale', () => {
    expect(exitOf(FRESH, { ...DAMAGED, purpose: 'test' })).toEqual({ exit: 0, said: [damage] });
  });

  it('says how old the rest is', () => {
    const old = expect.stringContaining('last fresh 30 hours ago');
    expect(exitOf(OLD, DAMAGED)).toEqual({ exit: 5, said: [damage, old] });
    expect(exitOf(OLD, FRESH)).toEqual({ exit: 5, said: [old] });
  });
});

import { describe, expect, it } from 'vitest';
import { isBeyondPolicy } from '../../../client/commands/hoster-shared.js';
import { type ListStatus, parsePolicy } from '../../../sdk/index.js';

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

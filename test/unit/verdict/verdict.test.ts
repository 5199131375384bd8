import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ACTIONS,
  breakerTrips,
  bucketOf,
  type Candidate,
  DEFAULT_POLICY,
  decide,
  type ListInfo,
  parsePolicy,
  strongestBucket,
} from '../../../sdk/match/index.js';

const now = 1_800_000_000_000;
const HOUR = 3_600_000;
const origins = ['a.example/known/sha256/g1', 'b.example/known/md5/g1', 'b.example/known/sha256/g1'];
const good = 'a.example/good/sha256/g1';

const list = (origin: string, purpose: ListInfo['purpose'] = 'listed'): ListInfo => {
  return { origin, purpose, state: 'FRESH', size: 10, lastFreshMs: now, firstSyncMs: now - 999 * HOUR };
};
const lists = [...origins.map((origin) => list(origin)), list(good, 'known-good')];

const candidate = fc.record({
  origin: fc.constantFrom(...origins),
  addIndex: fc.nat(5),
  itemId: fc.constantFrom('1'.repeat(32), '2'.repeat(32)),
  scheme: fc.constantFrom(1, 2, 9),
  code: fc.constantFrom(1, 2),
  verifications: fc.nat(2),
  listedMs: fc.constantFrom(now - HOUR, now - 99 * HOUR),
  held: fc.boolean(),
  surging: fc.boolean(),
  assessedBy: fc.constantFrom('', 'x.example'),
});
const matches = fc
  .array(candidate, { maxLength: 6 })
  .map((all) => all.map((c) => ({ ...c, hashType: c.origin.split('/')[2] }) as Candidate));

const ask = (found: readonly Candidate[]) =>
  decide({ matches: found, computed: {}, lists, policy: DEFAULT_POLICY, now });
const knownGood: Candidate = {
  ...{ origin: good, hashType: 'sha256', addIndex: 0, itemId: '9'.repeat(32), scheme: 254, code: 1 },
  ...{ verifications: 0, listedMs: now - 99 * HOUR },
};

describe('every verdict', () => {
  it.each([
    [['FRESH', 'EMPTY'], 'EMPTY'],
    [['EMPTY', 'EXPIRED', 'STALE'], 'EXPIRED'],
    [['STALE', 'EMPTY', 'FRESH'], 'STALE'],
    [['FRESH', 'FRESH'], 'FRESH'],
    [[], 'EMPTY'],
  ] as const)('of lists that are %j is %s', (states, freshness) => {
    const asked = states.map((state, at) => ({ ...list(origins[at]!), state }));
    const verdict = decide({ matches: [], computed: {}, lists: asked, policy: DEFAULT_POLICY, now });
    expect(verdict.freshness).toBe(freshness);
  });

  it('does not depend on the order of the matches', () => {
    fc.assert(
      fc.property(matches, (found) => {
        const { matches: a, ...forward } = ask(found);
        const { matches: b, ...backward } = ask([...found].reverse());
        expect(backward).toEqual(forward);
        expect(b).toEqual([...a].reverse());
      }),
    );
  });

  it('blocks only on what a second person or publisher confirmed, and never lets confirmed matches pass', () => {
    fc.assert(
      fc.property(matches, (found) => {
        const publishers = new Set(found.map((c) => c.origin.split('/')[0])).size;
        const confirmed = found.some((c) => c.verifications > 0) || publishers > 1;
        const plain = ask(found).action;
        const vetoed = ask([...found, knownGood]).action;
        if (plain === 'block') expect(confirmed).toBe(true);
        expect(vetoed).not.toBe('block');
        if (found.length > 0) expect(vetoed).toBe(confirmed ? 'hold' : 'allow');
      }),
    );
  });

  it('weakens by no more than its own part when another match is added', () => {
    fc.assert(
      fc.property(matches, candidate, (found, extra) => {
        const more = { ...extra, hashType: extra.origin.split('/')[2], itemId: '3'.repeat(32) } as Candidate;
        expect(ACTIONS.indexOf(ask([...found, more]).action)).toBeGreaterThanOrEqual(
          ACTIONS.indexOf(ask(found).action),
        );
      }),
    );
  });

  it('shows each match with its list, bucket and limits', () => {
    const found = { ...knownGood, origin: origins[0]!, scheme: 1, held: true, distance: 3, quality: 90 };
    expect(ask([found]).matches).toEqual([
      {
        ...{ origin: origins[0], add_index: 0, item_id: '9'.repeat(32), hash_type: 'sha256' },
        ...{ classification: { scheme: 1, code: 1, bucket: 7 }, verifications: 0, distance: 3, quality: 90 },
        ...{ listed_at: now - 99 * HOUR, size: 10, limited_by: ['held'] },
      },
    ]);
  });

  it('refuses a match of a list that was not asked', () => {
    const stranger = { ...knownGood, origin: 'c.example/known/sha256/g1' };
    expect(() => ask([stranger])).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });

  it('repeats that the object could not be decoded', () => {
    const verdict = decide({
      ...{ matches: [], computed: {}, lists, policy: DEFAULT_POLICY, now },
      perceptual: 'undecodable',
    });
    expect(verdict.perceptual).toBe('undecodable');
  });
});

describe('the breaker', () => {
  it.each([
    [19, 0, false],
    [20, 0, true],
    [20, 2, true],
    [29, 3, false],
    [30, 3, true],
  ])('%i uploaders where %i were usual: %s', (distinct, usual, trips) => {
    expect(breakerTrips({ now: distinct, usual }, DEFAULT_POLICY)).toBe(trips);
    expect(breakerTrips({ now: distinct, usual }, parsePolicy({ breaker: { enabled: false } }))).toBe(false);
  });
});

describe('buckets', () => {
  const url = new URL('../../vectors/proto/classification.json', import.meta.url);
  const { table } = JSON.parse(readFileSync(url, 'utf8')) as {
    table: { scheme: number; code: number; classification: number }[];
  };
  it('are those of the specification', () => {
    expect(table.length).toBeGreaterThan(10);
    for (const { scheme, code, classification } of table) expect(bucketOf(scheme, code)).toBe(classification);
    expect([bucketOf(1, 9), bucketOf(66, 1), bucketOf(1, 0)]).toEqual([4, 4, 4]);
    expect(strongestBucket([])).toBe(1);
    expect(strongestBucket([5, 7, 6].map((bucket) => ({ classification: { bucket } })))).toBe(7);
  });
});

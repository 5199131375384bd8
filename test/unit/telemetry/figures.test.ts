import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  checkChains,
  exportRows,
  figuresOf,
  positionsOf,
  SplitViews,
  splitViews,
  type VerifiedReport,
} from '../../../client/monitor/telemetry/index.js';
import { SyncState } from '../../../proto/gen/hashfed/v1/enums.js';
import { TelemetryReport } from '../../../proto/gen/hashfed/v1/telemetry.js';
import type { SyncStateRecord } from '../../../proto/gen/hashfed/v1/telemetry_exchange.js';
import { makeReport, NO_COVERAGE, windowAt } from '../../../sdk/telemetry/index.js';
import { HOUR, LIST, NOON } from '../../support/telemetry.js';
import { suite } from '../../support/trust/keys.js';

interface Sketch {
  readonly hoster: string;
  readonly day: number;
  readonly revision: number;
  readonly objects: number;
  readonly matched: number;
  readonly inTime: boolean;
  readonly sequence?: number;
  readonly previous?: Uint8Array;
}

function received(sketch: Sketch): VerifiedReport {
  const { hoster, day, revision, objects, matched, inTime, sequence = 1, previous } = sketch;
  const window = windowAt('day', NOON + day * 24 * HOUR);
  const counts = new Map([
    ['n|o|1|1|1', objects],
    ['n|o|5|7|3', matched],
    ['n|o|2|3|3', 1],
    ['d|o|3|2|3', 2],
    [`n|h|${LIST}|3`, matched],
    ['n|b', objects],
  ]);
  const facts = {
    member: `members/${hoster}`,
    sdkVersion: '1',
    policySha256: new Uint8Array(32),
    coverage: NO_COVERAGE,
  };
  const slot = { id: 'ab'.repeat(16), sequence, revision, previous: previous ?? new Uint8Array(32) };
  const distinct = new Map([['n|members/police', 1]]);
  const report = makeReport(facts, window, { counts, distinct }, slot, NOON);
  const digest = suite.sha256.digest(TelemetryReport.encode(report).finish());
  return { report, window, digest, arrival: 1, receivedMs: NOON, inTime, acknowledged: false };
}

const sketch: fc.Arbitrary<Sketch> = fc.record({
  hoster: fc.constantFrom('a', 'b', 'c'),
  day: fc.integer({ min: -3, max: 0 }),
  revision: fc.integer({ min: 1, max: 3 }),
  objects: fc.integer({ min: 1, max: 50 }),
  matched: fc.integer({ min: 1, max: 9 }),
  inTime: fc.boolean(),
});
/** As a server keeps them: one body per hoster, window and revision. */
const stored = fc
  .uniqueArray(sketch, {
    maxLength: 20,
    selector: ({ hoster, day, revision }) => `${hoster} ${day} ${revision}`,
  })
  .map((sketches) => sketches.map(received));

describe('figures', () => {
  test('are the same in any order and with any report repeated', () => {
    fc.assert(
      fc.property(stored, fc.array(fc.nat(100)), (reports, picks) => {
        const again = picks.flatMap((pick) => reports[pick % Math.max(1, reports.length)] ?? []);
        const mixed = [...again, ...[...reports].reverse()];
        expect(figuresOf(mixed)).toEqual(figuresOf(reports));
        expect(exportRows(mixed)).toEqual(exportRows(reports));
        expect(checkChains(mixed)).toEqual(checkChains(reports));
      }),
    );
  });

  test('by hoster and by day add up to the totals, and so do those of separate hosters', () => {
    fc.assert(
      fc.property(stored, (reports) => {
        const whole = figuresOf(reports);
        for (const rows of [whole.by_hoster, whole.by_day])
          expect(rows.reduce((all, row) => all + row.objects_checked, 0)).toBe(whole.totals.objects_checked);
        expect(whole.by_action.reduce((all, row) => all + row.objects, 0)).toBe(whole.totals.objects_checked);
        const apart = ['a', 'b', 'c'].map((name) =>
          figuresOf(reports.filter(({ report }) => report.member === `members/${name}`)),
        );
        expect(apart.reduce((all, { totals }) => all + totals.objects_matched, 0)).toBe(
          whole.totals.objects_matched,
        );
      }),
    );
  });

  test('take the newest revision of a window, and none that was late', () => {
    const base = { hoster: 'a', day: 0, objects: 10, matched: 3, inTime: true };
    const figures = figuresOf([
      received({ ...base, revision: 2, objects: 20, matched: 4 }),
      received({ ...base, revision: 1 }),
      received({ ...base, day: -9, revision: 1, inTime: false }),
    ]);
    expect(figures.totals).toMatchObject({ reports: 1, objects_checked: 25, objects_matched: 4, bytes: 20 });
    expect(figures).toMatchObject({ late: 1, drill: { objects_checked: 2, objects_matched: 2 } });
    expect(figures.by_list).toEqual([{ list: LIST, exact: 4, perceptual: 0 }]);
  });

  test('name hosters in order of names, whatever they found', () => {
    const base = { day: 0, revision: 1, objects: 1, inTime: true };
    const figures = figuresOf(
      ['c', 'a', 'b'].map((hoster, i) => received({ ...base, hoster, matched: 9 - i })),
    );
    expect(figures.by_hoster.map(({ hoster }) => hoster)).toEqual(['members/a', 'members/b', 'members/c']);
  });
});

describe('chains', () => {
  const base = { hoster: 'a', revision: 1, objects: 1, matched: 1, inTime: true };
  const first = received({ ...base, day: 0 });
  const second = received({ ...base, day: 1, sequence: 2, previous: first.digest });

  test('that hold together say nothing', () => expect(checkChains([second, first])).toEqual([]));

  test('show missing, altered and repeated numbers', () => {
    const fourth = received({ ...base, day: 3, sequence: 4, previous: first.digest });
    expect(checkChains([first, second, fourth])).toEqual([{ hoster: 'members/a', flag: 'gap', sequence: 4 }]);
    const altered = received({ ...base, day: 1, sequence: 2, previous: new Uint8Array(32) });
    expect(checkChains([first, altered])).toEqual([{ hoster: 'members/a', flag: 'broken', sequence: 2 }]);
    const twin = received({ ...base, day: 5, objects: 2 });
    expect(checkChains([first, twin])).toEqual([{ hoster: 'members/a', flag: 'repeated', sequence: 1 }]);
  });
});

const record = (bend: Partial<SyncStateRecord>, size: bigint): SyncStateRecord => ({
  arrival: 1n,
  member: 'members/a',
  instanceId: new Uint8Array(16),
  sdkVersion: '1',
  receivedMs: 5n,
  left: false,
  state: {
    origin: LIST,
    size,
    root: new Uint8Array(32),
    freshnessMs: 0n,
    appliedMs: 4n,
    state: SyncState.FRESH,
    cause: 0,
    rootVersion: 1n,
  },
  ...bend,
});

describe('positions', () => {
  test('are measured against the newest size that anybody knows', () => {
    const a = record({}, 10n);
    const b = record({ member: 'members/b' }, 12n);
    expect(positionsOf([b, a], new Map()).map(({ hoster, behind }) => [hoster, behind])).toEqual([
      ['members/a', true],
      ['members/b', false],
    ]);
    expect(positionsOf([b], new Map([[LIST, 13]]))[0]).toMatchObject({
      behind: true,
      newest: 13,
      state: 'FRESH',
    });
  });

  test('leave out installations that left', () => {
    expect(positionsOf([record({ left: true }, 1n)], new Map())).toEqual([]);
  });
});

describe('split views', () => {
  const held = (name: string, size: bigint, root: number, origin = LIST): SyncStateRecord => {
    const { state, ...rest } = record({ member: `members/${name}` }, size);
    return { ...rest, state: { ...state!, origin, root: new Uint8Array(32).fill(root) } };
  };

  test('are two roots of one size of one list', () => {
    expect(splitViews([held('a', 10n, 1), held('b', 12n, 2), held('c', 10n, 3)])).toEqual([
      {
        list: LIST,
        size: 10,
        views: [
          { root: '01'.repeat(32), holders: [{ hoster: 'members/a', instance: '00'.repeat(16) }] },
          { root: '03'.repeat(32), holders: [{ hoster: 'members/c', instance: '00'.repeat(16) }] },
        ],
      },
    ]);
  });

  test('are not two lists, two sizes, empty lists, or two hosters of one mind', () => {
    const other = held('b', 10n, 2, `${LIST}0`);
    const all = [held('a', 10n, 1), other, held('c', 11n, 3), held('d', 10n, 1), held('e', 0n, 4)];
    expect(splitViews([...all, held('f', 0n, 5)])).toEqual([]);
  });

  test('show where the hosters never stood at one size at one moment, also one that left', () => {
    const seen = new SplitViews();
    expect(seen.add(held('a', 10n, 1))).toBeUndefined();
    expect(seen.add(held('a', 12n, 2))).toBeUndefined();
    expect(seen.add({ ...held('b', 10n, 3), left: true })).toMatchObject({ list: LIST, size: 10 });
    expect(seen.all()).toHaveLength(1);
  });

  test('a member that makes up sizes and roots fills no memory', () => {
    const seen = new SplitViews();
    for (let root = 0; root < 40; root++) seen.add(held('a', 1n, root));
    expect(seen.all()[0]?.views).toHaveLength(16);
    for (let size = 2n; size < 65_538n; size++) seen.add(held('a', size, 1));
    expect(seen.all()).toEqual([]);
  });
});

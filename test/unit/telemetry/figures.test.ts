import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  checkChains,
  exportRows,
  figuresOf,
  positionsOf,
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

describe('positions', () => {
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

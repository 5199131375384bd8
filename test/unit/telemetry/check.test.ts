import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type TelemetryCounts, TelemetryReport } from '../../../proto/gen/hashfed/v1/telemetry.js';
import { makeReport, NO_COVERAGE, parseReport, windowAt } from '../../../sdk/telemetry/index.js';
import { LIST, NOON } from '../../support/telemetry.js';

const counted = {
  counts: new Map([
    ['n|o|1|1|1', 10],
    ['n|o|5|7|3', 3],
    ['n|o|4|6|2', 1],
    [`n|h|${LIST}|3`, 3],
    [`n|h|${LIST}|2`, 1],
    ['n|b', 1000],
    ['n|q', 4],
  ]),
  distinct: new Map([['n|members/police', 2]]),
};
const facts = {
  member: 'members/hoster-a',
  sdkVersion: '0.1.0',
  policySha256: new Uint8Array(32),
  coverage: NO_COVERAGE,
};
const slot = { id: 'ab'.repeat(16), sequence: 2, previous: new Uint8Array(32).fill(1), revision: 1 };
const valid = makeReport(facts, windowAt('day', NOON), counted, slot, NOON);
const counts = valid.counts!;
const cell = counts.objects;
const hit = counts.listHits[0]!;

const parse = (report: TelemetryReport) => parseReport(TelemetryReport.encode(report).finish());
const withCounts = (bend: Partial<TelemetryCounts>): TelemetryReport => ({
  ...valid,
  counts: { ...counts, ...bend },
});
const bend = (bent: Partial<TelemetryReport>): TelemetryReport => ({ ...valid, ...bent });
const hourly = { ...makeReport(facts, windowAt('hour', NOON), counted, slot, NOON) };

test('a report that adds up parses to itself', () => {
  expect(parse(valid)).toMatchObject({ report: valid, window: { label: '2026-11-24' } });
  expect(parse(hourly).window.label).toBe('2026-11-24T12');
});

describe('a report that cannot be true is refused by the field that is wrong', () => {
  test.each<[string, TelemetryReport]>([
    ['regime', bend({ regime: 2 })],
    ['report_id', bend({ reportId: new Uint8Array(15) })],
    ['member', bend({ member: 'hoster-a' })],
    ['sequence', bend({ sequence: 0n })],
    ['previous_sha256', bend({ previousSha256: new Uint8Array() })],
    ['previous_sha256', bend({ sequence: 1n })],
    ['window_kind', bend({ windowKind: 0 })],
    ['window_start_ms', bend({ windowStartMs: 2n ** 60n })],
    ['created_ms', bend({ createdMs: 9_000_000_000_000_000n })],
    ['revision', bend({ revision: 0 })],
    ['revision', bend({ revision: 10_001 })],
    ['sdk_version', bend({ sdkVersion: 'v\n' })],
    ['sdk_version', bend({ sdkVersion: 'v'.repeat(65) })],
    ['policy_sha256', bend({ policySha256: new Uint8Array(31) })],
    ['counts', bend({ counts: undefined })],
    ['coverage.objects_received_checked', bend({ coverage: { ...NO_COVERAGE, objectsReceivedChecked: 1n } })],
    ['coverage.bytes_stored_checked', bend({ coverage: { ...NO_COVERAGE, bytesStoredChecked: 1n } })],
    ['counts.objects', withCounts({ objects: [...cell].reverse() })],
    ['counts.objects', withCounts({ objects: [cell[0]!, cell[0]!] })],
    ['counts.objects', withCounts({ objects: [{ ...cell[1]!, action: 3 }], quarantines: 0n, listHits: [] })],
    ['counts.objects.count', withCounts({ objects: [{ ...cell[0]!, count: 0n }] })],
    ['counts.objects.action', withCounts({ objects: [{ ...cell[0]!, action: 6 as 5 }] })],
    ['counts.objects.classification', withCounts({ objects: [{ ...cell[0]!, classification: 7 }] })],
    ['counts.objects.classification', withCounts({ objects: [{ ...cell[1]!, classification: 1 }] })],
    ['counts.objects.match', withCounts({ objects: [{ ...cell[1]!, match: 1 }] })],
    ['counts.list_hits', withCounts({ listHits: [hit, hit] })],
    ['counts.list_hits', withCounts({ listHits: [{ ...hit, exact: 3n, perceptual: 2n }] })],
    ['counts.list_hits.exact', withCounts({ listHits: [{ ...hit, exact: 4n, perceptual: 0n }] })],
    ['counts.list_hits', withCounts({ listHits: [{ ...hit, exact: 0n, perceptual: 0n }] })],
    ['counts.distinct_items.publisher', withCounts({ distinctItems: [{ publisher: 'police', items: 1n }] })],
    ['counts.distinct_items', withCounts({ distinctItems: [{ publisher: 'members/police', items: 0n }] })],
    ['counts.quarantines', withCounts({ quarantines: 5n })],
    ['counts.vetoes', withCounts({ vetoes: 5n })],
    ['counts.collisions', withCounts({ collisions: 5n })],
    ['counts.undecodable', withCounts({ undecodable: 15n })],
    ['counts.bytes', withCounts({ bytes: 2n ** 53n })],
    ['drill.quarantines', bend({ drill: { ...counts, quarantines: 5n } })],
    ['counts.list_hits', { ...hourly, counts: { ...hourly.counts!, listHits: [hit] } }],
    ['counts.objects', { ...hourly, counts: { ...hourly.counts!, objects: cell } }],
  ])('%s', (field, report) => {
    expect(() => parse(report)).toThrowError(
      expect.objectContaining({ code: 'MALFORMED', detail: expect.objectContaining({ field }) }),
    );
  });

  test('a window that is no whole day', () => {
    expect(() => parse(bend({ windowStartMs: BigInt(NOON) }))).toThrowError(
      expect.objectContaining({ code: 'WINDOW_OVERLAP' }),
    );
  });

  test('a list that is none', () => {
    expect(() =>
      parse(withCounts({ listHits: [{ ...hit, origin: 'https://example.org/x.jpg' }] })),
    ).toThrowError(expect.objectContaining({ code: 'MALFORMED' }));
  });

  test('and no bytes whatever do anything but parse or be refused', () => {
    const bytes = TelemetryReport.encode(valid).finish();
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const bent = bytes.slice();
        bent[at]! ^= flip;
        try {
          expect(Buffer.from(TelemetryReport.encode(parseReport(bent).report).finish())).toEqual(
            Buffer.from(bent),
          );
        } catch (error) {
          expect(['MALFORMED', 'WINDOW_OVERLAP']).toContain((error as { code?: string }).code);
        }
      }),
      { numRuns: 500 },
    );
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  closesMs,
  dueWindows,
  nextWindow,
  parseWindow,
  windowAt,
  windowBefore,
} from '../../../sdk/telemetry/index.js';
import { HOUR, NOON } from '../../support/telemetry.js';

const times = fc.integer({ min: 86_400_000, max: 253_402_200_000_000 });
const units = fc.constantFrom('day' as const, 'hour' as const);

describe('windows', () => {
  test('hold their times and have a label that names them alone', () => {
    fc.assert(
      fc.property(units, times, (unit, ms) => {
        const window = windowAt(unit, ms);
        expect(window.startMs <= ms && ms < window.endMs).toBe(true);
        expect(parseWindow(window.label)).toEqual(window);
        expect(windowBefore(nextWindow(window))).toEqual(window);
      }),
    );
  });

  test.each(['', '2026-13-01', '2026-02-30', '2026-11-24T24', '2026-11-24T', '2026-11-24T07:00', '26-11-24'])(
    'are not named by %j',
    (label) => expect(parseWindow(label)).toBeUndefined(),
  );

  test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 253_402_300_800_000])('do not hold %d', (ms) => {
    expect(() => windowAt('day', ms)).toThrowError(expect.objectContaining({ code: 'MALFORMED' }));
  });
});

describe('due windows', () => {
  const none = {
    unit: 'day',
    nowMs: NOON,
    counted: [],
    revised: [],
    open: false,
    through: undefined,
  } as const;
  const labels = (windows: readonly { label: string }[]) => windows.map(({ label }) => label);

  test('are ended ones with counts, and ended ones since the last that were empty', () => {
    expect(labels(dueWindows({ ...none, counted: ['2026-11-23', '2026-11-24'] }).report)).toEqual([
      '2026-11-23',
    ]);
    const empty = dueWindows({ ...none, through: '2026-11-21' });
    expect(labels(empty.report)).toEqual(['2026-11-22', '2026-11-23']);
    expect(empty.through).toBe('2026-11-23');
  });

  test('include the running one only where asked', () => {
    expect(labels(dueWindows({ ...none, open: true }).report)).toEqual(['2026-11-24']);
    expect(dueWindows(none).report).toEqual([]);
  });

  test('leave out empty windows that closed while nothing ran, but no counts', () => {
    const { report, forget } = dueWindows({ ...none, through: '2026-10-01', counted: ['2026-10-05'] });
    expect(labels(report)).toEqual(['2026-10-05', '2026-11-22', '2026-11-23']);
    expect(forget).toEqual(['2026-10-05']);
  });

  test('are forgotten exactly when they close', () => {
    const at = (nowMs: number) => dueWindows({ ...none, nowMs, revised: ['2026-11-20'] }).forget;
    const closes = closesMs(parseWindow('2026-11-20')!);
    expect(closes).toBe(Date.UTC(2026, 10, 21) + 48 * HOUR);
    expect([at(closes - 1), at(closes)]).toEqual([[], ['2026-11-20']]);
  });

  test('ignore labels of others', () => {
    expect(dueWindows({ ...none, counted: ['w', '2026-11-24T07'] }).report.map(({ label }) => label)).toEqual(
      ['2026-11-24T07'],
    );
  });
});

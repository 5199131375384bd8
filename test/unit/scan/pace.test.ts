import { describe, expect, it } from 'vitest';
import { makePace, parseWindow, waitFor } from '../../../client/commands/scan-pace.js';

const at = (hours: number, minutes: number, seconds = 0) => new Date(2030, 5, 15, hours, minutes, seconds);
const MINUTE = 60_000;

describe('the hours of a scan', () => {
  it.each([
    ['22:00-06:00', at(21, 0), 60 * MINUTE],
    ['22:00-06:00', at(21, 59, 30), 30_000],
    ['22:00-06:00', at(22, 0), 0],
    ['22:00-06:00', at(0, 0), 0],
    ['22:00-06:00', at(5, 59, 59), 0],
    ['22:00-06:00', at(6, 0), 16 * 60 * MINUTE],
    ['08:30-09:00', at(8, 29), MINUTE],
    ['08:30-09:00', at(8, 45), 0],
    ['08:30-09:00', at(9, 0), 23.5 * 60 * MINUTE],
  ])('%s: at %s it waits %d ms', (window, now, ms) => {
    expect(waitFor(parseWindow(window), now)).toBe(ms);
  });

  it.each(['', '22-06', '24:00-01:00', '10:60-11:00', '10:00-10:00', '1:00-2:00'])('refuses "%s"', (text) => {
    expect(() => parseWindow(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });

  it('says once that it waits, however many files do, and again the next time', async () => {
    let now = at(12, 58);
    const said: string[] = [];
    const stop = new AbortController();
    const clock = { nowMs: () => now.getTime(), monotonicMs: () => 0 };
    const pace = makePace({ window: '13:00-14:00' }, { clock, signal: stop.signal }, (text) =>
      said.push(text),
    )!;
    const waiting = [pace.open(), pace.open()];
    expect(said).toEqual(['outside the window 13:00-14:00: waiting 2 min, nothing is read']);
    now = at(13, 0);
    await pace.open();
    now = at(14, 0);
    waiting.push(pace.open());
    expect(said).toHaveLength(2);
    stop.abort();
    await Promise.all(waiting);
  });

  it('ends its waiting when the scan is stopped', async () => {
    const stop = new AbortController();
    const clock = { nowMs: () => at(12, 0).getTime(), monotonicMs: () => 0 };
    const pace = makePace({ window: '03:00-03:01' }, { clock, signal: stop.signal });
    const waiting = pace!.open();
    stop.abort();
    await expect(waiting).resolves.toBeUndefined();
  });
});

describe('the bandwidth of a scan', () => {
  it('needs no pace where nothing is limited', () => {
    const clock = { nowMs: () => 0, monotonicMs: () => 0 };
    expect(makePace({}, { clock, signal: new AbortController().signal })).toBeUndefined();
  });

  it('waits as long as the bytes read take at that rate, for all files together', async () => {
    const clock = { nowMs: () => 0, monotonicMs: () => performance.now() };
    const pace = makePace({ maxMbps: '80' }, { clock, signal: new AbortController().signal })!;
    const started = performance.now();
    await Promise.all(Array.from({ length: 5 }, () => pace.pace(400_000)));
    // 2,000,000 bytes at 10 MB/s take 200 ms; timers never fire early by more than a millisecond each.
    expect(performance.now() - started).toBeGreaterThan(190);
  });
});

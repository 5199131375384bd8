import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkChains, figuresOf } from '../../../client/monitor/telemetry/index.js';
import { MemoryDisk, memoryDatabase, openStore, type Store } from '../../../sdk/store/index.js';
import { type MemberBook, makeReceipt } from '../../../sdk/telemetry/index.js';
import { putMonitorReceipts } from '../../../server/telemetry/index.js';
import { random, testKey as storeKey } from '../../contract/store/support.js';
import {
  HOSTER,
  HOUR,
  MONITOR,
  matchOf,
  TelemetryServer,
  telemetryOf,
  testClock,
  verdictOf,
} from '../../support/telemetry.js';

/** A hoster whose store can lose its power at any moment. */
class Hoster {
  readonly clock = testClock();
  readonly server = new TelemetryServer(this.clock);
  #disk = new MemoryDisk();
  #content = new Map<string, Uint8Array>();
  store: Store | undefined;

  async open(readOnly = false): Promise<Store> {
    const database = memoryDatabase(this.#content);
    const world = { key: storeKey, clock: this.clock, random };
    return openStore({ dir: '/store', disk: this.#disk, database, readOnly, ...world });
  }

  async telemetry() {
    this.store ??= await this.open();
    return telemetryOf(this.store, this.server, this.clock);
  }

  /** Everything that was not synced is gone, and nobody closed anything. */
  powerCut(): void {
    this.#disk = this.#disk.powerCut();
    this.#content = new Map(this.#content);
    this.store = undefined;
  }

  async checkObjects(n: number): Promise<void> {
    const telemetry = await this.telemetry();
    const verdict = verdictOf('block', [matchOf()]);
    for (let i = 0; i < n; i++) telemetry.object({ verdict, bytes: 3, nowMs: this.clock.now });
    await this.store!.counters.flush();
  }

  async flush(open = true): Promise<void> {
    await (await this.telemetry()).flush({ open, ask: true });
  }
}

const tolerant = (work: Promise<unknown>) =>
  work.catch((error: unknown) => {
    expect(error).toMatchObject({ code: 'DEADLINE' });
  });

const step = fc.oneof(
  fc.record({ kind: fc.constant('count' as const), n: fc.integer({ min: 1, max: 9 }) }),
  fc.record({
    kind: fc.constant('flush' as const),
    fate: fc.constantFrom('ok' as const, 'request-lost' as const, 'answer-lost' as const),
    open: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('cut' as const) }),
  fc.record({ kind: fc.constant('wait' as const), hours: fc.integer({ min: 1, max: 20 }) }),
);

describe('counts on their way to the monitor', () => {
  test('arrive exactly once, whatever is lost and whenever the power fails', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
        const hoster = new Hoster();
        let counted = 0;
        for (const one of steps) {
          if (one.kind === 'count') {
            await hoster.checkObjects(one.n);
            counted += one.n;
          } else if (one.kind === 'cut') hoster.powerCut();
          else if (one.kind === 'wait') {
            hoster.clock.now += one.hours * HOUR;
            await tolerant(hoster.flush(false));
          } else {
            hoster.server.fates.push(one.fate);
            await tolerant(hoster.flush(one.open));
            hoster.server.fates.length = 0;
          }
        }
        await hoster.flush();
        const received = await hoster.server.received();
        expect(figuresOf(received).totals).toMatchObject({
          objects_checked: counted,
          objects_matched: counted,
          bytes: 3 * counted,
        });
        expect(checkChains(received)).toEqual([]);
        expect(hoster.server.warnings).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  test('say the same once: a second flush sends nothing, a further object a revision', async () => {
    const hoster = new Hoster();
    await hoster.checkObjects(2);
    const telemetry = await hoster.telemetry();
    const flush = () => telemetry.flush({ open: true, ask: false });
    expect(await flush()).toMatchObject({ queued: 1, accepted: 1, alarms: [] });
    expect(await flush()).toMatchObject({ queued: 0, accepted: 0 });
    await hoster.checkObjects(1);
    expect(await flush()).toMatchObject({ queued: 1, accepted: 1 });
    const received = await hoster.server.received();
    expect(received.map(({ report }) => report.revision)).toEqual([1, 2]);
    expect(figuresOf(received)).toMatchObject({
      totals: { reports: 1, objects_checked: 3 },
      distinct_items: [{ items: 1, publisher: 'members/police' }],
    });
  });

  test('are stated as zero for a day on which nothing happened', async () => {
    const hoster = new Hoster();
    await hoster.flush(false);
    hoster.clock.now += 24 * HOUR;
    await hoster.flush(false);
    const received = await hoster.server.received();
    expect(received.map(({ window }) => window.label)).toEqual(['2026-11-24']);
    expect(figuresOf(received).totals).toMatchObject({ reports: 1, objects_checked: 0 });
  });

  test('of a process that may only read reach the one that writes, also through a power cut', async () => {
    const hoster = new Hoster();
    await hoster.checkObjects(1);
    const reader = await hoster.open(true);
    const beside = telemetryOf(reader, hoster.server, hoster.clock);
    const verdict = verdictOf('block', [matchOf()]);
    for (let i = 0; i < 4; i++) beside.object({ verdict, bytes: 3, nowMs: hoster.clock.now });
    await reader.close();
    await hoster.flush();
    hoster.powerCut();
    await hoster.flush();
    expect(figuresOf(await hoster.server.received())).toMatchObject({
      totals: { objects_checked: 5 },
      distinct_items: [{ items: 1 }],
    });
  });

  test('are kept until the monitor has read them, and raise an alarm after 72 hours', async () => {
    const hoster = new Hoster();
    await hoster.checkObjects(1);
    await hoster.flush();
    hoster.clock.now += 72 * HOUR;
    const telemetry = await hoster.telemetry();
    const waiting = await telemetry.flush({ open: false, ask: true });
    expect(waiting.alarms[0]).toMatchObject({ cause: 'no-monitor-receipt', window: '2026-11-24' });
    const by = { kind: 'monitor', name: 'members/monitor', signer: MONITOR.signer } as const;
    const at = { receivedMs: hoster.clock.now, inTime: true };
    const receipts = (await hoster.server.received()).map(({ report, digest }) =>
      makeReceipt(by, report, digest, at),
    );
    await putMonitorReceipts(hoster.server.deps, 'monitor', receipts);
    const read = await telemetry.flush({ open: false, ask: true });
    expect(read).toMatchObject({ acknowledged: receipts.length, alarms: [] });
    expect(await hoster.store!.spool.list()).toEqual([]);
  });

  test('that come after their window closed are told to the hoster, not lost silently', async () => {
    const hoster = new Hoster();
    await hoster.checkObjects(1);
    await hoster.flush();
    await hoster.checkObjects(1);
    hoster.clock.now += 100 * HOUR;
    const outcome = await (await hoster.telemetry()).flush({ open: false, ask: false });
    expect(outcome.refused).toBe(1);
    expect(outcome.alarms.filter(({ cause }) => cause === 'refused')).toMatchObject([
      { code: 'WINDOW_CLOSED' },
    ]);
    expect(figuresOf(await hoster.server.received()).totals.objects_checked).toBe(1);
  });

  test('a receipt that the operator did not sign settles nothing', async () => {
    const hoster = new Hoster();
    await hoster.checkObjects(1);
    const strangers = { refresh: async () => {}, keysOf: () => [HOSTER.publicKey] } as unknown as MemberBook;
    const telemetry = telemetryOf(hoster.store!, hoster.server, hoster.clock, {
      members: async () => strangers,
    });
    await expect(telemetry.flush({ open: true, ask: false })).rejects.toMatchObject({
      code: 'THRESHOLD_NOT_MET',
    });
    expect(await hoster.store!.spool.list()).toMatchObject([{ state: 'sent' }]);
  });
});

describe('what leaves', () => {
  test('holds no hash, item, object reference, URL or user', async () => {
    const hoster = new Hoster();
    const telemetry = await hoster.telemetry();
    const marker = 'c0ffee'.repeat(5).slice(0, 32);
    const url = 'https://user.example/marker-upload.jpg';
    const verdict = verdictOf('hold', [matchOf({ item_id: marker })]);
    telemetry.object({
      verdict,
      bytes: 1,
      nowMs: hoster.clock.now,
      ...{ ref: url, uploader: 'marker-user' },
    });
    const entry = { ref: url, drill: false } as never;
    telemetry.released([entry], hoster.clock.now);
    const preview = JSON.stringify(await telemetry.show());
    await hoster.flush();
    const [report] = await hoster.store!.spool.list();
    const sent = Buffer.from(report!.bytes).toString('latin1');
    for (const secret of [marker, Buffer.from(marker, 'hex').toString('latin1'), 'marker-', 'user.example'])
      expect([sent.includes(secret), preview.includes(secret)]).toEqual([false, false]);
    expect(preview).toContain('"releases":1');
  });

  test('is nothing where telemetry is switched off', async () => {
    const hoster = new Hoster();
    hoster.store = await hoster.open();
    const telemetry = telemetryOf(hoster.store, hoster.server, hoster.clock, { enabled: false });
    telemetry.object({ verdict: verdictOf('none'), bytes: 1, nowMs: hoster.clock.now });
    expect(await hoster.store.counters.windows()).toEqual([]);
    await expect(telemetry.flush({ open: true, ask: false })).rejects.toMatchObject({ code: 'USAGE' });
  });
});

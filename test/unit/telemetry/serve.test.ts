import { describe, expect, test } from 'vitest';
import { SyncState } from '../../../proto/gen/hashfed/v1/enums.js';
import { TelemetryReport } from '../../../proto/gen/hashfed/v1/telemetry.js';
import {
  ListSyncState,
  type QueryTelemetryRequest,
  type ReportSyncStateRequest,
  type WatchTelemetryResponse,
} from '../../../proto/gen/hashfed/v1/telemetry_exchange.js';
import { HashfedError, signDsse } from '../../../sdk/core/index.js';
import { makeReport, NO_COVERAGE, windowAt } from '../../../sdk/telemetry/index.js';
import type { Caller } from '../../../server/access/index.js';
import { queryTelemetry, watchTelemetry } from '../../../server/telemetry/index.js';
import { HOSTER, HOUR, LIST, NOON, TelemetryServer, testClock } from '../../support/telemetry.js';

const DAY = 24 * HOUR;
const OTHER = 'hotline.example/known/md5/g1';

const caller = (member: string): Caller =>
  ({
    member,
    requireReadable: (origin: string) => {
      if (origin.startsWith('secret.')) throw new HashfedError('NOT_ENTITLED', 'may not', { origin });
    },
  }) as unknown as Caller;

const state = (size: bigint, bend: Partial<ListSyncState> = {}): ListSyncState => ({
  origin: LIST,
  size,
  root: new Uint8Array(32).fill(1),
  freshnessMs: BigInt(NOON),
  appliedMs: BigInt(NOON),
  state: SyncState.FRESH,
  cause: 0,
  rootVersion: 1n,
  ...bend,
});
const sync = (
  size: bigint,
  instance = 1,
  bend: Partial<ReportSyncStateRequest> = {},
): ReportSyncStateRequest => ({
  states: [state(size)],
  sdkVersion: '0.1.0',
  instanceId: new Uint8Array(16).fill(instance),
  leaving: false,
  ...bend,
});
const query = (bend: Partial<QueryTelemetryRequest> = {}): QueryTelemetryRequest => ({
  kind: 0,
  members: [],
  origins: [],
  fromMs: 0n,
  toMs: 0n,
  allRevisions: false,
  pageSize: 0,
  pageToken: '',
  ...bend,
});
const never = new AbortController().signal;

async function submit(server: TelemetryServer, day: number, revision = 1, sequence = 1): Promise<void> {
  const facts = {
    member: 'members/hoster-a',
    sdkVersion: '1',
    policySha256: new Uint8Array(32),
    coverage: NO_COVERAGE,
  };
  const slot = { id: 'ab'.repeat(16), sequence, revision, previous: new Uint8Array(32) };
  const counted = { counts: new Map([['n|o|1|1|1', revision]]), distinct: new Map() };
  const body = TelemetryReport.encode(
    makeReport(facts, windowAt('day', NOON + day * DAY), counted, slot, NOON),
  ).finish();
  await server.receiver.submit('hoster-a', signDsse('telemetry', body, [HOSTER.signer]));
}

describe('sync states', () => {
  test('measure a member by its slowest installation that is alive', async () => {
    const clock = testClock();
    const server = new TelemetryServer(clock);
    const states = await server.states();
    const slowest = async () => {
      const held = await server.deps.storage.syncStates.get('hoster-a', LIST);
      return ListSyncState.decode(held!.bytes).size;
    };
    await states.report(caller('hoster-a'), sync(10n, 1));
    await states.report(caller('hoster-a'), sync(20n, 2));
    expect(await slowest()).toBe(10n);
    await states.report(caller('hoster-a'), sync(10n, 1, { leaving: true }));
    expect(await slowest()).toBe(20n);
    await states.report(caller('hoster-a'), sync(15n, 3));
    expect(await slowest()).toBe(15n);
    clock.now += 8 * DAY;
    await states.report(caller('hoster-a'), sync(30n, 2));
    expect(await slowest()).toBe(30n);
  });

  test('are there again after a restart, and their numbers go on', async () => {
    const server = new TelemetryServer(testClock());
    await (await server.states()).report(caller('hoster-a'), sync(10n));
    const again = await server.states();
    await again.report(caller('hoster-b'), sync(11n));
    expect(again.all().map(({ member, arrival }) => [member, arrival])).toEqual([
      ['members/hoster-a', 1n],
      ['members/hoster-b', 2n],
    ]);
  });

  test('that say nothing new are not written again for ten minutes', async () => {
    const clock = testClock();
    const states = await new TelemetryServer(clock).states();
    await states.report(caller('hoster-a'), sync(10n));
    await states.report(caller('hoster-a'), sync(10n));
    expect(states.since(1)).toEqual([]);
    clock.now += 600_000;
    await states.report(caller('hoster-a'), sync(10n));
    expect(states.since(1)).toHaveLength(1);
  });

  test.each<[string, ReportSyncStateRequest]>([
    ['MALFORMED', sync(1n, 1, { states: [] })],
    ['MALFORMED', sync(1n, 1, { states: [state(1n), state(2n)] })],
    ['MALFORMED', sync(1n, 1, { instanceId: new Uint8Array(15) })],
    ['MALFORMED', sync(1n, 1, { sdkVersion: 'x\u0000' })],
    ['MALFORMED', sync(1n, 1, { states: [state(2n ** 53n)] })],
    ['MALFORMED', sync(1n, 1, { states: [state(1n, { appliedMs: 9_000_000_000_000_000n })] })],
    ['MALFORMED', sync(1n, 1, { states: [state(1n, { freshnessMs: 9_000_000_000_000_000n })] })],
    ['MALFORMED', sync(1n, 1, { states: [state(1n, { root: new Uint8Array(31) })] })],
    ['MALFORMED', sync(1n, 1, { states: [state(1n, { state: 0 })] })],
    ['MALFORMED', sync(1n, 1, { states: [state(1n, { origin: 'not/a/list' })] })],
    ['NOT_ENTITLED', sync(1n, 1, { states: [state(1n, { origin: 'secret.example/known/md5/g1' })] })],
  ])('are refused as %s before any is kept', async (code, request) => {
    const states = await new TelemetryServer(testClock()).states();
    await expect(states.report(caller('hoster-a'), request)).rejects.toMatchObject({ code });
    expect(states.all()).toEqual([]);
  });

  test('of one member are of at most 256 installations', async () => {
    const states = await new TelemetryServer(testClock()).states();
    const id = (n: number) => ({
      instanceId: new Uint8Array(Buffer.from(n.toString(16).padStart(32, '0'), 'hex')),
    });
    for (let n = 0; n < 256; n++) await states.report(caller('hoster-a'), sync(1n, 1, id(n)));
    await expect(states.report(caller('hoster-a'), sync(1n, 1, id(256)))).rejects.toMatchObject({
      code: 'BUDGET_EXCEEDED',
    });
    await states.report(caller('hoster-a'), sync(2n, 1, id(0)));
    await states.report(caller('hoster-b'), sync(1n, 1, id(256)));
  });

  test('of installations that left or fell silent give way to new ones, also on disk', async () => {
    const clock = testClock();
    const server = new TelemetryServer(clock);
    const states = await server.states();
    const id = (n: number) => ({ instanceId: new Uint8Array(16).fill(n) });
    await states.report(caller('hoster-a'), sync(1n, 1, { ...id(0), leaving: true }));
    for (let n = 1; n < 256; n++) await states.report(caller('hoster-a'), sync(1n, 1, id(n)));
    const fresh = { instanceId: new Uint8Array(Buffer.from('0102'.repeat(8), 'hex')) };
    await states.report(caller('hoster-a'), sync(1n, 1, fresh));
    expect(states.all()).toHaveLength(256);
    clock.now += 8 * DAY;
    await states.report(caller('hoster-a'), sync(1n, 1, id(0)));
    expect((await server.states()).all().map(({ instanceId }) => instanceId)).toEqual([id(0).instanceId]);
  });

  test('of made-up generations are bounded, also where calls run at once', async () => {
    const states = await new TelemetryServer(testClock()).states();
    const made = (call: number) =>
      sync(1n, call % 8, {
        states: Array.from({ length: 256 }, (_, i) =>
          state(1n, { origin: `police.example/known/sha256/g${256 * call + i + 1}` }),
        ),
      });
    const calls = Array.from({ length: 70 }, (_, n) => states.report(caller('hoster-a'), made(n)));
    const outcomes = await Promise.allSettled(calls);
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(6);
    expect(states.all()).toHaveLength(16_384);
    await states.report(caller('hoster-a'), made(3));
    await states.report(caller('hoster-b'), made(0));
  });
});

describe('a query', () => {
  async function filled() {
    const clock = testClock(NOON + 12 * HOUR - 1);
    const server = new TelemetryServer(clock);
    const states = await server.states();
    for (let day = -4; day <= 0; day++) await submit(server, day, 1, day + 5);
    await submit(server, 0, 2, 6);
    await submit(server, 0, 3, 7);
    const two = { states: [state(1n), state(2n, { origin: OTHER })] };
    await states.report(caller('hoster-a'), sync(1n, 1, two));
    await states.report(caller('hoster-b'), sync(1n, 1, two));
    const ask = (bend: Partial<QueryTelemetryRequest>) =>
      queryTelemetry(server.deps, states, query(bend), never);
    return { ask };
  }
  const days = (reports: readonly { envelope: Uint8Array }[]) => reports.length;

  test('pages through everything once, whatever the size of a page', async () => {
    const { ask } = await filled();
    for (const pageSize of [1, 2, 3, 5, 9, 100]) {
      const seen: string[] = [];
      for (let pageToken = '', pages = 0; pages < 20; pages++) {
        const page = await ask({ pageSize, pageToken });
        expect(page.reports.length + page.syncStates.length).toBeLessThanOrEqual(pageSize);
        seen.push(...page.reports.map(({ arrival }) => `r${arrival}`));
        seen.push(...page.syncStates.map((one) => `${one.member} ${one.state?.origin}`));
        pageToken = page.nextPageToken;
        if (pageToken === '') break;
      }
      expect(seen).toEqual([
        'r1',
        'r2',
        'r3',
        'r4',
        'r7',
        `members/hoster-a ${OTHER}`,
        `members/hoster-a ${LIST}`,
        `members/hoster-b ${OTHER}`,
        `members/hoster-b ${LIST}`,
      ]);
    }
  });

  test('filters by kind, member, time, list and revision', async () => {
    const { ask } = await filled();
    expect(await ask({ kind: 1 })).toMatchObject({ syncStates: [], nextPageToken: '' });
    expect((await ask({ kind: 2, members: ['members/hoster-b'] })).syncStates).toHaveLength(2);
    expect((await ask({ kind: 2, origins: [OTHER] })).syncStates).toHaveLength(2);
    expect(days((await ask({ members: ['members/hoster-b'] })).reports)).toBe(0);
    const from = BigInt(windowAt('day', NOON - 2 * DAY).startMs);
    expect(days((await ask({ fromMs: from })).reports)).toBe(3);
    expect(days((await ask({ toMs: from })).reports)).toBe(2);
    expect(days((await ask({ allRevisions: true })).reports)).toBe(7);
    expect((await ask({ kind: 1 })).reports[0]?.receipts).toHaveLength(1);
  });

  test.each<Partial<QueryTelemetryRequest>>([
    { pageSize: 1001 },
    { pageToken: 'x1' },
    { pageToken: 'r-1' },
    { kind: 3 as 2 },
    { members: Array(257).fill('members/a') },
  ])('is refused where it makes no sense', async (bend) => {
    const { ask } = await filled();
    await expect(ask(bend)).rejects.toMatchObject({ code: 'MALFORMED' });
  });
});

describe('a watch', () => {
  const open = async (server: TelemetryServer, kind: 0 | 1 | 2, after: bigint) => {
    const stop = new AbortController();
    const states = await server.states();
    const stream = watchTelemetry(server.deps, states, server.feed, { kind, after }, stop.signal);
    const next = async () => (await stream.next()).value as WatchTelemetryResponse;
    return { next, stop, states, stream };
  };

  test('sends what is kept after the cursor, then what arrives', async () => {
    const server = new TelemetryServer(testClock());
    for (let day = -2; day <= 0; day++) await submit(server, day, 1, day + 3);
    const { next, stop, stream } = await open(server, 1, 1n);
    expect((await next()).report?.arrival).toBe(2n);
    expect((await next()).report?.arrival).toBe(3n);
    const waiting = next();
    await submit(server, 0, 2, 4);
    expect((await waiting).report?.arrival).toBe(4n);
    const ended = stream.next();
    stop.abort();
    expect((await ended).done).toBe(true);
  });

  test('sends sync states by their own numbers, and the newest only', async () => {
    const server = new TelemetryServer(testClock());
    const { next, stop, states } = await open(server, 2, 0n);
    await states.report(caller('hoster-a'), sync(1n));
    await states.report(caller('hoster-a'), sync(2n));
    expect((await next()).syncState).toMatchObject({ arrival: 2n, state: { size: 2n } });
    const waiting = next();
    await states.report(caller('hoster-b'), sync(3n));
    expect((await waiting).syncState).toMatchObject({ arrival: 3n });
    stop.abort();
  });

  test('reads no further ahead than the reader takes', async () => {
    const server = new TelemetryServer(testClock());
    for (let n = 1; n <= 200; n++) await submit(server, 0, n, n);
    let read = 0;
    const { telemetry } = server.deps.storage;
    const arrivals = telemetry.arrivals.bind(telemetry);
    telemetry.arrivals = async (...args) => {
      const found = await arrivals(...args);
      read += found.length;
      return found;
    };
    const { next, stop } = await open(server, 1, 0n);
    await next();
    expect(read).toBeLessThanOrEqual(64);
    stop.abort();
  });
});

import { describe, expect, test } from 'vitest';
import { Receipt, TelemetryReport } from '../../../proto/gen/hashfed/v1/telemetry.js';
import { parseDsse, signDsse } from '../../../sdk/core/index.js';
import { makeReceipt, makeReport, NO_COVERAGE, type Window, windowAt } from '../../../sdk/telemetry/index.js';
import { MemoryBudgets } from '../../../server/access/index.js';
import { telemetryService } from '../../../server/services/telemetry.js';
import { putMonitorReceipts, type Receiver } from '../../../server/telemetry/index.js';
import {
  HOSTER,
  HOUR,
  MONITOR,
  NOON,
  OPERATOR,
  TelemetryServer,
  testClock,
} from '../../support/telemetry.js';
import { suite, testKey } from '../../support/trust/keys.js';

const DAY = 24 * HOUR;

interface Sent {
  readonly objects?: number;
  readonly sequence?: number;
  readonly revision?: number;
  readonly window?: Window;
  readonly previous?: Uint8Array;
  readonly member?: string;
}

function reportOf({
  objects = 1,
  sequence = 1,
  revision = 1,
  window,
  previous,
  member,
}: Sent = {}): TelemetryReport {
  const facts = {
    member: `members/${member ?? 'hoster-a'}`,
    sdkVersion: '0.1.0',
    policySha256: new Uint8Array(32),
    coverage: NO_COVERAGE,
  };
  const slot = { id: 'ab'.repeat(16), sequence, revision, previous: previous ?? new Uint8Array(32) };
  const counted = { counts: new Map([['n|o|1|1|1', objects]]), distinct: new Map() };
  return makeReport(facts, window ?? windowAt('day', NOON), counted, slot, NOON);
}

const bodyOf = (sent: Sent = {}) => TelemetryReport.encode(reportOf(sent)).finish();
const envelopeOf = (sent: Sent = {}) => signDsse('telemetry', bodyOf(sent), [HOSTER.signer]);
const digestOf = (sent: Sent) => suite.sha256.digest(bodyOf(sent));
const refusal = (code: string, field?: string) => ({
  code,
  ...(field && { detail: expect.objectContaining({ field }) }),
});

function world(now = NOON): {
  server: TelemetryServer;
  receiver: Receiver;
  clock: ReturnType<typeof testClock>;
} {
  const clock = testClock(now);
  const server = new TelemetryServer(clock);
  return { server, receiver: server.receiver, clock };
}

async function receiptOf(receiver: Receiver, sent: Sent = {}): Promise<Receipt> {
  const { receipt } = await receiver.submit('hoster-a', envelopeOf(sent));
  return Receipt.decode(parseDsse('receipt', receipt).body);
}

describe('a server', () => {
  test('answers a report with a receipt that names it, and a repeated one with the same', async () => {
    const { receiver, clock } = world();
    const first = await receiver.submit('hoster-a', envelopeOf());
    clock.now += HOUR;
    const again = await receiver.submit('hoster-a', envelopeOf());
    expect(Buffer.from(again.receipt)).toEqual(Buffer.from(first.receipt));
    const receipt = Receipt.decode(parseDsse('receipt', first.receipt).body);
    expect(receipt).toMatchObject({ signer: 'members/operator', member: 'members/hoster-a', inTime: true });
    expect(receipt.receivedMs).toBe(BigInt(NOON));
  });

  test('takes a report from its own member only', async () => {
    const { receiver } = world();
    await expect(receiver.submit('hoster-b', envelopeOf())).rejects.toMatchObject(refusal('BAD_SIGNATURE'));
    const foreign = signDsse('telemetry', bodyOf({ member: 'hoster-b' }), [HOSTER.signer]);
    await expect(receiver.submit('hoster-a', foreign)).rejects.toMatchObject(
      refusal('NOT_ENTITLED', 'member'),
    );
    const forged = signDsse('telemetry', bodyOf(), [testKey('somebody').signer]);
    await expect(receiver.submit('hoster-a', forged)).rejects.toMatchObject(refusal('BAD_SIGNATURE'));
    const otherKind = signDsse('receipt', bodyOf(), [HOSTER.signer]);
    await expect(receiver.submit('hoster-a', otherKind)).rejects.toMatchObject(
      refusal('MALFORMED', 'envelope'),
    );
  });

  test('refuses another body under a revision it has', async () => {
    const { receiver } = world();
    await receiptOf(receiver);
    await expect(receiptOf(receiver, { objects: 2 })).rejects.toMatchObject(
      refusal('TELEMETRY_CONFLICT', 'revision'),
    );
  });

  test('refuses a day and hours of it together, in either order', async () => {
    const hour = windowAt('hour', NOON);
    const one = world();
    await receiptOf(one.receiver);
    await expect(receiptOf(one.receiver, { window: hour })).rejects.toMatchObject(refusal('WINDOW_OVERLAP'));
    const other = world();
    await receiptOf(other.receiver, { window: hour });
    await expect(receiptOf(other.receiver)).rejects.toMatchObject(refusal('WINDOW_OVERLAP'));
    await receiptOf(other.receiver, { window: windowAt('hour', NOON - HOUR) });
    await receiptOf(other.receiver, { window: windowAt('day', NOON - DAY) });
  });

  test('refuses a window that has not begun, but for ten minutes of clocks that differ', async () => {
    const tomorrow = windowAt('day', NOON + DAY);
    const { receiver, clock } = world(tomorrow.startMs - 600_001);
    await expect(receiptOf(receiver, { window: tomorrow })).rejects.toMatchObject(refusal('FUTURE'));
    clock.now += 1;
    await receiptOf(receiver, { window: tomorrow });
  });

  test('closes a window 48 hours after its end: no revision alters it, a first report is late', async () => {
    const { server, receiver, clock } = world();
    const window = windowAt('day', NOON);
    await receiptOf(receiver, { objects: 1 });
    clock.now = window.endMs + 48 * HOUR - 1;
    expect((await receiptOf(receiver, { objects: 2, revision: 2, sequence: 2 })).inTime).toBe(true);
    clock.now += 1;
    const late = { objects: 3, revision: 3, sequence: 3 };
    await expect(receiptOf(receiver, late)).rejects.toMatchObject(refusal('WINDOW_CLOSED'));
    expect((await server.received()).map(({ report }) => report.revision)).toEqual([1, 2]);
    const before = { window: windowAt('day', NOON - DAY), sequence: 3 };
    expect((await receiptOf(receiver, before)).inTime).toBe(false);
  });

  test('notes missing, altered and repeated numbers, also after a restart', async () => {
    const { server, receiver, clock } = world();
    const on = (day: number, sent: Sent = {}) => ({ window: windowAt('day', NOON + day * DAY), ...sent });
    clock.now += 3 * DAY;
    await receiptOf(receiver, on(0));
    await receiptOf(receiver, on(1, { sequence: 2, previous: digestOf(on(0)) }));
    expect(server.warnings).toEqual([]);
    await receiptOf(receiver, on(2, { sequence: 3, previous: digestOf(on(0)) }));
    expect(server.warnings).toHaveLength(1);
    await receiptOf(receiver, on(2, { sequence: 3, revision: 2 }));
    expect(server.warnings).toHaveLength(2);
    const restarted = new TelemetryServer(clock);
    Object.assign(restarted.deps, { storage: server.deps.storage });
    await receiptOf(restarted.receiver, on(3, { sequence: 5, previous: digestOf(on(0)) }));
    expect(restarted.warnings).toHaveLength(1);
  });

  test('without a key of its own takes nothing', async () => {
    const { server, receiver } = world();
    Object.assign(server.deps, { signing: undefined });
    await expect(receiptOf(receiver)).rejects.toMatchObject(refusal('UNAVAILABLE'));
    expect(await server.received()).toEqual([]);
  });

  test('hands out the receipt of the monitor once it has one, and takes no other for it', async () => {
    const { server, receiver } = world();
    await receiptOf(receiver);
    const at = { receivedMs: NOON, inTime: true };
    const by = { kind: 'monitor', name: 'members/monitor', signer: MONITOR.signer } as const;
    const put = (receipt: Uint8Array) => putMonitorReceipts(server.deps, 'monitor', [receipt]);
    const good = makeReceipt(by, reportOf(), digestOf({}), at);
    await expect(put(makeReceipt(by, reportOf(), digestOf({ objects: 2 }), at))).rejects.toMatchObject(
      refusal('NOT_FOUND'),
    );
    await expect(
      put(makeReceipt({ ...by, signer: HOSTER.signer }, reportOf(), digestOf({}), at)),
    ).rejects.toMatchObject(refusal('THRESHOLD_NOT_MET'));
    const server2 = { kind: 'server', name: 'members/operator', signer: OPERATOR.signer } as const;
    await expect(put(makeReceipt(server2, reportOf(), digestOf({}), at))).rejects.toMatchObject(
      refusal('NOT_ENTITLED'),
    );
    expect((await receiver.submit('hoster-a', envelopeOf())).monitorReceipt).toHaveLength(0);
    await put(good);
    expect(Buffer.from((await receiver.submit('hoster-a', envelopeOf())).monitorReceipt)).toEqual(
      Buffer.from(good),
    );
  });
});

test('what a hoster hands in costs it budget', async () => {
  const clock = testClock();
  const rates = { telemetry: { burst: 2, perSecond: 0.001 } };
  const { deps } = new TelemetryServer(clock);
  const { handlers } = await telemetryService(deps, new MemoryBudgets(clock, rates));
  const context = { caller: { member: 'hoster-a' } } as never;
  const submit = () => handlers['submitTelemetry']!({ envelope: new Uint8Array() } as never, context);
  const report = () => handlers['reportSyncState']!({ states: [] } as never, context);
  await expect(submit()).rejects.toMatchObject({ code: 'MALFORMED' });
  await expect(report()).rejects.toMatchObject({ code: 'MALFORMED' });
  await expect(submit()).rejects.toMatchObject({ code: 'BUDGET_EXCEEDED' });
  await expect(report()).rejects.toMatchObject({ code: 'BUDGET_EXCEEDED' });
});

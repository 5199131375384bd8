import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { toHex } from '../../../sdk/core/index.js';
import { currencyOf } from '../../../sdk/sync/index.js';
import { SyncClient, TestClock } from '../../support/sync/client.js';
import { FakeList, FakeServer } from '../../support/sync/fake-server.js';
import { ORIGIN, T0 } from '../../support/trust/bodies.js';

let clock: TestClock;
let list: FakeList;
let server: FakeServer;
let client: SyncClient;

beforeEach(async () => {
  clock = new TestClock(T0 + 60_000);
  list = new FakeList(ORIGIN, () => clock.nowMs());
  list.log.publish(list.log.adds('first', 500));
  list.sign('two');
  server = await FakeServer.start(list);
  client = await SyncClient.open(ORIGIN, clock, [server.source()]);
});
afterEach(async () => {
  await client.remove();
  server.stop();
});

const truth = () =>
  `${list.log.size} ${list.log.state.count} ${toHex(list.log.at().root)} ${toHex(list.log.state.setDigest())}`;
const currency = () => currencyOf(client.deps, client.book, client.replica);

describe('an honest source', () => {
  test('a first sync is verified, durable and fresh', async () => {
    const result = await client.sync();
    expect(result).toMatchObject({ path: 'rebuild', from: 0, size: 501, withheld: false, failures: [] });
    expect(client.digest()).toBe(truth());
    expect(currency()).toMatchObject({ state: 'FRESH', causes: [] });
    await client.restart();
    expect(client.digest()).toBe(truth());
    expect(currency().state).toBe('FRESH');
  });

  test('deltas add, amend and withdraw, and say what they did', async () => {
    await client.sync();
    clock.pass(60_000);
    const { log } = list;
    log.publish([...log.adds('second', 20), log.withdraw(3), log.amend(4)]);
    list.sign('two');
    const { path, changes } = await client.sync();
    expect(path).toBe('delta');
    expect(changes).toMatchObject({ rebuilt: false, withdrawn: [3] });
    expect([changes.added.length, changes.removed.length]).toEqual([21, 2]);
    expect(server.pulls.at(-1)).toEqual({ from: 501, to: 524 });
    expect(client.digest()).toBe(truth());
    await client.restart();
    expect(client.digest()).toBe(truth());
  });

  test('nothing new only moves the statements', async () => {
    await client.sync();
    clock.pass(3_600_000);
    expect(currency().state).toBe('EXPIRED');
    expect((await client.sync()).path).toBe('statements');
    expect(currency().state).toBe('FRESH');
    await client.restart();
    expect(currency().state).toBe('FRESH');
  });

  test('an empty list is no failure', async () => {
    const none = await FakeServer.start(new FakeList(ORIGIN, () => clock.nowMs()));
    const other = await SyncClient.open(ORIGIN, clock, [none.source()]);
    expect(await other.sync()).toMatchObject({ path: 'none', size: 0 });
    await other.remove();
    none.stop();
  });

  test('records that came after the first sync carry their arrival', async () => {
    await client.sync();
    clock.pass(5_000);
    list.log.publish(list.log.adds('later', 3));
    list.sign('two');
    await client.sync();
    expect(client.replica.arrivedMs(10)).toBeUndefined();
    expect(client.replica.arrivedMs(502)).toBe(clock.nowMs());
    await client.restart();
    expect(client.replica.arrivedMs(502)).toBe(clock.nowMs());
    expect(client.replica.firstSyncMs).toBe(T0 + 60_000);
  });

  test('a hold raises an alarm', async () => {
    await client.sync();
    list.log.publish([list.log.hold(0, 10)]);
    list.sign('two');
    const { alarms } = await client.sync();
    expect(alarms).toEqual([{ kind: 'hold', index: 501, untilMs: clock.nowMs() + 3_600_000 }]);
  });
});

describe('one key', () => {
  test('may add within its limit', async () => {
    await client.sync();
    list.log.publish(list.log.adds('few', 50));
    list.sign('one');
    expect((await client.sync()).size).toBe(552);
    expect(client.replica.held?.anchor.size).toBe(501);
  });

  test.each([
    ['additions', () => list.log.adds('many', 51)],
    ['withdrawals', () => Array.from({ length: 51 }, (_, i) => list.log.withdraw(i))],
  ])('does not get more %s through, in one go or in slices', async (_, leaves) => {
    await client.sync();
    const before = client.digest();
    const all = leaves();
    list.log.publish(all.slice(0, 30));
    list.sign('one');
    await client.sync();
    const between = client.digest();
    expect(between).not.toBe(before);
    list.log.publish(all.slice(30));
    list.sign('one');
    await expect(client.sync()).rejects.toMatchObject({ code: 'THRESHOLD_NOT_MET' });
    expect(client.digest()).toBe(between);
    await client.restart();
    await expect(client.sync()).rejects.toMatchObject({ code: 'THRESHOLD_NOT_MET' });
    list.sign('two');
    expect((await client.sync()).size).toBe(list.log.size);
  });

  test('is counted from an anchor that was cosigned late', async () => {
    await client.sync();
    list.log.publish(list.log.adds('a', 40));
    const late = list.sign('one');
    await client.sync();
    list.heads.push({ ...late, note: list.note(late, 'two'), twoKeys: true });
    list.log.publish(list.log.adds('b', 40));
    list.sign('one');
    expect((await client.sync()).size).toBe(list.log.size);
    expect(client.replica.held?.anchor.size).toBe(late.size);
  });

  test('cannot start a generation', async () => {
    list.heads.length = 0;
    list.sign('one');
    await expect(client.sync()).rejects.toMatchObject({ code: 'THRESHOLD_NOT_MET' });
    expect(client.replica.size).toBe(0);
  });
});

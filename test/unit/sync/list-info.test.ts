import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { judgeHashes } from '../../../sdk/check.js';
import { FRESH_MS, toHex } from '../../../sdk/core/index.js';
import { DEFAULT_POLICY } from '../../../sdk/match/index.js';
import { MatchingList } from '../../../sdk/matching-list.js';
import { guardOf } from '../../../sdk/sync/clock-guard.js';
import { RootBook } from '../../../sdk/sync/index.js';
import { SyncClient, TestClock } from '../../support/sync/client.js';
import { FakeList, FakeServer } from '../../support/sync/fake-server.js';
import * as trust from '../../support/trust/bodies.js';

const { ORIGIN, T0 } = trust;

let clock: TestClock;
let list: FakeList;
let server: FakeServer;
let client: SyncClient;
let matching: MatchingList;

beforeEach(async () => {
  clock = new TestClock(T0 + 60_000);
  list = new FakeList(ORIGIN, () => clock.nowMs());
  list.log.publish(list.log.adds('first', 50));
  list.sign('two');
  server = await FakeServer.start(list);
  client = await SyncClient.open(ORIGIN, clock, [server.source()]);
  matching = new MatchingList(client.replica, 'listed');
});
afterEach(async () => {
  await client.remove();
  server.stop();
});

const info = () => matching.info(client.deps, client.book);
/** What one says that has never been asked. */
const anew = () => new MatchingList(client.replica, 'listed').info(client.deps, client.book);

describe('what a list says of itself', () => {
  test('is the same object while nothing changed, and what a new look says at each millisecond', async () => {
    expect(info()).toEqual({ origin: ORIGIN, purpose: 'listed', size: 0, state: 'EMPTY' });
    await client.sync();
    expect(info()).toMatchObject({ state: 'FRESH', size: 51, lastFreshMs: clock.nowMs() });
    expect(info()).toBe(info());
    const steps = [1, 999, FRESH_MS - 1001, 1, 1, 3_600_000, 6 * 3_600_000];
    const states = steps.map((ms) => {
      clock.pass(ms);
      expect(info()).toEqual(anew());
      return info().state;
    });
    expect(states).toEqual(['FRESH', 'FRESH', 'FRESH', 'FRESH', 'STALE', 'EXPIRED', 'EXPIRED']);
  });

  test('follows the monotonic clock where the wall clock stands still', async () => {
    await client.sync();
    expect(info().state).toBe('FRESH');
    clock.mono += FRESH_MS + 1;
    expect(info().state).toBe('STALE');
    expect(info()).toEqual(anew());
  });

  test('follows what is held, within one millisecond', async () => {
    await client.sync();
    clock.pass(FRESH_MS + 1);
    expect(info().state).toBe('STALE');
    list.sign('two');
    await client.sync();
    expect(info().state).toBe('FRESH');
    list.log.publish(list.log.adds('second', 3));
    list.sign('two');
    await client.sync();
    expect(info().size).toBe(55);
    expect(info()).toEqual(anew());
    const { state, tree, held } = client.replica;
    client.replica.settle({ state, tree, held: { ...held!, freshness: undefined, lastFreshMs: 7 } });
    expect(info()).toMatchObject({ state: 'STALE', lastFreshMs: 7 });
  });

  test('follows what others say of the time, within one millisecond', async () => {
    await client.sync();
    expect(info().state).toBe('FRESH');
    guardOf(clock).sawTime(clock.nowMs() + 86_400_000);
    expect(info().state).toBe('STALE');
    guardOf(clock).confirm(clock.nowMs());
    expect(info().state).toBe('FRESH');
  });
});

describe('a list whose root speaks for it no longer', () => {
  const other = trust.originPolicy({ origin: ORIGIN.replace('abuse', 'other') });
  const succeeds = { origin: ORIGIN, size: 51n, root: new Uint8Array(32) };
  const next = trust.originPolicy({ origin: ORIGIN.replace('g1', 'g2'), succeeds });
  test.each([
    ['was closed', next],
    ['was dropped', other],
  ])('is matched on as expired where it %s', async (_what, policy) => {
    await matching.apply((await client.sync()).changes);
    const { lastFreshMs } = info();
    const message = trust.rootMessage({ version: 2n, previousSha256: list.rootSha256, origins: [policy] });
    const envelope = trust.signBody('root', trust.encodeRoot(message), ...trust.ROOT_KEYS);
    await client.deps.store.documents.put('root', 'members/police', 2, envelope);
    client.book = await RootBook.open(client.deps);
    clock.pass(1_000);
    expect(info()).toMatchObject({ state: 'EXPIRED', size: 51, lastFreshMs });
    const { arena } = client.replica.state;
    const row = client.replica.state.rowByIndex(3)!;
    const computed = { sha256: arena.hash(row) };
    const { deps, book } = client;
    const verdict = judgeHashes({ deps, book, lists: [matching], policy: DEFAULT_POLICY }, computed);
    expect(verdict).toMatchObject({ freshness: 'EXPIRED', matches: [{ add_index: 3 }] });
  });
});

test('the records of an item are found among those that came before and after the first question', async () => {
  await client.sync();
  const of = (index: number) => client.replica.state.recordByIndex(index)!;
  const found = (itemId: Uint8Array) => matching.items.records(itemId).map(({ hash }) => toHex(hash));
  expect(found(of(3).itemId)).toEqual([toHex(of(3).hash)]);
  list.log.publish([...list.log.adds('second', 20), list.log.withdraw(3)]);
  list.sign('two');
  const before = of(3).itemId;
  await matching.apply((await client.sync()).changes);
  expect(found(before)).toEqual([]);
  expect(found(of(60).itemId)).toEqual([toHex(of(60).hash)]);
  expect(found(of(7).itemId)).toEqual([toHex(of(7).hash)]);
});

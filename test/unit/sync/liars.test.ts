import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PullEntriesResponse } from '../../../proto/gen/hashfed/v1/list.js';
import { encodeBundle, HashfedError, MAX_BUNDLE_BYTES } from '../../../sdk/core/index.js';
import { currencyOf, type Source } from '../../../sdk/sync/index.js';
import { BulkLog } from '../../support/sync/bulk-log.js';
import { SyncClient, TestClock } from '../../support/sync/client.js';
import { type Bends, FakeList, FakeServer } from '../../support/sync/fake-server.js';
import { ORIGIN, T0 } from '../../support/trust/bodies.js';

let clock: TestClock;
let list: FakeList;
let liar: FakeServer;
let honest: FakeServer;
let client: SyncClient;
let before: string;

const start = (sources: readonly Source[]) => SyncClient.open(ORIGIN, clock, sources);

beforeEach(async () => {
  clock = new TestClock(T0 + 60_000);
  list = new FakeList(ORIGIN, () => clock.nowMs());
  list.log.publish(list.log.adds('first', 300));
  list.sign('two');
  liar = await FakeServer.start(list);
  honest = await FakeServer.start(list);
  client = await start([liar.source()]);
  await client.sync();
  before = client.digest();
  clock.pass(10_000);
  list.log.publish(list.log.adds('second', 100));
  list.sign('two');
});
afterEach(async () => {
  await client.remove();
  liar.stop();
  honest.stop();
});

type Pull = NonNullable<Bends['entries']>;
const flip = (bytes: Uint8Array, at: number) => bytes.map((b, i) => (i === at ? b ^ 1 : b));
const alter = (change: (one: PullEntriesResponse) => PullEntriesResponse): Pull =>
  function* (all) {
    for (const one of all) yield change(one);
  };
const big = encodeBundle(Array.from({ length: 300 }, () => new Uint8Array(1_000).fill(1)));

const PULLS: [string, Pull, string][] = [
  ['another byte in an entry', alter((one) => ({ ...one, bundle: flip(one.bundle, 60) })), 'ROOT_MISMATCH'],
  ['a stream that ends early', function* () {}, 'MALFORMED'],
  ['a wrong first index', alter((one) => ({ ...one, firstIndex: one.firstIndex + 1n })), 'MALFORMED'],
  [
    'a repeated bundle',
    function* (all) {
      for (const one of all) yield* [one, one];
    },
    'MALFORMED',
  ],
  ['a wrong count', alter((one) => ({ ...one, count: one.count - 1 })), 'MALFORMED'],
  ['half an entry', alter((one) => ({ ...one, bundle: one.bundle.subarray(0, 100) })), 'MALFORMED'],
  [
    'more entries than asked for',
    alter((one) => ({
      ...one,
      bundle: encodeBundle(Array.from({ length: 500 }, () => Uint8Array.of(1))),
      count: 500,
    })),
    'MALFORMED',
  ],
  ['an oversized bundle', alter((one) => ({ ...one, bundle: big, count: 300 })), 'MALFORMED'],
  [
    'a failure that claims to be a fork',
    () => {
      throw new HashfedError('EQUIVOCATION', 'so they say');
    },
    'EQUIVOCATION',
  ],
  [
    'a failure that claims to be our disk',
    () => {
      throw new HashfedError('STORAGE_FAILED', 'so they say');
    },
    'STORAGE_FAILED',
  ],
];

describe('entries', () => {
  test.each(PULLS)('%s: nothing changes, and an honest source helps', async (_, entries, code) => {
    expect(big.length).toBeGreaterThan(MAX_BUNDLE_BYTES);
    liar.bends.entries = entries;
    await expect(client.sync()).rejects.toMatchObject({ code });
    expect(client.digest()).toBe(before);
    await client.restart();
    expect(client.digest()).toBe(before);
    const both = await start([liar.source(), honest.source()]);
    expect((await both.sync()).size).toBe(list.log.size);
    await both.remove();
  });

  test('a stream cut again and again is taken up at the cursor', async () => {
    list.log.publish(list.log.adds('third', 9_000));
    list.sign('two');
    let cuts = 3;
    liar.bends.entries = function* (all) {
      for (const one of all) {
        yield one;
        if (cuts-- > 0) throw new HashfedError('UNAVAILABLE', 'cut');
      }
    };
    expect((await client.sync()).size).toBe(list.log.size);
    const froms = liar.pulls.slice(1).map(({ from }) => from);
    expect(froms).toHaveLength(4);
    expect(froms).toEqual([...new Set(froms)].sort((a, b) => a - b));
  });
});

describe('notes', () => {
  test('a server that was rolled back', async () => {
    await client.sync();
    const held = client.digest();
    list.heads.pop();
    await expect(client.sync()).rejects.toMatchObject({ code: 'ROLLBACK' });
    expect(client.digest()).toBe(held);
    expect(await client.evidence()).toEqual([1]);
    await expect(client.sync()).rejects.toMatchObject({ code: 'ROLLBACK' });
    expect(await client.evidence()).toEqual([1]);
  });

  test('a server that forgot the list', async () => {
    liar.bends.bundle = (one) => ({ ...one, note: new Uint8Array() });
    await expect(client.sync()).rejects.toMatchObject({ code: 'ROLLBACK' });
  });

  test('a fork of the size held ends the sync, whatever others say', async () => {
    const fork = new FakeList(ORIGIN, list.now, new BulkLog(ORIGIN, list.now));
    fork.log.publish(fork.log.adds('forked', 300));
    fork.sign('two');
    const forked = await FakeServer.start(fork);
    const both = await start([honest.source()]);
    list.heads.pop();
    await both.sync();
    const held = both.digest();
    both.follow(forked.source(), honest.source());
    await expect(both.sync()).rejects.toMatchObject({ code: 'EQUIVOCATION' });
    expect(both.digest()).toBe(held);
    expect(await both.evidence()).toEqual([1]);
    await both.remove();
    forked.stop();
  });

  test('a fork that extends is no extension', async () => {
    const fork = new FakeList(ORIGIN, list.now, new BulkLog(ORIGIN, list.now));
    fork.log.publish(fork.log.adds('forked', 600));
    fork.sign('two');
    const forked = await FakeServer.start(fork);
    client.follow(forked.source());
    await expect(client.sync()).rejects.toMatchObject({ code: 'ROOT_MISMATCH' });
    expect(client.digest()).toBe(before);
    forked.stop();
  });

  test('another list, another key, a changed line', async () => {
    const note = (text: string, to: string) => (one: Parameters<NonNullable<Bends['bundle']>>[0]) => ({
      ...one,
      note: new TextEncoder().encode(new TextDecoder().decode(one.note).replace(text, to)),
    });
    for (const [from, to] of [
      ['/g1\n', '/g2\n'],
      ['\n402\n', '\n403\n'],
    ] as const) {
      liar.bends.bundle = note(from, to);
      await expect(client.sync()).rejects.toMatchObject({ code: 'BAD_SIGNATURE' });
    }
    expect(client.digest()).toBe(before);
  });
});

describe('statements', () => {
  const currency = () => currencyOf(client.deps, client.book, client.replica);

  test('a withheld checkpoint shows, and a source that has it is preferred', async () => {
    const newest = list.head!;
    liar.bends.bundle = () => ({ ...list.bundle(list.heads[0]), freshness: list.freshness(newest) });
    const { withheld, alarms } = await client.sync();
    expect(withheld).toBe(true);
    expect(alarms).toEqual([{ kind: 'withheld' }]);
    expect(client.digest()).toBe(before);
    expect(currency()).toMatchObject({ state: 'STALE', causes: ['WITHHELD'] });
    client.follow(liar.source(), honest.source());
    expect(await client.sync()).toMatchObject({ withheld: false, size: list.log.size });
    expect(currency().state).toBe('FRESH');
  });

  test('a newer checkpoint with an old statement is applied and stale', async () => {
    liar.bends.bundle = (one) => ({
      ...one,
      freshness: list.freshness(list.heads[0]!, clock.nowMs() - 20 * 60_000),
    });
    await client.sync();
    expect(client.replica.size).toBe(list.log.size);
    expect(currency()).toMatchObject({ state: 'STALE', causes: ['FRESHNESS'] });
  });

  test('a statement from the future is refused and forgotten, the entries are applied', async () => {
    liar.bends.bundle = (one) => ({
      ...one,
      freshness: list.freshness(list.head!, clock.nowMs() + 86_400_000),
    });
    const { alarms } = await client.sync();
    expect(alarms).toEqual([{ kind: 'statement', what: 'freshness', code: 'FUTURE' }]);
    expect(currency().state).toBe('STALE');
  });

  test('a signed statement that contradicts the checkpoint is a fork', async () => {
    const other = { size: list.head!.size, root: new Uint8Array(32).fill(9) };
    liar.bends.bundle = (one) => ({ ...one, freshness: list.freshness(other) });
    await expect(client.sync()).rejects.toMatchObject({ code: 'EQUIVOCATION' });
    expect(await client.evidence()).toEqual([1]);
    expect(client.digest()).toBe(before);
  });

  test('a clock put back makes nothing fresh; a statement that agrees with it does', async () => {
    await client.sync();
    clock.pass(20 * 60_000);
    expect(currency().state).toBe('STALE');
    clock.wall -= 19 * 60_000;
    expect(currency()).toMatchObject({ state: 'STALE', causes: ['CLOCK'] });
    liar.bends.bundle = (one) => ({ ...one, freshness: list.freshness(list.head!, clock.nowMs()) });
    await client.sync();
    expect(currency().causes).not.toContain('CLOCK');
  });

  test('an expired root takes nothing more', async () => {
    clock.pass(366 * 86_400_000);
    await expect(client.sync()).rejects.toMatchObject({ code: 'STALE' });
    expect(client.digest()).toBe(before);
    expect(currency()).toMatchObject({ state: 'EXPIRED' });
  });
});

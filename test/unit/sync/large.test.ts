import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { HashfedError, toHex } from '../../../sdk/core/index.js';
import { SyncClient, TestClock } from '../../support/sync/client.js';
import { FakeList, FakeServer } from '../../support/sync/fake-server.js';
import { ORIGIN, T0 } from '../../support/trust/bodies.js';

const MANY = 120_000;
let clock: TestClock;
let list: FakeList;
let server: FakeServer;
let client: SyncClient;

async function serve(served: FakeList): Promise<void> {
  list = served;
  server = await FakeServer.start(list);
  client = await SyncClient.open(ORIGIN, clock, [server.source()]);
}

function newList(): FakeList {
  clock = new TestClock(T0 + 60_000);
  return new FakeList(ORIGIN, () => clock.nowMs());
}

afterEach(async () => {
  await client.remove();
  server.stop();
});

const truth = () =>
  `${list.log.size} ${list.log.state.count} ${toHex(list.log.at().root)} ${toHex(list.log.state.setDigest())}`;

/** Withdraws everything below `to` but every tenth record, so that a snapshot is much shorter than the log. */
function withdrawMost(of: FakeList, to: number): void {
  const leaves = [];
  for (let i = 0; i < to; i++) if (i % 10 !== 0) leaves.push(of.log.withdraw(i));
  of.log.publish(leaves);
  of.sign('two');
}

describe('a first sync that is cut', () => {
  beforeEach(async () => {
    await serve(newList());
    list.log.publishRandom(MANY * 2);
    list.sign('two');
  });

  test('goes on where it was, even after a restart', async () => {
    let left = 100;
    server.bends.entries = function* (all) {
      for (const one of all) {
        if (left-- === 0) throw new HashfedError('INTERNAL', 'cut for good');
        yield one;
      }
    };
    await expect(client.sync()).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(client.replica.size).toBe(0);
    await client.restart();
    server.bends = {};
    await client.sync();
    expect(server.pulls.map(({ from }) => from)).toEqual([0, 200_000]);
    expect(client.digest()).toBe(truth());
  });

  test('starts over where what was staged turns out wrong', async () => {
    let left = 100;
    server.bends.entries = function* (all) {
      for (const one of all) {
        if (left-- === 0) throw new HashfedError('INTERNAL', 'cut for good');
        const bundle = left === 50 ? one.bundle.map((b, i) => (i === 60 ? b ^ 1 : b)) : one.bundle;
        yield { ...one, bundle };
      }
    };
    await expect(client.sync()).rejects.toMatchObject({ code: 'INTERNAL' });
    await client.restart();
    server.bends = {};
    await client.sync();
    expect(server.pulls.map(({ from }) => from)).toEqual([0, 200_000, 0]);
    expect(client.digest()).toBe(truth());
  });
});

describe('a large delta', () => {
  test('becomes a new base, whose rows are numbered anew', async () => {
    await serve(newList());
    list.log.publishRandom(1_000);
    list.sign('two');
    await client.sync();
    list.log.publishRandom(MANY);
    list.sign('two');
    const { path, changes } = await client.sync();
    expect([path, changes.rebuilt]).toEqual(['rebuild', true]);
    expect(client.digest()).toBe(truth());
    await client.restart();
    expect(client.digest()).toBe(truth());
  });
});

describe('a snapshot', () => {
  let shared: FakeList;
  beforeAll(() => {
    shared = newList();
    shared.log.publishRandom(MANY);
    shared.sign('two');
    withdrawMost(shared, MANY);
    shared.snapshot = shared.log.snapshot();
    shared.log.publish([...shared.log.adds('tail', 30), shared.log.withdraw(10)]);
    shared.sign('one');
  });
  beforeEach(() => serve(shared));

  test('takes over a list that is far behind, and tells what was withdrawn', async () => {
    const { snapshot } = list;
    const later = list.heads.splice(1);
    list.snapshot = undefined;
    await client.sync();
    list.heads.push(...later);
    list.snapshot = snapshot;
    const { path, changes } = await client.sync();
    expect(path).toBe('snapshot');
    expect(changes.withdrawn).toHaveLength(MANY - MANY / 10 + 1);
    expect(client.digest()).toBe(truth());
  });

  test('goes on with the bucket it was in when it is cut', async () => {
    let left = 150;
    server.bends.snapshot = function* (all) {
      for (const one of all) {
        if (left-- === 0) throw new HashfedError('UNAVAILABLE', 'cut');
        yield one;
      }
    };
    await client.sync();
    expect(server.snapshotPulls.length).toBe(2);
    expect(server.snapshotPulls[1]).toBeGreaterThan(0);
    expect(client.digest()).toBe(truth());
  });

  const LIES = {
    'another record': () => {
      server.bends.snapshot = function* (all) {
        for (const one of all) yield { ...one, rows: one.rows.map((b, i) => (i === 70 ? b ^ 1 : b)) };
      };
    },
    'a missing bucket': () => {
      server.bends.snapshot = function* (all) {
        for (const one of all) if (one.firstBucket !== 7) yield one;
      };
    },
    'an early end': () => {
      server.bends.snapshot = function* (all) {
        for (const one of all) if (one.firstBucket < 7) yield one;
      };
    },
    'other bucket digests': () => {
      server.bends.snapshotIndex = (one) => ({
        ...one,
        bucketDigests: one.bucketDigests.map((b, i) => (i === 5 ? b ^ 1 : b)),
      });
    },
    'another SEAL': () => {
      server.bends.snapshotIndex = (one) => ({
        ...one,
        sealLeaf: one.sealLeaf.map((b, i) => (i === 5 ? b ^ 1 : b)),
      });
    },
    'another compact range': () => {
      server.bends.snapshotIndex = (one) => ({
        ...one,
        compactRange: one.compactRange.map((b, i) => (i === 5 ? b ^ 1 : b)),
      });
    },
    'a one-key anchor': () => {
      server.bends.snapshotIndex = (one) => ({
        ...one,
        anchorNote: list.note(list.log.at(Number(one.size)), 'one'),
      });
    },
  };
  test.each(Object.entries(LIES))('with %s is refused, nothing is stored', async (_, lie) => {
    lie();
    await expect(client.sync()).rejects.toMatchObject({ name: 'HashfedError' });
    expect(client.replica.size).toBe(0);
    await client.restart();
    expect(client.replica.size).toBe(0);
    server.bends = {};
    await client.sync();
    expect(client.digest()).toBe(truth());
  });

  test('is taken where it is shorter than the log, and its tail is pulled', async () => {
    const { path, changes } = await client.sync();
    expect([path, changes.rebuilt]).toEqual(['snapshot', true]);
    expect(server.pulls).toEqual([{ from: list.snapshot!.size, to: list.log.size }]);
    expect(client.digest()).toBe(truth());
    expect(client.replica.held?.anchor.size).toBe(list.snapshot!.size);
    await client.restart();
    expect(client.digest()).toBe(truth());
    list.log.publish(list.log.adds('more', 5));
    list.sign('one');
    expect((await client.sync()).path).toBe('delta');
    expect(client.digest()).toBe(truth());
  });
});

import { cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { HashfedError, toHex } from '../../../sdk/core/index.js';
import { BLOCK_BYTES } from '../../../sdk/store/index.js';
import type { BulkSnapshot } from '../../support/sync/bulk-log.js';
import { SyncClient, TestClock } from '../../support/sync/client.js';
import { FakeList, FakeServer } from '../../support/sync/fake-server.js';
import { ORIGIN, T0 } from '../../support/trust/bodies.js';

/** 4.6 MB of rows in 64 buckets: five blocks on disk. */
const RECORDS = 60_000;
const BLOCKS = Math.ceil((RECORDS * 77) / BLOCK_BYTES);
/** Header of a column file, and what every block has behind it. */
const [HEADER_BYTES, TAG_BYTES] = [128, 16];

let clock: TestClock;
let list: FakeList;
let server: FakeServer;
let client: SyncClient;

const truth = () =>
  `${list.log.size} ${list.log.state.count} ${toHex(list.log.at().root)} ${toHex(list.log.state.setDigest())}`;

/** A list, and the folder of a hoster that holds all of it: most tests change a copy of the folder alone. */
let shared: { list: FakeList; snapshot: BulkSnapshot; dir: string };

function newList(): FakeList {
  const made = new FakeList(ORIGIN, () => clock.nowMs());
  made.log.publishRandom(RECORDS);
  made.sign('two');
  made.snapshot = made.log.snapshot();
  return made;
}

async function follow(followed: FakeList, dir?: string): Promise<void> {
  list = followed;
  server = await FakeServer.start(list);
  client = await SyncClient.open(ORIGIN, clock, [server.source()], dir === undefined ? {} : { dir });
}

/** A list of the test's own, which may grow. */
async function followOwn(): Promise<void> {
  await client.remove();
  server.stop();
  await follow(newList());
  await client.sync();
  forget();
}

beforeAll(async () => {
  clock = new TestClock(T0 + 60_000);
  const made = newList();
  await follow(made);
  await client.sync();
  await client.close();
  server.stop();
  shared = { list: made, snapshot: made.snapshot!, dir: client.dir };
});
afterAll(() => rm(shared.dir, { recursive: true, force: true }));

beforeEach(async () => {
  clock = new TestClock(T0 + 60_000);
  shared.list.snapshot = shared.snapshot;
  const dir = await mkdtemp(join(tmpdir(), 'hashfed-repair-'));
  await cp(shared.dir, dir, { recursive: true });
  await follow(shared.list, dir);
});

afterEach(async () => {
  await client.remove();
  server.stop();
});

/** What was asked so far no longer counts. */
function forget(): void {
  for (const asked of [server.snapshotPulls, server.bucketsAsked, server.pulls]) asked.length = 0;
}

async function stored(name: string): Promise<string> {
  const lists = join(client.dir, 'store', 'lists');
  const files = await readdir(lists, { recursive: true });
  return join(lists, files.find((file) => file.endsWith(name))!);
}

/** One flipped bit in each of these blocks of the row column. */
async function flip(...blocks: number[]): Promise<void> {
  const path = await stored('rows.col');
  const bytes = await readFile(path);
  for (const block of blocks) bytes[HEADER_BYTES + block * (BLOCK_BYTES + TAG_BYTES) + 1_000]! ^= 1;
  await writeFile(path, bytes);
}

/** Cut short, so that nothing of it can be read. */
const wipe = async (name: string) => truncate(await stored(name), 40);

/** Buckets that touch one of these blocks. */
function bucketsIn(...blocks: number[]): number[] {
  const found: number[] = [];
  let from = 0;
  for (const [bucket, { length }] of list.snapshot!.buckets.entries()) {
    const first = Math.floor(from / BLOCK_BYTES);
    const last = Math.floor((from + length - 1) / BLOCK_BYTES);
    if (blocks.some((block) => first <= block && block <= last)) found.push(bucket);
    from += length;
  }
  return found;
}

/** The process starts over a damaged list. */
async function restartDamaged(): Promise<void> {
  await client.restart();
  expect(client.replica).toMatchObject({
    size: 0,
    lost: true,
    damage: { error: { code: 'STORAGE_FAILED' } },
  });
  forget();
}

async function expectWhole(): Promise<void> {
  expect(client.digest()).toBe(truth());
  expect(client.replica.damage).toBeUndefined();
  await client.restart();
  expect(client.digest()).toBe(truth());
  expect(client.replica.damage).toBeUndefined();
  await client.deps.store.list(ORIGIN).scrub();
}

describe('a list with a damaged block', () => {
  test('is repaired with the buckets of that block alone', async () => {
    await flip(2);
    await restartDamaged();
    const { path, alarms } = await client.sync();
    expect(path).toBe('snapshot');
    expect(alarms[0]).toMatchObject({ kind: 'damaged', code: 'STORAGE_FAILED' });
    expect(server.bucketsAsked).toEqual(bucketsIn(2));
    expect([server.snapshotPulls.length, server.pulls]).toEqual([1, []]);
    await expectWhole();
  });

  test('gives back what is authentic, and nothing else', async () => {
    await flip(0, 3);
    const salvage = await client.deps.store.list(ORIGIN).salvage();
    expect(salvage.head?.size).toBe(list.log.size);
    const given: number[] = [];
    for await (const { bucket, rows } of salvage.buckets()) {
      expect(Buffer.compare(rows, list.snapshot!.buckets[bucket]!)).toBe(0);
      given.push(bucket);
    }
    await salvage.close();
    const lost = new Set(bucketsIn(0, 3));
    expect(given).toEqual([...list.snapshot!.buckets.keys()].filter((b) => !lost.has(b)));
  });

  test('pulls what changed since, and the entries after the snapshot', async () => {
    await followOwn();
    const damaged = bucketsIn(0, BLOCKS - 1);
    const before = list.snapshot!.buckets;
    list.log.publish([list.log.withdraw(1), list.log.withdraw(2), ...list.log.adds('more', 3)]);
    list.sign('two');
    list.snapshot = list.log.snapshot();
    const { buckets, size } = list.snapshot;
    list.log.publish(list.log.adds('tail', 20));
    list.sign('one');
    const differ = [...buckets.keys()].filter((b) => Buffer.compare(buckets[b]!, before[b]!) !== 0);
    await flip(0, BLOCKS - 1);
    await restartDamaged();
    await client.sync();
    expect(server.bucketsAsked).toEqual([...new Set([...damaged, ...differ])].sort((a, b) => a - b));
    expect(server.pulls).toEqual([{ from: size, to: list.log.size }]);
    await expectWhole();
  });

  test('keeps when its records arrived', async () => {
    const first = client.replica.firstSyncMs;
    clock.pass(3_600_000);
    await flip(1);
    await restartDamaged();
    await client.sync();
    expect(client.replica.firstSyncMs).toBe(first);
  });

  test('is pulled from the log where a source has no snapshot', async () => {
    list.snapshot = undefined;
    await flip(2);
    await restartDamaged();
    const { path } = await client.sync();
    expect([path, server.pulls]).toEqual(['rebuild', [{ from: 0, to: list.log.size }]]);
    await expectWhole();
  });

  test('matches on in memory, and is written anew, where it was noticed after a failed write', async () => {
    await flip(3);
    const failing = Object.assign(Object.create(client.replica.list), {
      putStatements: async () => Promise.reject(new HashfedError('STORAGE_FAILED', 'no space')),
    });
    Object.defineProperty(client.replica, 'list', { value: failing, configurable: true });
    clock.pass(1_000);
    await expect(client.sync()).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    expect(client.digest()).toBe(truth());
    Object.defineProperty(client.replica, 'list', { value: client.deps.store.list(ORIGIN) });
    await client.sync();
    expect([server.snapshotPulls, server.pulls]).toEqual([[], []]);
    await expectWhole();
  });
});

describe('a source that lies during a repair', () => {
  beforeEach(async () => {
    await flip(1);
    await restartDamaged();
  });

  test.each(['another record', 'a missing bucket', 'an early end'])(
    'with %s is refused, and nothing is lost',
    async (lie) => {
      server.bends.snapshot = function* (all) {
        let n = 0;
        for (const one of all) {
          n++;
          if (lie === 'an early end' && n > 3) return;
          if (lie === 'a missing bucket' && n === 3) continue;
          yield lie === 'another record'
            ? { ...one, rows: one.rows.map((b, i) => (i === 70 ? b ^ 1 : b)) }
            : one;
        }
      };
      await expect(client.sync()).rejects.toMatchObject({ name: 'HashfedError' });
      expect(client.replica.lost).toBe(true);
      await restartDamaged();
      server.bends = {};
      await client.sync();
      expect(server.bucketsAsked).toEqual(bucketsIn(1));
      await expectWhole();
    },
  );

  test('is passed over for the next one', async () => {
    const honest = await FakeServer.start(list);
    try {
      server.bends.snapshot = function* (all) {
        for (const one of all) yield { ...one, rows: one.rows.map((b) => b ^ 1) };
      };
      client.follow(server.source(), honest.source());
      const { failures } = await client.sync();
      expect(failures.map(({ code }) => code)).toEqual(['ROOT_MISMATCH']);
      await expectWhole();
    } finally {
      honest.stop();
    }
  });

  test('with an older state than was held is refused', async () => {
    const older = new FakeList(ORIGIN, () => clock.nowMs());
    older.log.publish(older.log.adds('older', 10));
    older.sign('two');
    const behind = await FakeServer.start(older);
    try {
      client.follow(behind.source());
      await expect(client.sync()).rejects.toMatchObject({ code: 'ROLLBACK' });
    } finally {
      behind.stop();
    }
  });

  test('with a longer history that does not hold what was held is refused', async () => {
    const forked = new FakeList(ORIGIN, () => clock.nowMs());
    forked.log.publishRandom(RECORDS + 10);
    forked.sign('two');
    forked.snapshot = forked.log.snapshot();
    const fork = await FakeServer.start(forked);
    try {
      client.follow(fork.source());
      await expect(client.sync()).rejects.toMatchObject({ class: 'verification' });
      expect(client.replica.lost).toBe(true);
    } finally {
      fork.stop();
    }
  });
});

describe('a repair that is cut', () => {
  test('goes on within the run it was in', async () => {
    await flip(1, 3);
    await restartDamaged();
    let left = 50;
    server.bends.snapshot = function* (all) {
      for (const one of all) {
        if (left-- === 0) throw new HashfedError('UNAVAILABLE', 'cut');
        yield one;
      }
    };
    await client.sync();
    const [first, again, second] = server.snapshotPulls;
    expect(again).toBeGreaterThan(first!);
    expect([first, second]).toEqual([bucketsIn(1)[0], bucketsIn(3)[0]]);
    await expectWhole();
  });

  test('is repeated from what is on disk when it was stopped', async () => {
    await flip(1, 3);
    await restartDamaged();
    const stop = new AbortController();
    await expect(client.sync({ signal: stop.signal, onProgress: () => stop.abort() })).rejects.toMatchObject({
      code: 'CANCELLED',
    });
    await restartDamaged();
    await client.sync();
    await expectWhole();
  });
});

describe('a list of which no records are left', () => {
  test.each(['rows.col', 'deltas.log', '/head'])('is synced whole without its %s', async (name) => {
    await wipe(name);
    await restartDamaged();
    await client.sync();
    await expectWhole();
  });

  test('is synced whole where a file is gone', async () => {
    await rm(await stored('rows.col'));
    await restartDamaged();
    await client.sync();
    await expectWhole();
  });
});

describe('a list that is far behind', () => {
  test('pulls the buckets that differ from its own', async () => {
    await followOwn();
    const from = list.log.size;
    const brief = 60_000;
    list.log.publishRandom(brief);
    const withdrawn = Array.from({ length: brief }, (_, i) => list.log.withdraw(from + i));
    list.log.publish([...withdrawn, list.log.withdraw(7)]);
    list.sign('two');
    const before = list.snapshot!.buckets;
    list.snapshot = list.log.snapshot();
    const { path, changes } = await client.sync();
    expect([path, changes.withdrawn]).toEqual(['snapshot', [7]]);
    expect(server.bucketsAsked).toHaveLength(1);
    const [asked] = server.bucketsAsked;
    expect(Buffer.compare(list.snapshot.buckets[asked!]!, before[asked!]!)).not.toBe(0);
    expect(server.pulls).toEqual([]);
    await expectWhole();
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HashfedError, toHex } from '../../../sdk/core/index.js';
import { type Disk, nodeDisk, type WriteHandle } from '../../../sdk/store/index.js';
import { SyncClient, TestClock } from '../../support/sync/client.js';
import { FakeList, FakeServer } from '../../support/sync/fake-server.js';
import { ORIGIN, T0 } from '../../support/trust/bodies.js';

/** The real disk, whose n-th change fails: before it is done, or done and reported as failed. */
class FailingDisk implements Disk {
  changes = 0;
  failAt = Number.POSITIVE_INFINITY;
  persisted = false;

  readonly open = nodeDisk.open.bind(nodeDisk);
  readonly list = nodeDisk.list.bind(nodeDisk);
  readonly exists = nodeDisk.exists.bind(nodeDisk);

  async #change<T>(work: () => Promise<T>): Promise<T> {
    const fails = ++this.changes === this.failAt;
    const full = () => new HashfedError('STORAGE_FAILED', 'no space left on device');
    if (fails && !this.persisted) throw full();
    const done = await work();
    if (fails) throw full();
    return done;
  }

  #handle(handle: WriteHandle): WriteHandle {
    return {
      write: (bytes) => this.#change(() => handle.write(bytes)),
      sync: () => this.#change(() => handle.sync()),
      close: () => handle.close(),
    };
  }

  /** The file is there; whoever opened it never got hold of it. */
  async #opened(open: () => Promise<WriteHandle>): Promise<WriteHandle> {
    let opened: WriteHandle | undefined;
    try {
      return await this.#change(async () => {
        opened = await open();
        return this.#handle(opened);
      });
    } catch (error) {
      await opened?.close();
      throw error;
    }
  }

  create(path: string): Promise<WriteHandle> {
    return this.#opened(() => nodeDisk.create(path));
  }

  append(path: string, length: number): Promise<WriteHandle> {
    return this.#opened(() => nodeDisk.append(path, length));
  }

  rename(from: string, to: string): Promise<void> {
    return this.#change(() => nodeDisk.rename(from, to));
  }

  remove(path: string): Promise<void> {
    return this.#change(() => nodeDisk.remove(path));
  }

  makeDirectory(path: string): Promise<void> {
    return this.#change(() => nodeDisk.makeDirectory(path));
  }

  syncDirectory(path: string): Promise<void> {
    return this.#change(() => nodeDisk.syncDirectory(path));
  }
}

const clock = new TestClock(T0 + 60_000);
const list = new FakeList(ORIGIN, () => clock.nowMs());
let server: FakeServer;

beforeAll(async () => {
  list.log.publish(list.log.adds('first', 300));
  list.sign('two');
  list.log.publish([...list.log.adds('second', 100), list.log.withdraw(5)]);
  list.sign('two');
  server = await FakeServer.start(list);
});
afterAll(() => server.stop());

const truth = () =>
  `${list.log.size} ${list.log.state.count} ${toHex(list.log.at().root)} ${toHex(list.log.state.setDigest())}`;

/** A client that holds the first batch, or nothing. */
async function clientAt(start: 'nothing' | 'first batch', disk: FailingDisk): Promise<SyncClient> {
  const client = await SyncClient.open(ORIGIN, clock, [server.source()], { disk });
  server.bends.bundle = () => list.bundle(list.heads[0]);
  if (start === 'first batch') await client.sync();
  server.bends = {};
  return client;
}

describe.each(['nothing', 'first batch'] as const)('a sync from %s', (start) => {
  test.each([false, true])(
    'survives a failure of every write (done all the same: %s)',
    async (persisted) => {
      let failures = 0;
      for (let n = 1; ; n++) {
        const disk = new FailingDisk();
        const client = await clientAt(start, disk);
        const before = client.digest();
        Object.assign(disk, { persisted, failAt: disk.changes + n });
        const outcome = await client.sync().catch((error: unknown) => error);
        disk.failAt = Number.POSITIVE_INFINITY;
        await client.restart();
        expect([before, truth()]).toContain(client.digest());
        if (outcome instanceof Error) {
          failures++;
          expect(outcome).toMatchObject({ code: 'STORAGE_FAILED' });
        } else expect(client.digest()).toBe(truth());
        await client.sync();
        expect(client.digest()).toBe(truth());
        await client.remove();
        if (!(outcome instanceof Error)) break;
      }
      expect(failures).toBeGreaterThan(5);
    },
    60_000,
  );
});

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toHex } from '../../sdk/core/index.js';
import { SyncClient, TestClock } from '../support/sync/client.js';
import { FakeList, FakeServer } from '../support/sync/fake-server.js';
import { ORIGIN, T0 } from '../support/trust/bodies.js';

const CHILD = join(process.cwd(), 'dist', 'test', 'support', 'sync', 'kill-child.js');
const clock = new TestClock(T0 + 60_000);
let list: FakeList;
let server: FakeServer;

beforeAll(async () => {
  list = new FakeList(ORIGIN, () => clock.nowMs());
  list.log.publishRandom(130_000);
  list.sign('two');
  server = await FakeServer.start(list);
}, 60_000);
afterAll(() => server.stop());

/** Runs the child over `dir`, killed after `ms` from when its store is open. True where it had finished. */
function run(dir: string, ms: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CHILD, server.address, dir, ORIGIN, String(clock.nowMs())], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (text: Buffer) => {
      if (said === '') setTimeout(() => child.kill('SIGKILL'), ms);
      said += text.toString();
    });
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code !== null && code !== 0) reject(new Error(`the child ended with ${code}`));
      else resolve(said.includes('synced'));
    });
  });
}

const truthAt = new Map<number, string>();
function noteTruth(): void {
  const { log } = list;
  truthAt.set(
    log.size,
    `${log.size} ${log.state.count} ${toHex(log.at().root)} ${toHex(log.state.setDigest())}`,
  );
}

/** Reproducible waits from 0 to `most` milliseconds. */
const wait = (i: number, most: number): number =>
  (createHash('sha256').update(`wait ${i}`).digest().readUInt32BE() / 2 ** 32) * most;

/** What a new process finds: nothing, or exactly one published state. */
async function found(dir: string): Promise<number> {
  const client = await SyncClient.open(ORIGIN, clock, [], { dir });
  const { size } = client.replica;
  if (size > 0) expect(client.digest()).toBe(truthAt.get(size));
  await client.deps.store.close();
  return size;
}

describe('kill -9', () => {
  test('anywhere in a first sync: it resumes or repeats, and never half applies', async () => {
    noteTruth();
    const dir = await mkdtemp(join(tmpdir(), 'hashfed-kill-'));
    let killed = 0;
    for (let i = 0; i < 10; i++) {
      if (await run(dir, 20 + wait(i, 800))) break;
      killed++;
      expect([0, list.log.size]).toContain(await found(dir));
    }
    await run(dir, 60_000);
    expect(await found(dir)).toBe(list.log.size);
    expect(killed).toBeGreaterThan(0);
    await rm(dir, { recursive: true });
  }, 120_000);

  test('anywhere in a delta: the state before or the state after', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'hashfed-kill-'));
    await run(dir, 60_000);
    for (let i = 0; i < 5; i++) {
      const before = list.log.size;
      clock.pass(1_000);
      list.log.publish([...list.log.adds(`delta ${i}`, 3_000), list.log.withdraw(i)]);
      list.sign('two');
      noteTruth();
      await run(dir, wait(100 + i, 250));
      const size = await found(dir);
      expect([before, list.log.size]).toContain(size);
      await run(dir, 60_000);
      expect(await found(dir)).toBe(list.log.size);
    }
    await rm(dir, { recursive: true });
  }, 120_000);
});

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PullEntriesResponse } from '../../proto/gen/hashfed/v1/list.js';
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

/** When a child is killed: before this entry is sent, or so many milliseconds after the last one was. */
type End = { readonly beforeIndex: number } | { readonly afterLastMs: number };

/** Runs the child over `dir` until it ends or is killed. True where it had finished. */
function run(dir: string, end?: End): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CHILD, server.address, dir, ORIGIN, String(clock.nowMs())], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    if (end === undefined) delete server.bends.entries;
    else server.bends.entries = (honest) => cut(honest, end, () => child.kill('SIGKILL'));
    child.stdout.on('data', (text: Buffer) => {
      said += text.toString();
    });
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code !== null && code !== 0) reject(new Error(`the child ended with ${code}`));
      else resolve(said.includes('synced'));
    });
  });
}

function* cut(honest: Iterable<PullEntriesResponse>, end: End, kill: () => void) {
  for (const message of honest) {
    if ('beforeIndex' in end && message.firstIndex >= end.beforeIndex) kill();
    yield message;
  }
  if ('afterLastMs' in end) setTimeout(kill, end.afterLastMs);
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
    const bundles = [...list.log.entries(0, list.log.size)];
    for (let i = 0; i < 5; i++) {
      const { firstIndex } = bundles[Math.floor((i * bundles.length) / 5)]!;
      expect(await run(dir, { beforeIndex: firstIndex })).toBe(false);
      expect(await found(dir)).toBe(0);
    }
    for (let i = 0; i < 5; i++) {
      if (await run(dir, { afterLastMs: wait(i, 400) })) break;
      expect([0, list.log.size]).toContain(await found(dir));
    }
    await run(dir);
    expect(await found(dir)).toBe(list.log.size);
    await rm(dir, { recursive: true });
  }, 120_000);

  test('anywhere in a delta: the state before or the state after', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'hashfed-kill-'));
    await run(dir);
    for (let i = 0; i < 6; i++) {
      const before = list.log.size;
      clock.pass(1_000);
      list.log.publish([...list.log.adds(`delta ${i}`, 3_000), list.log.withdraw(i)]);
      list.sign('two');
      noteTruth();
      await run(dir, i % 2 === 0 ? { beforeIndex: before } : { afterLastMs: wait(100 + i, 100) });
      const size = await found(dir);
      expect(i % 2 === 0 ? [before] : [before, list.log.size]).toContain(size);
      await run(dir);
      expect(await found(dir)).toBe(list.log.size);
    }
    await rm(dir, { recursive: true });
  }, 120_000);
});

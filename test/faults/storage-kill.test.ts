/** Real accidents: kill -9 in the middle of appends, and a full disk. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeDisk, openLevelStorage, type Storage } from '../../server/storage/index.js';
import { grow, HEADS_KEY, ORIGIN, TestClock, testSha } from '../support/storage-fixtures.js';

let scratch = '';
/** Inside node_modules, so that the bundle finds the native module. */
const program = join(
  import.meta.dirname,
  `../../node_modules/.cache/hashfed-storage-child-${process.pid}.mjs`,
);

const open = (directory: string): Promise<Storage> =>
  openLevelStorage({
    directory,
    headsKey: HEADS_KEY,
    sha: testSha,
    clock: new TestClock(),
    random: { bytes: (length) => Uint8Array.from(randomBytes(length)) },
    disk: nodeDisk,
    create: true,
  });

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hashfed-kill-'));
  const bundle = await rolldown({
    input: join(import.meta.dirname, '../support/storage-child.ts'),
    platform: 'node',
    external: ['level', /^node:/],
    resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
  });
  await bundle.write({ file: program, format: 'esm' });
});

afterAll(async () => {
  await rm(scratch, { recursive: true, force: true });
  await rm(program, { force: true });
});

/** Lets the child commit `commits` times, kills it a moment into the next; the last acknowledged size. */
async function killAfter(child: ChildProcess, commits: number, delayMs: number): Promise<number> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  let [acknowledged, count] = [0, 0];
  for await (const line of createInterface({ input: child.stdout! })) {
    acknowledged = Number(line.split(' ')[1]);
    count += 1;
    if (count === commits) setTimeout(() => child.kill('SIGKILL'), delayMs);
  }
  await ended;
  return acknowledged;
}

describe('kill -9 in the middle of appends', () => {
  it('keeps every acknowledged commit, over ten kills of one store', async () => {
    const directory = join(scratch, 'killed');
    for (let round = 0; round < 10; round += 1) {
      const child = spawn(process.execPath, [program, directory, '700'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const acknowledged = await killAfter(child, 1 + (round % 3), round * 3);
      expect(acknowledged).toBeGreaterThan(0);
      await using storage = await open(directory);
      const { size } = (await storage.logs.head(ORIGIN))!;
      expect([acknowledged, acknowledged + 700]).toContain(size);
      expect(await storage.check({ full: true })).toMatchObject({ ok: true, leaves: size });
    }
  });

  it('refuses a second process while the first lives', async () => {
    const directory = join(scratch, 'shared');
    const child = spawn(process.execPath, [program, directory, '1'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    await expect(open(directory)).rejects.toThrow('open in another process');
    await killAfter(child, 1, 0);
    await using storage = await open(directory);
    expect((await storage.check({ full: true })).ok).toBe(true);
  });
});

/** A tiny file system of its own, or undefined where mounting is not allowed. */
function mountSmall(path: string): string | undefined {
  try {
    execFileSync('mkdir', ['-p', path]);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', path], { stdio: 'ignore' });
    return path;
  } catch {
    return undefined;
  }
}

const small = mountSmall(join(tmpdir(), `hashfed-small-${process.pid}`));

describe.runIf(small !== undefined)('a full disk', () => {
  afterAll(() => {
    execFileSync('umount', [small!]);
    execFileSync('rmdir', [small!]);
  });

  it('stops the store; after making room and reopening nothing acknowledged is missing', async () => {
    const directory = join(small!, 'store');
    const storage = await open(directory);
    await grow(storage, ORIGIN, 2_000);
    const filler = join(small!, 'filler');
    await nodeDisk.writeFileDurable(filler, new Uint8Array(16 * 1024 * 1024));
    let acknowledged = 2_000;
    const fill = async (): Promise<void> => {
      for (;;) {
        await grow(storage, ORIGIN, acknowledged + 5_000);
        acknowledged += 5_000;
      }
    };
    await expect(fill()).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    expect(storage.failure).toMatchObject({ code: 'STORAGE_FAILED' });
    await nodeDisk.remove(filler);
    await expect(grow(storage, ORIGIN, acknowledged + 1)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await storage.close().catch(() => undefined);
    await using again = await open(directory);
    const { size } = (await again.logs.head(ORIGIN))!;
    expect([acknowledged, acknowledged + 5_000]).toContain(size);
    expect(await again.check({ full: true })).toMatchObject({ ok: true, leaves: size });
    await grow(again, ORIGIN, size + 100);
    expect((await again.check({ full: true })).ok).toBe(true);
  });
});

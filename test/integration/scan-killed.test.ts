import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ProcessFederation, startFederation } from '../support/federation-process.js';

const HOSTER = 'hoster-a';
const FILES = 48;
/** Read at 24 megabits a second these take eight seconds, and a mark is saved after five. */
const FILE_BYTES = 500_000;

let federation: ProcessFederation;
let folder: string;

/** Starts a scan and kills it once its mark was saved: the store's settings are written anew then. */
async function scanKilledAtItsMark(): Promise<void> {
  const settings = join(federation.member(HOSTER), 'store', 'settings');
  const written = async () => (await stat(settings).catch(() => undefined))?.mtimeMs ?? 0;
  const config = join(federation.member(HOSTER), 'hashfed.json');
  const args = ['scan', folder, '--max-mbps', '24', '--jobs', '1', '--json', '--config', config];
  const child = spawn(process.execPath, [join(process.cwd(), 'dist/client/main.js'), ...args], {
    stdio: 'ignore',
  });
  const ended = once(child, 'exit');
  const before = await written();
  while (child.exitCode === null && (await written()) === before) await sleep(20);
  child.kill('SIGKILL');
  await ended;
  if (child.exitCode !== null) throw new Error('the scan ended before it saved a mark');
}

beforeAll(async () => {
  federation = await startFederation();
  folder = await mkdtemp(join(tmpdir(), 'hashfed-killed-'));
  for (let i = 0; i < FILES; i++)
    await writeFile(join(folder, `f${String(i).padStart(2, '0')}`), randomBytes(FILE_BYTES));
  expect((await federation.run(HOSTER, 'sync')).code).toBe(0);
});
afterAll(async () => {
  await federation.stop();
  await rm(folder, { recursive: true, force: true });
});

test('a scan that was killed goes on behind its mark, and every file is in the inventory once', async () => {
  await scanKilledAtItsMark();
  const { stdout } = await federation.run(HOSTER, 'scan', folder, '--resume', '--json');
  const summary = JSON.parse(stdout.trim().split('\n').at(-1)!) as { bytes: number };
  expect(summary).toMatchObject({ resumed: true, complete: true, files: FILES, bytes: FILES * FILE_BYTES });
  const known = JSON.parse((await federation.run(HOSTER, 'inventory', '--json')).stdout) as object;
  expect(known).toMatchObject({
    coverage: { objects: FILES, bytes: FILES * FILE_BYTES, checked_objects: FILES },
  });
});

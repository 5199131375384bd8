import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ProcessFederation, startFederation } from '../support/federation-process.js';
import { publishSample, writeSample } from '../support/publish-sample.js';

const ORIGIN = 'police.example/known/sha256/g1';
const MAIN = join(import.meta.dirname, '../../dist/client/main.js');
/** What lies in the outbox when a publication is killed, and how many of its 3 hashes must be listed in the end. */
const STEPS = [
  { step: 'its first request is written', file: /^list-.*\.hfrequest$/, listed: [0, 3] },
  { step: 'the sequencing key has signed', file: /^list-.*\.hfsigned$/, listed: [3] },
  { step: 'the receipt is written', file: /^committed\.json$/, listed: [3] },
];

let federation: ProcessFederation;
beforeAll(async () => {
  federation = await startFederation();
});
afterAll(() => federation.stop());

const police = (...parts: readonly string[]): string => join(federation.member('police'), ...parts);

interface ListRow {
  readonly origin: string;
  readonly size: number;
  readonly present: number;
}

/** The list as a hoster verifies it, from its first entry to the newest signed note. */
async function verified(): Promise<ListRow> {
  const done = await federation.run('hoster-a', 'sync', '--json');
  if (done.code !== 0) throw new Error(`sync ended with ${done.code}: ${done.stdout}${done.stderr}`);
  const { stdout } = await federation.run('hoster-a', 'lists', '--json');
  return (JSON.parse(stdout) as { lists: ListRow[] }).lists.find(({ origin }) => origin === ORIGIN)!;
}

/** A lock that a killed signer left is removed by hand, once no signer is at work. */
async function unlock(): Promise<void> {
  for (const name of await readdir(police('records')))
    if (name.endsWith('.lock')) await rm(police('records', name));
}

async function outboxHolds(file: RegExp, known: ReadonlySet<string>): Promise<boolean> {
  for (const folder of await readdir(police('outbox')).catch(() => [])) {
    if (known.has(folder) || !/^[0-9a-f]{32}$/.test(folder)) continue;
    if ((await readdir(police('outbox', folder))).some((name) => file.test(name))) return true;
  }
  return false;
}

/** Kills a publication of 3 hashes as soon as its outbox holds `file`. */
async function publishKilled(file: RegExp): Promise<void> {
  const known = new Set(await readdir(police('outbox')).catch(() => []));
  const args = await writeSample(federation.folder, 3);
  const config = police('hashfed.json');
  const child = spawn(process.execPath, [MAIN, 'publish', ...args, '--config', config], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  while (child.exitCode === null && !(await outboxHolds(file, known))) await setTimeout(1);
  child.kill('SIGKILL');
  await ended;
}

describe('a publisher killed while it publishes', () => {
  test.each(STEPS)(
    'when $step: the next publication goes on, and nothing forks',
    async ({ file, listed }) => {
      await publishSample(federation, 'police', 25);
      const before = await verified();
      await publishKilled(file);
      await unlock();
      await publishSample(federation, 'police', 2);
      const after = await verified();
      const added = after.present - before.present - 2;
      expect(listed).toContain(added);
      expect(after.size - before.size).toBe(added === 0 ? 3 : 7);
    },
  );
});

describe('two signers with one key', () => {
  test('at once: one publishes, the other publishes after it or is refused; both are in or out as a whole', async () => {
    const before = await verified();
    const outcomes = await Promise.allSettled([
      publishSample(federation, 'police', 4),
      publishSample(federation, 'police', 4),
    ]);
    const published = outcomes.filter(({ status }) => status === 'fulfilled').length;
    const refused = outcomes.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []));
    for (const why of refused) expect(why).toMatch(/SIGNER_BEHIND|OLD_SIZE_MISMATCH|STORAGE_FAILED/);
    expect(published).toBeGreaterThan(0);
    await publishSample(federation, 'police', 1);
    const added = (await verified()).present - before.present;
    expect([4 * published + 1, 9]).toContain(added);
  });
});

describe('a server that lost what it had prepared', () => {
  test('gets the entries again from the signed request', async () => {
    const before = await verified();
    const batch = join(federation.folder, 'lost.hfbatch');
    const [file = '', ...options] = await writeSample(federation.folder, 3);
    const imported = await federation.run('police', 'import', file, ...options, '--out', batch);
    expect(imported.code).toBe(0);
    const data = join(federation.folder, 'server/data');
    await federation.restart(() => cp(data, `${data}.kept`, { recursive: true }));
    const folder = police('outbox', randomBytes(16).toString('hex'));
    const prepared = await federation.run('police', 'batch', 'prepare', batch, '--out', folder, '--json');
    const { requests } = JSON.parse(prepared.stdout) as { requests: { file: string; role: string }[] };
    const asked = requests.find(({ role }) => role === 'list')!.file;
    for (const { file: other } of requests) if (other !== asked) await rm(other);
    expect((await federation.run('police', 'batch', 'sign', asked, '--yes')).code).toBe(0);
    await federation.restart(async () => {
      await rm(data, { recursive: true });
      await cp(`${data}.kept`, data, { recursive: true });
    });
    const lost = await federation.run('police', 'batch', 'submit', asked.replace(/hfrequest$/, 'hfsigned'));
    expect([lost.code, lost.stderr]).toEqual([1, expect.stringContaining('NOT_FOUND')]);
    await publishSample(federation, 'police', 1);
    expect((await verified()).present - before.present).toBe(4);
  });
});

describe('a signer record put back from a backup', () => {
  test('is refused, and nothing is published', async () => {
    const records = (await readdir(police('records'))).filter((name) => name.endsWith('.record'));
    const backup = new Map<string, Buffer>();
    for (const name of records) backup.set(name, await readFile(police('records', name)));
    await publishSample(federation, 'police', 1);
    const before = await verified();
    for (const [name, bytes] of backup) await writeFile(police('records', name), bytes);
    await expect(publishSample(federation, 'police', 1)).rejects.toThrow(/SIGNER_BEHIND/);
    expect(await verified()).toMatchObject({ size: before.size, present: before.present });
  });
});

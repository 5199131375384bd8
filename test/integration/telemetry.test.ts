import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { StaleCause, SyncState } from '../../proto/gen/hashfed/v1/enums.js';
import { TelemetryServiceService } from '../../proto/gen/hashfed/v1/telemetry_service.js';
import { callUnary, openChannel } from '../../sdk/rpc/index.js';
import { type ProcessFederation, startFederation } from '../support/federation-process.js';

const MAIN = join(import.meta.dirname, '../../dist/client/main.js');
const MARKER = 'marker-of-a-file-name';

let federation: ProcessFederation;
let folder: string;

beforeAll(async () => {
  federation = await startFederation();
  folder = join(federation.folder, '..', 'files');
  await mkdir(folder);
  await run('hoster-a', 'sync');
}, 60_000);
afterAll(() => federation?.stop());

/** Runs a command and answers the last object it prints. */
async function run(member: string, ...args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await federation.run(member, ...args, '--json');
  if (code !== 0 && code !== 10) throw new Error(`${args.join(' ')}: ${stderr}`);
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '{}') as Record<string, unknown>;
}

const files = () => [0, 1, 2, 3, 4].map((i) => join(folder, `${MARKER}-${i}`));

/** Five files that nobody has seen before. */
async function scan(): Promise<void> {
  for (const file of files()) await writeFile(file, randomBytes(100));
  await run('hoster-a', 'scan', folder);
}

const check = () => run('hoster-a', 'check', ...files());
const flush = () => run('hoster-a', 'telemetry', 'flush');
const figures = async () =>
  (await run('monitor', 'monitor', 'figures')) as {
    totals: Record<string, number>;
    chain: unknown[];
    drill: Record<string, number>;
  };

/** A command that is killed after `ms`, unless it ended before. */
async function killed(ms: number, ...args: string[]): Promise<void> {
  const config = join(federation.member('hoster-a'), 'hashfed.json');
  const child = spawn(process.execPath, [MAIN, ...args, '--config', config], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  await Promise.race([ended, sleep(ms)]);
  child.kill('SIGKILL');
  await ended;
}

test('counts of a scan reach the monitor, drills apart, and the figures add up', async () => {
  await scan();
  await run('hoster-a', 'scan', join(federation.folder, 'selftest'));
  expect(await flush()).toMatchObject({ queued: 1, accepted: 1, refused: 0 });
  const { totals, drill } = await figures();
  expect(totals).toMatchObject({ reports: 1, objects_checked: 5, bytes: 500, objects_matched: 0 });
  expect(drill['objects_checked']).toBeGreaterThan(0);
  expect(await flush()).toMatchObject({ queued: 0, acknowledged: 1 });
}, 60_000);

test('every count arrives once, although what sends is killed again and again', async () => {
  const before = (await figures()).totals['objects_checked'] ?? 0;
  for (let round = 0; round < 4; round++) {
    await scan();
    await killed(200 + 250 * round, 'telemetry', 'flush');
  }
  await flush();
  const { totals, chain } = await figures();
  expect(totals['objects_checked']).toBe(before + 4 * 5);
  expect(chain).toEqual([]);
}, 120_000);

test('any process of the hoster may count and flush beside one that holds the store', async () => {
  const before = (await figures()).totals['objects_checked'] ?? 0;
  const config = join(federation.member('hoster-a'), 'hashfed.json');
  const watcher = spawn(process.execPath, [MAIN, 'sync', '--watch', '--json', '--config', config], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    for await (const chunk of watcher.stdout) if (String(chunk).includes('"watching"')) break;
    await scan();
    await Promise.all([check(), check()]);
    expect(await flush()).toMatchObject({ accepted: 1 });
    expect((await figures()).totals['objects_checked']).toBe(before + 15);
    expect(await run('hoster-a', 'telemetry', 'show')).toMatchObject({ enabled: true, next: [] });
  } finally {
    watcher.kill('SIGTERM');
    await once(watcher, 'exit');
  }
}, 60_000);

test('nobody but the monitor reads, and nothing but counts is sent or logged', async () => {
  expect((await federation.run('hoster-b', 'monitor', 'figures', '--json')).code).toBe(3);
  const exported = await federation.run('monitor', 'monitor', 'export', '--format', 'csv');
  expect(exported.stdout.split('\n')[0]).toBe(
    'hoster,window,revision,in_time,drill,what,of,action,classification,match,value',
  );
  const logged = await readFile(join(federation.folder, 'server', 'server.log'), 'utf8').catch(() => '');
  expect(`${exported.stdout}${logged}`).not.toContain(MARKER);
  expect((await run('monitor', 'monitor', 'figures'))['behind']).toEqual([]);
}, 60_000);

test('two hosters who hold two histories of one size show at the monitor', async () => {
  const before = await federation.run('monitor', 'monitor', 'figures', '--json');
  expect(before.code).toBe(0);
  const { split_views, positions } = JSON.parse(before.stdout.trimEnd()) as {
    split_views: unknown[];
    positions: { list: string; size: number }[];
  };
  expect(split_views).toEqual([]);
  const { list, size } = positions.find((one) => one.size > 0)!;
  await report(list, size, Buffer.alloc(32, 1));
  const { code, stdout } = await federation.run('monitor', 'monitor', 'figures', '--json');
  expect(code).toBe(4);
  const found = (JSON.parse(stdout.trimEnd()) as { split_views: Record<string, unknown>[] }).split_views;
  expect(found).toMatchObject([{ list, size }]);
  expect(JSON.stringify(found)).toContain('members/hoster-b');
  const words = await federation.run('monitor', 'monitor', 'figures');
  expect(words.stdout).toContain(`Two histories of ${list}`);
}, 60_000);

/** What a client of hoster-b says that was shown another history. */
async function report(origin: string, size: number, root: Uint8Array): Promise<void> {
  const file = (name: string) => readFile(join(federation.member('hoster-b'), name));
  const tls = {
    ca: await file('ca.pem'),
    certificate: await file('member.pem'),
    key: await file('member.key'),
  };
  const channel = openChannel({ address: federation.address, tls, random: { bytes: randomBytes } });
  const state = {
    origin,
    size: BigInt(size),
    root,
    appliedMs: BigInt(Date.now()),
    freshnessMs: 0n,
    state: SyncState.STALE,
    cause: StaleCause.FRESHNESS,
    rootVersion: 1n,
  };
  try {
    const request = { instanceId: randomBytes(16), sdkVersion: '1', states: [state], leaving: false };
    await callUnary(channel, TelemetryServiceService.reportSyncState, request, { deadlineMs: 10_000 });
  } finally {
    channel.close();
  }
}

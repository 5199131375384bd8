import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { PublishServiceService } from '../../proto/gen/hashfed/v1/publish_service.js';
import { Liveness } from '../../proto/gen/hashfed/v1/statements.js';
import { seedSigner, signDsse } from '../../sdk/core/index.js';
import {
  type Hashfed,
  type JournalEntry,
  keyFromCallback,
  type ListStatus,
  loadConfig,
  open,
} from '../../sdk/index.js';
import { callUnary } from '../../sdk/rpc/index.js';
import { suite, TestFederation } from '../support/server/federation.js';
import { TestPublisher } from '../support/server/publisher.js';

const ORIGIN = 'police.example/known/sha256/g1';
const AT_ONCE = { policy: { probation_hours: 0, observe_hours: 0 } };
const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest());

let federation: TestFederation;
let police: TestPublisher;
let hashfed: Hashfed;
const bad = randomBytes(10_000);
const worse = randomBytes(20_000);

/** The publisher's own sign of life for what it published. */
async function vouch(size: number, root: Uint8Array): Promise<void> {
  const key = await federation.key('police', 'live');
  const statement = { origin: ORIGIN, size: BigInt(size), root, rootVersion: 1n, timeMs: BigInt(Date.now()) };
  const body = Liveness.encode(statement).finish();
  const envelope = signDsse('liveness', body, [seedSigner(suite.ed25519, key.seed)]);
  await callUnary(
    police.channel,
    PublishServiceService.putLiveness,
    { envelopes: [envelope] },
    { deadlineMs: 10_000 },
  );
}

/** Points a member's configuration at the server as it runs now. */
async function configure(member: string, more: object): Promise<string> {
  const file = join(federation.folder, 'members', member, 'hashfed.json');
  const config = JSON.parse(await readFile(file, 'utf8'));
  const sources = [{ address: federation.server!.address, server_name: 'localhost' }];
  await writeFile(file, JSON.stringify({ ...config, sources, ...more }));
  return file;
}

const openAs = async (member: string, more: object = AT_ONCE): Promise<Hashfed> =>
  open({ config: await loadConfig(await configure(member, more), {}) });

/** One flipped bit in what hoster-a stored of a list. */
async function damageRows(origin: string): Promise<void> {
  const lists = join(federation.folder, 'members', 'hoster-a', 'store', 'lists');
  const files = await readdir(lists, { recursive: true });
  const name = files.find(
    (file) => file.startsWith(origin.replaceAll('/', '_')) && file.endsWith('rows.col'),
  )!;
  const bytes = await readFile(join(lists, name));
  bytes[200]! ^= 1;
  await writeFile(join(lists, name), bytes);
}

beforeAll(async () => {
  federation = await TestFederation.make();
  await federation.start();
  police = await TestPublisher.open(federation, 'police', ORIGIN);
  await police.publish([police.add(sha256(bad)), police.add(sha256(worse)), ...police.adds(200)], 'two');
  hashfed = await openAs('hoster-a');
});
afterAll(async () => {
  await hashfed.close();
  await federation.remove();
});

describe('the SDK against a server over mutual TLS', () => {
  test('syncs every list; one that its publisher never vouched for is stale', async () => {
    const { results, failures } = await hashfed.sync();
    expect(failures).toEqual([]);
    expect(results.find(({ origin }) => origin === ORIGIN)).toMatchObject({ path: 'rebuild', size: 203 });
    const status = () => hashfed.lists().find(({ origin }) => origin === ORIGIN);
    expect(status()).toMatchObject({ present: 202, batch_no: 1, state: 'STALE', stale: true });
    const { size, root } = hashfed.replicas.find(({ origin }) => origin.text === ORIGIN)!;
    await vouch(size, root);
    await hashfed.sync();
    expect(status()).toMatchObject({ state: 'FRESH', stale: false });
    const selftest = hashfed.lists().find(({ purpose }) => purpose === 'test');
    expect(selftest).toMatchObject({ present: 3, state: 'FRESH' });
  });

  test('blocks a listed file, buffer and stream, and lets others be', async () => {
    const file = join(federation.folder, 'upload.bin');
    await writeFile(file, bad);
    expect((await hashfed.check(file, { ref: 'file' })).action).toBe('block');
    expect((await hashfed.check(bad, { ref: 'buffer' })).action).toBe('block');
    const pieces = async function* () {
      yield bad.subarray(0, 7);
      yield bad.subarray(7);
    };
    expect((await hashfed.check(pieces(), { ref: 'stream' })).action).toBe('block');
    expect((await hashfed.check(randomBytes(10), { ref: 'other' })).action).toBe('none');
    expect(await hashfed.store.journal.byState('blocked')).toHaveLength(3);
  });

  test('asks the server instead of its own lists', async () => {
    const unknown = Array.from({ length: 30 }, () => sha256(randomBytes(8)));
    const remote = await hashfed.queryRemote('sha256', [sha256(bad), ...unknown, sha256(worse)]);
    const local = await hashfed.checkHashes('sha256', [sha256(bad), ...unknown, sha256(worse)]);
    expect(remote.map(({ action }) => action)).toEqual(local.map(({ action }) => action));
    expect(remote[0]?.matches[0]?.item_id).toBe(local[0]?.matches[0]?.item_id);
    expect(remote.filter(({ action }) => action === 'block')).toHaveLength(2);
  });

  test('a suppressed item is let pass at once, and released', async () => {
    await hashfed.check(worse, { ref: 'suppressed' });
    const item = (await hashfed.checkHash('sha256', sha256(worse))).matches[0]!.item_id;
    const released = await hashfed.suppress({ items: [item], publishers: [], classifications: [] });
    expect(released.map(({ ref }) => ref)).toEqual(['suppressed']);
    expect((await hashfed.checkHash('sha256', sha256(worse))).action).toBe('allow');
    await hashfed.suppress({ items: [], publishers: [], classifications: [] });
    expect((await hashfed.checkHash('sha256', sha256(worse))).action).toBe('block');
  });

  test('a service that holds the store answers its own desk', async () => {
    await hashfed.check(worse, { ref: 'desk' });
    const blocked = [];
    for await (const entry of hashfed.quarantine.entries('blocked')) blocked.push(entry.ref);
    expect(blocked).toContain('desk');
    const { free } = await hashfed.quarantine.release('desk', 'looked at');
    expect(free.map(({ ref }) => ref)).toEqual(['desk']);
    expect((await hashfed.quarantine.release('desk', 'again')).free).toEqual([]);
    expect((await hashfed.quarantine.find('desk')).map(({ state }) => state)).toEqual(['released']);
    await expect(hashfed.quarantine.find('nobody')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('a withdrawal that arrives while watching releases what it had blocked', async () => {
    const stop = new AbortController();
    const released = new Promise<readonly JournalEntry[]>((resolve) => hashfed.once('release', resolve));
    const watching = hashfed.watch(stop.signal);
    await police.publish([police.withdraw(0)], 'two');
    expect((await released).map(({ ref }) => ref).sort()).toEqual(['buffer', 'file', 'stream']);
    expect((await hashfed.checkHash('sha256', sha256(bad))).action).toBe('none');
    stop.abort();
    await watching;
  });

  test('what was committed but not released before a crash is released by the next sync', async () => {
    await hashfed.check(worse, { ref: 'late' });
    const { journal } = hashfed.store;
    const [entry] = await journal.byRef('late');
    // As a process that ended between commit and release leaves it: quarantined for a record that is gone.
    const { id: _, state: __, changedMs: ___, ...fields } = entry!;
    await journal.add([{ ...fields, ref: 'left behind', addIndex: 0 }]);
    await hashfed.close();
    hashfed = await openAs('hoster-a');
    await hashfed.sync();
    expect((await hashfed.store.journal.byRef('left behind'))[0]?.state).toBe('released');
    expect((await hashfed.store.journal.byRef('late'))[0]?.state).toBe('blocked');
  });

  test('holds where the policy of a beginner is in force', async () => {
    const careful = await openAs('hoster-b', { policy: {} });
    await careful.sync();
    const verdict = await careful.check(worse, { ref: 'careful' });
    expect(verdict.action).toBe('hold');
    expect(verdict.because).toContain('probation');
    await careful.close();
  });

  test('keeps its lists and answers while the server is away', async () => {
    await federation.server!.end('SIGTERM');
    const { failures } = await hashfed.sync();
    expect(failures.length).toBeGreaterThan(0);
    expect((await hashfed.checkHash('sha256', sha256(worse))).action).toBe('block');
    await federation.start();
    await hashfed.close();
    hashfed = await openAs('hoster-a');
    expect((await hashfed.sync()).failures).toEqual([]);
  });
});

describe('a store key that a key service keeps', () => {
  const key = randomBytes(32);
  const asked: (Uint8Array | undefined)[] = [];
  const openWith = async (fetchKey: () => Promise<Uint8Array>): Promise<Hashfed> => {
    const file = join(federation.folder, 'members', 'hoster-a', 'with-key-service.json');
    const held = JSON.parse(await readFile(await configure('hoster-a', AT_ONCE), 'utf8'));
    await writeFile(file, JSON.stringify({ ...held, store: { dir: 'key-service-store' } }));
    const provider = keyFromCallback((wanted) => {
      asked.push(wanted);
      return fetchKey();
    });
    return open({ config: await loadConfig(file, {}), key: provider });
  };

  test('opens the store it made, and no other key does', async () => {
    const made = await openWith(async () => key);
    await made.close();
    const again = await openWith(async () => key);
    await again.close();
    expect(asked[0]).toBeUndefined();
    expect(asked.at(-1)).toHaveLength(8);
    await expect(openWith(async () => randomBytes(32))).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringMatching(/^wrong store key: given [0-9a-f]{16}, .* [0-9a-f]{16}$/) as string,
    });
    await expect(openWith(() => Promise.reject(new Error('no answer')))).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
    });
    const unharmed = await openWith(async () => key);
    await unharmed.close();
  });
});

describe('a list that is damaged on disk', () => {
  test('is out of service, told, and repaired by the next sync; the others are not touched', async () => {
    const before = hashfed.lists();
    await hashfed.close();
    await damageRows(ORIGIN);
    hashfed = await openAs('hoster-a');
    const alarms: unknown[] = [];
    hashfed.on('alarm', (alarm) => alarms.push(alarm));
    await vi.waitFor(() =>
      expect(alarms).toEqual([expect.objectContaining({ kind: 'damaged', origin: ORIGIN })]),
    );
    const of = (lists: ListStatus[]) => lists.find(({ origin }) => origin === ORIGIN);
    expect(of(hashfed.lists())).toMatchObject({ size: 0, state: 'EXPIRED', last_fresh_ms: null });
    const others = (lists: ListStatus[]) =>
      lists.filter(({ origin }) => origin !== ORIGIN).map(({ size }) => size);
    expect(others(hashfed.lists())).toEqual(others(before));
    const verdict = await hashfed.check(worse, { ref: 'while damaged' });
    expect([verdict.action, verdict.freshness]).toEqual(['none', 'EXPIRED']);
    const { results, failures } = await hashfed.sync();
    expect(failures).toEqual([]);
    expect(results.find(({ origin }) => origin === ORIGIN)?.alarms).toMatchObject([{ kind: 'damaged' }]);
    expect(of(hashfed.lists())?.checkpoint_root).toBe(of(before)?.checkpoint_root);
    expect((await hashfed.checkHash('sha256', sha256(worse))).action).toBe('block');
  });
});

describe('the example of the README', () => {
  const EXAMPLE = 'sdk/examples/upload.ts';

  test('is the example that runs', async () => {
    const readme = await readFile('README.md', 'utf8');
    const [, block = ''] =
      /<!-- example: sdk\/examples\/upload\.ts -->\n```ts\n([\s\S]*?)```/.exec(readme) ?? [];
    const lines = block.trim().split('\n');
    expect(lines[0]).toBe("import { open } from 'hashfed';");
    const body = lines.slice(1).join('\n').trim();
    expect(body.split('\n')).toHaveLength(6);
    expect(await readFile(EXAMPLE, 'utf8')).toContain(body);
  });

  test('runs', async () => {
    const file = join(federation.folder, 'example.bin');
    await writeFile(file, worse);
    await hashfed.close();
    const cwd = join(federation.folder, 'members', 'hoster-a');
    const script = join(process.cwd(), 'dist', 'sdk', 'examples', 'upload.js');
    const child = spawn(process.execPath, [script, file], { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.on('data', (text: Buffer) => {
      said += text.toString();
    });
    const code = await new Promise((resolve) => child.once('exit', resolve));
    expect([code, said]).toEqual([0, 'block object-4711\n']);
    hashfed = await openAs('hoster-a');
  });
});

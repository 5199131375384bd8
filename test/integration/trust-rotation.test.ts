import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ownHeadsFile } from '../../client/publisher/liveness/index.js';
import { type ProcessFederation, startFederation } from '../support/federation-process.js';
import { publishSample } from '../support/publish-sample.js';

const ORIGIN = 'police.example/known/sha256/g1';

vi.setConfig({ testTimeout: 120_000 });

let federation: ProcessFederation;
beforeAll(async () => {
  federation = await startFederation();
  await publishSample(federation, 'police', 30);
});
afterAll(() => federation.stop());

const keys = (name: string): string => join(federation.member('police'), 'keys', name);

async function run(...args: readonly string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await federation.run('police', ...args, '--json');
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as Record<string, unknown>;
}

async function publicKey(file: string): Promise<string> {
  const { keys: shown } = (await run('keys', 'show', file)) as { keys: { public_key: string }[] };
  return shown[0]!.public_key;
}

/** Syncs as a hoster and answers how the list stands there. */
async function synced(member: string): Promise<Record<string, unknown>> {
  const done = await federation.run(member, 'sync', '--json');
  if (done.code !== 0) throw new Error(`sync ended with ${done.code}: ${done.stdout}${done.stderr}`);
  const { stdout } = await federation.run(member, 'lists', '--json');
  const { lists } = JSON.parse(stdout) as { lists: Record<string, unknown>[] };
  return lists.find(({ origin }) => origin === ORIGIN)!;
}

describe('a sequencing key is replaced', () => {
  let oldKey: string;

  test('the hoster follows the list under the old key', async () => {
    expect(await synced('hoster-a')).toMatchObject({ size: 31, state: 'FRESH' });
    oldKey = await publicKey(keys('list.key'));
  });

  test('the proposal is signed away from the server and handed in', async () => {
    const proposal = join(federation.folder, 'root-2.proposal');
    await run('keys', 'generate', '--role', 'list', '--out', keys('list-2.key'));
    const drafted = await run(
      'keys',
      'rotate',
      '--add',
      keys('list-2.key'),
      '--remove',
      oldKey,
      '--out',
      proposal,
    );
    expect(drafted).toMatchObject({ version: 2, signatures: { complete: false, old: { have: 0, need: 1 } } });
    const early = await federation.run('police', 'keys', 'submit-root', proposal);
    expect([early.code, early.stderr]).toEqual([4, expect.stringContaining('THRESHOLD_NOT_MET')]);
    const signed = await run('keys', 'sign-root', proposal, '--root-key', keys('root.key'), '--yes');
    expect(signed).toMatchObject({ code: drafted['code'], signatures: { complete: true } });
    expect(await run('keys', 'submit-root', proposal)).toMatchObject({ version: 2 });
  });

  test('the new key goes on where the old one ended, and the hoster follows', async () => {
    const published = await publishSample(federation, 'police', 3);
    expect(published['lists']).toContainEqual(
      expect.objectContaining({ origin: ORIGIN, from: 31, size: 35 }),
    );
    expect(await synced('hoster-a')).toMatchObject({ size: 35, state: 'FRESH' });
  });

  test('a hoster that was never there follows through both keys', async () => {
    expect(await synced('hoster-b')).toMatchObject({ size: 35, state: 'FRESH' });
  });
});

/** Points a member's configuration at another generation. */
async function follow(member: string, from: string, to: string): Promise<void> {
  const file = join(federation.member(member), 'hashfed.json');
  await writeFile(file, (await readFile(file, 'utf8')).replaceAll(from, to));
}

describe('an approve key is revoked', () => {
  test('only where two keys stand on the newest note; what it signed before goes on counting', async () => {
    const proposal = join(federation.folder, 'root-3.proposal');
    const name = 'police.example/approve-2';
    await run('keys', 'generate', '--role', 'approve', '--name', name, '--out', keys('approve-2.key'));
    const gone = await publicKey(keys('approve.key'));
    const revoke = ['keys', 'revoke', gone, '--add', keys('approve-2.key'), '--root-key', keys('root.key')];
    const early = await federation.run('police', ...revoke, '--out', proposal);
    expect([early.code, early.stderr]).toEqual([4, expect.stringContaining('countersigned')]);
    await publishSample(federation, 'police', 40);
    await run(...revoke, '--out', proposal);
    expect(await run('keys', 'submit-root', proposal)).toMatchObject({ version: 3 });
    await federation.restart();
    expect(await publishSample(federation, 'police', 40)).toMatchObject({ keys_used: ['list', 'approve'] });
    expect(await synced('hoster-a')).toMatchObject({ size: 117, state: 'FRESH' });
  });
});

describe('a sequencing key is lost while one key alone stands on the newest note', () => {
  test('the root hands over all the same, and everybody follows', async () => {
    const proposal = join(federation.folder, 'root-4.proposal');
    await publishSample(federation, 'police', 2, '--urgent');
    const lost = await publicKey(keys('list-2.key'));
    await rm(keys('list-2.key'));
    await run('keys', 'generate', '--role', 'list', '--out', keys('list-3.key'));
    const change = ['--add', keys('list-3.key'), '--remove', lost, '--root-key', keys('root.key')];
    const careful = await federation.run('police', 'keys', 'rotate', ...change, '--out', proposal);
    expect([careful.code, careful.stderr]).toEqual([4, expect.stringContaining('THRESHOLD_NOT_MET')]);
    await run('keys', 'rotate', ...change, '--unapproved', '--out', proposal);
    await run('keys', 'submit-root', proposal);
    expect(await synced('hoster-a')).toMatchObject({ size: 120, state: 'FRESH' });
    await publishSample(federation, 'police', 1, '--urgent');
    expect(await synced('hoster-a')).toMatchObject({ size: 122, state: 'FRESH' });
    await publishSample(federation, 'police', 40);
    expect(await synced('hoster-b')).toMatchObject({ size: 163, state: 'FRESH' });
  });
});

describe('a thief of the sequencing key extended the list', () => {
  test('the key is revoked above the entries, which are then the publisher’s to withdraw', async () => {
    const heads = ownHeadsFile(join(federation.member('police'), 'records'));
    const ours = await readFile(heads);
    const { hashes } = await publishSample(federation, 'police', 1, '--urgent');
    await writeFile(heads, ours);
    expect((await federation.run('police', 'watch-own', '--once')).code).toBe(4);
    const stolen = await publicKey(keys('list-3.key'));
    await run('keys', 'generate', '--role', 'list', '--out', keys('list-4.key'));
    const proposal = join(federation.folder, 'stolen.proposal');
    const change = [stolen, '--add', keys('list-4.key'), '--root-key', keys('root.key'), '--out', proposal];
    const careful = await federation.run('police', 'keys', 'revoke', ...change, '--unapproved');
    expect([careful.code, careful.stderr]).toEqual([1, expect.stringContaining('SIGNER_BEHIND')]);
    await run('keys', 'revoke', ...change, '--unapproved', '--adopt');
    await run('keys', 'submit-root', proposal);
    await run('withdraw', '--collection', 'known', '--hash', hashes[0]!, '--reason', 'key-compromised');
    expect((await federation.run('police', 'watch-own', '--once')).code).toBe(0);
    await publishSample(federation, 'police', 40);
    expect(await synced('hoster-a')).toMatchObject({ present: 196, state: 'FRESH' });
  });
});

describe('a generation ends', () => {
  const NEXT = ORIGIN.replace(/g1$/, 'g2');

  test('its set goes on in the next one, and writes to it are refused', async () => {
    const batch = join(federation.folder, 'g2.hfbatch');
    const proposal = join(federation.folder, 'root-5.proposal');
    const { records } = await run('keys', 'restate', ORIGIN, '--out', batch);
    expect(records).toBe(196);
    await run('keys', 'rotate', '--close', ORIGIN, '--root-key', keys('root.key'), '--out', proposal);
    await run('keys', 'submit-root', proposal);
    await expect(publishSample(federation, 'police', 1)).rejects.toThrow(/GENERATION_CLOSED/);
    await follow('police', ORIGIN, NEXT);
    const published = await run('publish', batch, '--collection', 'known');
    expect(published['lists']).toEqual([expect.objectContaining({ origin: NEXT, from: 0, set_count: 196 })]);
  });

  test('a hoster that follows the next one has the same set; the server starts with both', async () => {
    await federation.restart();
    await follow('hoster-b', ORIGIN, NEXT);
    const done = await federation.run('hoster-b', 'sync', '--json');
    expect(done.code).toBe(0);
    const { lists } = JSON.parse((await federation.run('hoster-b', 'lists', '--json')).stdout) as {
      lists: object[];
    };
    expect(lists).toContainEqual(expect.objectContaining({ origin: NEXT, present: 196, state: 'FRESH' }));
  });
});

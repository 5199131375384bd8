import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ProcessFederation, startFederation } from '../support/federation-process.js';
import { publishSample } from '../support/publish-sample.js';

const ORIGIN = 'police.example/known/sha256/g1';

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
    const drafted = await run('keys', 'rotate', '--add', keys('list-2.key'), '--remove', oldKey, '--out', proposal);
    expect(drafted).toMatchObject({ version: 2, signatures: { complete: false, old: { have: 0, need: 1 } } });
    const early = await federation.run('police', 'keys', 'submit-root', proposal);
    expect([early.code, early.stderr]).toEqual([4, expect.stringContaining('THRESHOLD_NOT_MET')]);
    const signed = await run('keys', 'sign-root', proposal, '--root-key', keys('root.key'), '--yes');
    expect(signed).toMatchObject({ code: drafted['code'], signatures: { complete: true } });
    expect(await run('keys', 'submit-root', proposal)).toMatchObject({ version: 2 });
  });

  test('the new key goes on where the old one ended, and the hoster follows', async () => {
    const published = await publishSample(federation, 'police', 3);
    expect(published['lists']).toContainEqual(expect.objectContaining({ origin: ORIGIN, from: 31, size: 35 }));
    expect(await synced('hoster-a')).toMatchObject({ size: 35, state: 'FRESH' });
  });

  test('a hoster that was never there follows through both keys', async () => {
    expect(await synced('hoster-b')).toMatchObject({ size: 35, state: 'FRESH' });
  });
});

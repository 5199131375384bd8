import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type ProcessFederation, startFederation } from '../support/federation-process.js';
import { publishSample } from '../support/publish-sample.js';

const ORIGIN = 'police.example/known/sha256/g1';
const ERASE_AFTER_S = 1;

vi.setConfig({ testTimeout: 120_000 });

let federation: ProcessFederation;
let withdrawn: string;
let kept: string;

async function run(member: string, ...args: readonly string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await federation.run(member, ...args, '--json');
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${stdout}${stderr}`);
  return JSON.parse(stdout) as Record<string, unknown>;
}

beforeAll(async () => {
  federation = await startFederation();
  const proposal = join(federation.folder, 'root-2.proposal');
  const rootKey = join(federation.member('police'), 'keys/root.key');
  await run(
    'police',
    'keys',
    'rotate',
    '--set',
    `erase_after_s=${ERASE_AFTER_S}`,
    '--root-key',
    rootKey,
    '--out',
    proposal,
  );
  await run('police', 'keys', 'submit-root', proposal);
  const { hashes } = await publishSample(federation, 'police', 40);
  [withdrawn = '', kept = ''] = hashes;
});
afterAll(() => federation.stop());

/** Whether any file of the server's store holds these bytes. */
async function storeHolds(hex: string): Promise<boolean> {
  const folder = join(federation.folder, 'server');
  const wanted = Buffer.from(hex, 'hex');
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    if ((await readFile(join(entry.parentPath, entry.name))).includes(wanted)) return true;
  }
  return false;
}

async function sizeAt(member: string): Promise<unknown> {
  await run(member, 'sync');
  const { lists } = (await run(member, 'lists')) as { lists: { origin: string }[] };
  return lists.find(({ origin }) => origin === ORIGIN);
}

describe('erasure', () => {
  test('a withdrawn value stays while no anchor lies above its withdrawal', async () => {
    expect(await sizeAt('hoster-a')).toMatchObject({ size: 41, present: 40 });
    await run('police', 'withdraw', '--collection', 'known', '--hash', withdrawn, '--reason', 'wrong');
    await setTimeout(ERASE_AFTER_S * 1000 + 100);
    await federation.restart();
    expect(await storeHolds(withdrawn)).toBe(true);
  });

  test('with an anchor above, nothing of it is left in the store; what is listed stays', async () => {
    await publishSample(federation, 'police', 40);
    await setTimeout(ERASE_AFTER_S * 1000 + 100);
    await federation.restart();
    await expect.poll(() => storeHolds(withdrawn), { timeout: 10_000, interval: 200 }).toBe(false);
    expect(await storeHolds(kept)).toBe(true);
  });

  test('clients that were there and clients that are new verify the same list', async () => {
    const expected = { size: 84, present: 79, state: 'FRESH' };
    expect(await sizeAt('hoster-a')).toMatchObject(expected);
    expect(await sizeAt('hoster-b')).toMatchObject(expected);
  });

  test('the server reads what it erased as sound, and publishing goes on', async () => {
    await federation.restart();
    await publishSample(federation, 'police', 2);
    expect(await sizeAt('hoster-b')).toMatchObject({ size: 87, present: 81 });
  });
});

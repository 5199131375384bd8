import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type ProcessFederation, runCommand, startFederation } from '../support/federation-process.js';
import { publishSample } from '../support/publish-sample.js';

const MODULE = '/usr/lib/softhsm/libsofthsm2.so';
const PIN = '4711';

vi.setConfig({ testTimeout: 120_000 });

let federation: ProcessFederation;
let saved: NodeJS.ProcessEnv;

beforeAll(async () => {
  if (!existsSync(MODULE)) return;
  federation = await startFederation();
  saved = { ...process.env };
  const tokens = join(federation.folder, 'tokens');
  await mkdir(tokens);
  await writeFile(
    `${tokens}.conf`,
    `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`,
  );
  Object.assign(process.env, { SOFTHSM2_CONF: `${tokens}.conf`, HASHFED_PKCS11_TOKEN: 'signer' });
  const init = ['--init-token', '--free', '--label', 'signer', '--pin', PIN, '--so-pin', PIN];
  execFileSync('softhsm2-util', init, { stdio: 'ignore' });
  process.env['HASHFED_PKCS11_PIN'] = PIN;
});
afterAll(async () => {
  if (saved !== undefined) process.env = saved;
  await federation?.stop();
});

async function run(...args: readonly string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await federation.run('police', ...args, '--json');
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as Record<string, unknown>;
}

const keys = (name: string): string => join(federation.member('police'), 'keys', name);

describe.skipIf(!existsSync(MODULE))('keys in a PKCS#11 token', () => {
  test('doctor says that the token can do EdDSA', async () => {
    const { tokens } = await run('keys', 'doctor', '--pkcs11', MODULE);
    expect(tokens).toContainEqual(expect.objectContaining({ label: 'signer', signs: true, generates: true }));
  });

  test('a sequencing and an approve key of the token take over a list, and sign', async () => {
    const approve = ['--role', 'approve', '--name', 'police.example/approve-2'];
    const made = await run(
      'keys',
      'generate',
      '--role',
      'list',
      '--out',
      keys('list-2.key'),
      '--pkcs11',
      MODULE,
    );
    await run('keys', 'generate', ...approve, '--out', keys('approve-2.key'), '--pkcs11', MODULE);
    expect(await readFile(keys('list-2.key'), 'utf8')).not.toMatch(/seed|sealed/);
    const old = (await run('keys', 'show', keys('list.key'), keys('approve.key'))) as {
      keys: { public_key: string }[];
    };
    const proposal = join(federation.folder, 'root-2.proposal');
    const gone = old.keys.map(({ public_key }) => public_key);
    const change = ['--add', keys('list-2.key'), keys('approve-2.key'), '--remove', ...gone];
    await run('keys', 'rotate', ...change, '--root-key', keys('root.key'), '--out', proposal);
    await run('keys', 'submit-root', proposal);
    process.env['HASHFED_PKCS11_MODULE'] = MODULE;
    const published = await publishSample(federation, 'police', 25);
    expect(published).toMatchObject({ committed: true, keys_used: ['list', 'approve'] });
    expect(made['public_key']).toMatch(/^[0-9a-f]{64}$/);
  });

  test('without the module, or with another PIN, nothing is signed', async () => {
    const attempt = (env: NodeJS.ProcessEnv) =>
      runCommand(
        process.execPath,
        [
          'dist/client/main.js',
          'keys',
          'generate',
          '--role',
          'live',
          '--out',
          keys('x.key'),
          '--pkcs11',
          MODULE,
        ],
        { ...process.env, ...env },
      );
    const wrong = await attempt({ HASHFED_PKCS11_PIN: '0000' });
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('CKR_PIN_INCORRECT')]);
    await rm(keys('x.key'), { force: true });
    delete process.env['HASHFED_PKCS11_MODULE'];
    await expect(publishSample(federation, 'police', 1)).rejects.toThrow(/this key lies in the token/);
  });
});

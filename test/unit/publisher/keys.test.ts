import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeKey, readKey, writeKey } from '../../../client/publisher/index.js';
import { toHex } from '../../../sdk/core/index.js';
import { random, suite } from './request-fixture.js';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hashfed-keys-'));
  file = join(folder, 'a.key');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const key = makeKey('approve', 'p.example/approve-1', random, suite.ed25519);
const read = (passphrase?: string) => readKey(file, 'approve', suite.ed25519, passphrase);

describe('key files', () => {
  it('keep a key, for its owner alone, and are never written over', async () => {
    await writeKey(file, key, random);
    expect(await read()).toEqual(key);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await expect(writeKey(file, key, random)).rejects.toMatchObject({ code: 'USAGE' });
  });

  it('hide the seed under a passphrase', async () => {
    await writeKey(file, key, random, 'correct horse');
    expect(await readFile(file, 'utf8')).not.toContain(toHex(key.seed));
    expect(await read('correct horse')).toEqual(key);
    await expect(read('wrong horse')).rejects.toThrow('wrong passphrase');
    await expect(read()).rejects.toThrow('HASHFED_KEY_PASSPHRASE');
  });

  it.each([
    ['another role', { role: 'list' }],
    ['another public key', { public_key: '0'.repeat(64) }],
    ['a newer format', { format: 2 }],
    ['an unknown field', { extra: 1 }],
    ['no seed', { seed: undefined }],
  ])('refuse %s', async (_what, change) => {
    await writeKey(file, key, random);
    const changed = { ...JSON.parse(await readFile(file, 'utf8')), ...change };
    await writeFile(file, JSON.stringify(changed));
    await expect(read()).rejects.toMatchObject({ code: 'USAGE' });
  });
});

import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  keyFromCallback,
  keyFromEnvironment,
  keyFromFile,
  MemoryDisk,
  memoryDatabase,
  openStore,
  parseStoreKey,
  rotateStoreKey,
  storeKey,
} from '../../../sdk/store/index.js';
import { clock, random } from '../../contract/store/support.js';

const failed = (message: RegExp) => ({ code: 'STORAGE_FAILED', message: expect.stringMatching(message) });

describe('where the store key comes from', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'hashfed-key-'));
  });
  afterEach(() => rm(dir, { recursive: true }));

  it('is 32 bytes or 64 digits in a file of its owner only', async () => {
    const bytes = new Uint8Array(randomBytes(32));
    const file = join(dir, 'key');
    await writeFile(file, bytes, { mode: 0o600 });
    expect((await keyFromFile(file).key(undefined)).bytes).toEqual(bytes);
    await writeFile(file, `${Buffer.from(bytes).toString('hex')}\n`);
    expect((await keyFromFile(file).key(undefined)).bytes).toEqual(bytes);
    await chmod(file, 0o640);
    await expect(keyFromFile(file).key(undefined)).rejects.toMatchObject(failed(/\/key must .*0600/));
    await chmod(file, 0o600);
    await writeFile(file, new Uint8Array(31));
    await expect(keyFromFile(file).key(undefined)).rejects.toMatchObject(failed(/32 bytes/));
    await expect(keyFromFile(join(dir, 'none')).key(undefined)).rejects.toMatchObject(
      failed(/\/none cannot be read/),
    );
  });

  it('is a variable', async () => {
    const hex = randomBytes(32).toString('hex');
    const key = await keyFromEnvironment({ HASHFED_STORE_KEY: hex }).key(undefined);
    expect(Buffer.from(key.bytes).toString('hex')).toBe(hex);
    await expect(keyFromEnvironment({}).key(undefined)).rejects.toMatchObject(failed(/is not set/));
    const short = keyFromEnvironment({ OTHER: 'abc' }, 'OTHER');
    await expect(short.key(undefined)).rejects.toMatchObject(failed(/64 hexadecimal/));
  });

  it('is what a key service answers, and its failure is told without its text', async () => {
    const refuse = keyFromCallback(() => Promise.reject(new Error('token s3cret expired')));
    const error = await refuse.key(undefined).catch((cause: unknown) => cause);
    expect(error).toMatchObject(failed(/key service/));
    expect((error as Error).message).not.toContain('s3cret');
  });

  it('has an id that says nothing, and is never a constant', () => {
    const key = storeKey(new Uint8Array(32).map((_, i) => i));
    expect(key.id).toHaveLength(8);
    expect(parseStoreKey(key.bytes).id).toEqual(key.id);
    expect(() => storeKey(new Uint8Array(32))).toThrow(/not random/);
    expect(() => storeKey(new Uint8Array(16))).toThrow(/32 bytes/);
  });
});

describe('which key opens a store', () => {
  const [one, two] = [1, 2].map(() => new Uint8Array(randomBytes(32)));
  const [first, second] = [keyFromCallback(() => one!), keyFromCallback(() => two!)];

  it('names both keys when it is the wrong one, and changes nothing', async () => {
    const disk = new MemoryDisk();
    const place = { dir: '/s', disk, database: memoryDatabase(), clock, random };
    await (await openStore({ ...place, key: first })).close();
    const before = [...disk.contents()].map(([path, bytes]) => [path, Buffer.from(bytes).toString('hex')]);
    const ids = [one!, two!].map((bytes) => Buffer.from(storeKey(bytes).id).toString('hex'));
    const wrong = failed(new RegExp(`wrong store key: given ${ids[1]}, .* ${ids[0]}`));
    await expect(openStore({ ...place, key: second })).rejects.toMatchObject(wrong);
    await expect(openStore({ ...place, key: second, readOnly: true })).rejects.toMatchObject(wrong);
    expect([...disk.contents()].map(([path, bytes]) => [path, Buffer.from(bytes).toString('hex')])).toEqual(
      before,
    );
  });

  it('is asked for by id, and can be replaced in one step', async () => {
    const disk = new MemoryDisk();
    const place = { dir: '/s', disk, database: memoryDatabase(), clock, random };
    {
      await using store = await openStore({ ...place, key: first });
      await store.settings.put('a', Uint8Array.of(1));
    }
    await rotateStoreKey({ dir: '/s', disk, random, from: first, to: second });
    await expect(openStore({ ...place, key: first })).rejects.toMatchObject(failed(/wrong store key/));
    const asked: string[] = [];
    const service = keyFromCallback((wanted) => {
      asked.push(Buffer.from(wanted ?? []).toString('hex'));
      return two!;
    });
    await using store = await openStore({ ...place, key: service });
    expect(asked).toEqual([Buffer.from(storeKey(two!).id).toString('hex')]);
    expect(await store.settings.get('a')).toEqual(Uint8Array.of(1));
  });

  it('tells an absent store from a new one', async () => {
    const place = {
      dir: '/s',
      disk: new MemoryDisk(),
      database: memoryDatabase(),
      clock,
      random,
      key: first,
    };
    await expect(openStore({ ...place, readOnly: true })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await (await openStore(place)).close();
    await (await openStore({ ...place, readOnly: true })).close();
  });
});

/**
 * A store written by the first version of the Level format. It must load for ever: never write it anew, add a
 * directory beside it when the format changes. (HASHFED_WRITE_FIXTURE=1 makes it where there is none.)
 */

import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { nodeDisk, openLevelStorage, type Storage } from '../../../server/storage/index.js';
import { createMemoryStorage } from '../../support/memory-storage.js';
import {
  grow,
  HEADS_KEY,
  ORIGIN,
  TestClock,
  testRandom,
  testSha,
  withDirectory,
} from '../../support/storage-fixtures.js';
import { describeStore, fillSample } from '../../support/storage-sample.js';

const FIXTURE = join(import.meta.dirname, '../../fixtures/storage/level-v1');
const deps = () => ({ sha: testSha, clock: new TestClock(), random: testRandom(11) });
const open = (directory: string, create = false): Promise<Storage> =>
  openLevelStorage({ ...deps(), directory, headsKey: HEADS_KEY, disk: nodeDisk, create });
const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;

async function writeFixture(): Promise<void> {
  const directory = join(FIXTURE, 'store');
  await mkdir(FIXTURE, { recursive: true });
  const storage = await open(directory, true);
  await fillSample(storage);
  await writeFile(join(FIXTURE, 'expected.json'), json(await describeStore(storage)));
  await storage.close();
  for (const name of ['LOG', 'LOG.old', 'LOCK']) await rm(join(directory, 'db', name), { force: true });
}

beforeAll(async () => {
  if (process.env['HASHFED_WRITE_FIXTURE'] === '1' && !existsSync(FIXTURE)) await writeFixture();
});

describe('fixture level-v1', () => {
  it('loads, passes the full check, holds what was written, and can be continued', async () => {
    const expected = await readFile(join(FIXTURE, 'expected.json'), 'utf8');
    await withDirectory(async (directory) => {
      await cp(join(FIXTURE, 'store'), join(directory, 'store'), { recursive: true });
      await using storage = await open(join(directory, 'store'));
      expect((await storage.check({ full: true })).problems).toEqual([]);
      expect(json(await describeStore(storage))).toBe(expected);
      const [batch] = (await storage.prepared.list()).items;
      expect(await storage.logs.segment(batch!.segments[0]!)).toMatchObject({ from: 520, to: 530 });
      await grow(storage, ORIGIN, 1_000);
      expect((await storage.check({ full: true })).problems).toEqual([]);
    });
  });

  it('is what today\u2019s code writes from the same input', async () => {
    const storage = createMemoryStorage(deps());
    await fillSample(storage);
    expect(json(await describeStore(storage))).toBe(await readFile(join(FIXTURE, 'expected.json'), 'utf8'));
  });
});

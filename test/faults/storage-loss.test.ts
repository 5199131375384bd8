/** Rows that no log or head speaks of can vanish from LevelDB without a word; sums and generation notice. */
import { cp, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nodeDisk, openLevelStorage, type Storage } from '../../server/storage/index.js';
import {
  HEADS_KEY,
  TestClock,
  testRandom,
  testSha,
  utf8,
  withDirectory,
} from '../support/storage-fixtures.js';

const REPORTS = 40;

const open = (directory: string): Promise<Storage> =>
  openLevelStorage({
    directory,
    headsKey: HEADS_KEY,
    sha: testSha,
    clock: new TestClock(),
    random: testRandom(5),
    disk: nodeDisk,
    create: true,
  });

/** Runs on a copy made while the store was open, as a kill leaves it: all reports lie in the write-ahead log. */
async function withKilled(use: (directory: string, log: string) => Promise<void>): Promise<void> {
  await withDirectory(async (parent) => {
    const storage = await open(join(parent, 'store'));
    for (let i = 0; i < REPORTS; i += 1) {
      const report = {
        member: 'h',
        window: `${100 + i}`,
        revision: 1,
        receivedMs: i,
        bytes: utf8('x'.repeat(4_000)),
      };
      await storage.telemetry.put(report, utf8('receipt'));
    }
    const copy = join(parent, 'killed');
    await cp(join(parent, 'store'), copy, { recursive: true });
    await storage.close();
    const log = (await readdir(join(copy, 'db'))).find((name) => name.endsWith('.log'));
    await use(copy, join(copy, 'db', log!));
  });
}

describe('reports that LevelDB would lose in silence', () => {
  it('are all there when nothing was damaged', () =>
    withKilled(async (directory) => {
      await using storage = await open(directory);
      expect(await storage.telemetry.arrivals(0, 100)).toHaveLength(REPORTS);
    }));

  it.each([0.2, 0.4, 0.6, 0.8])('a flipped byte at %d of the write-ahead log is refused', (where) =>
    withKilled(async (directory, log) => {
      const bytes = await readFile(log);
      const at = Math.floor(bytes.length * where);
      bytes[at] = bytes[at]! ^ 1;
      await writeFile(log, bytes);
      await expect(open(directory)).rejects.toThrow(/the store is damaged: the \S+ table has \d+ rows/);
    }),
  );

  it('a write-ahead log cut behind whole records is refused, not taken for an older state', () =>
    withKilled(async (directory, log) => {
      const { length } = await readFile(log);
      await truncate(log, length >> 1);
      await expect(open(directory)).rejects.toThrow(/lost \d+ acknowledged writes/);
    }));
});

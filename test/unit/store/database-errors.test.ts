import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openLevel } from '../../../sdk/store/database.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hashfed-database-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('says what the system said of the disk, without its path', async () => {
  const path = join(folder, 'ledger');
  await writeFile(path, 'a file where a folder should be');
  await expect(openLevel(path, true)).rejects.toMatchObject({
    code: 'STORAGE_FAILED',
    message: 'the store failed to open: EEXIST',
  });
});

it('knows a store that another process holds', async () => {
  const path = join(folder, 'held');
  const first = await openLevel(path, true);
  await expect(openLevel(path, true)).rejects.toThrow('another process holds the store');
  await first.close();
});

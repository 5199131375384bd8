import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { NO_COUNTS, runScan, type ScanJob } from '../../../client/commands/scan-run.js';
import { EntryCursor, Inventory } from '../../../sdk/inventory/index.js';
import { entry, MATCHED, random, storeWith } from '../inventory/parts.js';

/** By the end of a folder's path: the error that listing it ends with. */
const refusals = vi.hoisted(() => new Map<string, string>());

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const readdir = (path: Buffer, options: object) => {
    for (const [end, code] of refusals)
      if (path.toString().endsWith(end)) return Promise.reject(Object.assign(new Error(code), { code }));
    return (real.readdir as (path: Buffer, options: object) => Promise<unknown>)(path, options);
  };
  return { ...real, readdir };
});

let dir: string;
let inventory: Inventory;
let judged: string[];
let unreadable: string[];
const FILES = ['a', 'sub/b', 'sub/deep/c', 'sub.d', 'z'];

beforeEach(() => {
  refusals.clear();
  dir = mkdtempSync(join(tmpdir(), 'hashfed-unlistable-'));
  mkdirSync(join(dir, 'files/sub/deep'), { recursive: true });
  for (const file of FILES) writeFileSync(join(dir, 'files', file), file);
  inventory = new Inventory({ store: storeWith('one'), dir: join(dir, 'inventory'), random });
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const verdict = { action: 'none', matches: [], freshness: 'FRESH', because: [] };

async function scan() {
  [judged, unreadable] = [[], []];
  const rescan = await inventory.rescan('/srv', MATCHED, false);
  const checkFile = async (path: Buffer) => {
    const { size, mtimeNs, ino } = await lstat(path, { bigint: true });
    const { md5, sha1, sha256 } = entry(path.toString());
    const object = { hashes: { md5, sha1, sha256 }, bytes: Number(size) };
    return { status: 'checked', verdict, object, state: { mtimeNs, inode: ino } };
  };
  const judgeObject = (_: unknown, { ref }: { ref: string }) => {
    judged.push(ref.slice(join(dir, 'files/').length));
    return Promise.resolve(verdict);
  };
  const job = {
    hashfed: { wanted: () => ({ pdq: false }), judgeObject },
    pipeline: { checkFile },
    rescan,
    folder: join(dir, 'files'),
    exclude: new Set(),
    jobs: 4,
    signal: new AbortController().signal,
    onMatch: () => {},
    onUnreadable: (path: string, reason: string) => unreadable.push(`${path.slice(dir.length)}: ${reason}`),
    onDone: () => Promise.resolve(),
  } as unknown as ScanJob;
  const counts = { ...NO_COUNTS };
  expect(await runScan(job, counts)).toBe(true);
  await rescan.finish({ objects: counts.files + counts.unreadable, bytes: counts.bytes, atMs: 5 });
  await rescan.close();
  return counts;
}

async function known(): Promise<string[]> {
  const refs: string[] = [];
  for await (const block of (await inventory.shelves())[0]!.blocks())
    for (const cursor = new EntryCursor(block); cursor.next(); ) refs.push(cursor.ref.toString());
  return refs;
}

describe('a folder that cannot be listed', () => {
  it('keeps what is known below it, matched against the lists of today, in the order of the walk', async () => {
    await scan();
    const before = await known();
    expect(before).toHaveLength(FILES.length);
    refusals.set('/sub', 'EACCES');
    expect(await scan()).toMatchObject({ files: 5, unchanged: 3, kept: 2, unreadable: 1, vanished: 0 });
    expect(unreadable).toEqual(['/files/sub: EACCES']);
    expect(judged.sort()).toEqual([...FILES].sort());
    expect(await known()).toEqual(before);
    refusals.clear();
    expect(await scan()).toMatchObject({ files: 5, unchanged: 5, kept: 0, unreadable: 0 });
  });

  it('loses what is known below it where it is gone', async () => {
    await scan();
    refusals.set('/sub', 'ENOENT');
    expect(await scan()).toMatchObject({ files: 3, kept: 0, unreadable: 0, vanished: 1 });
    expect(await known()).toEqual(['a', 'sub.d', 'z']);
  });

  it('keeps everything where it is the scanned folder itself, whatever the error', async () => {
    await scan();
    refusals.set('/files', 'ENOENT');
    expect(await scan()).toMatchObject({ files: 5, kept: 5, unreadable: 1, vanished: 0 });
    expect(await known()).toHaveLength(FILES.length);
  });
});

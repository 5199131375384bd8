import { randomBytes } from 'node:crypto';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EntryCursor, Inventory, leastOf, rematch, type Shelf } from '../../../sdk/inventory/index.js';
import { entry, MATCHED, random, storeWith } from './parts.js';

const batch = (...hashes: Uint8Array[]) => ({ count: hashes.length, hashes });
const BOUNDS = { maxDistance: 31, minQuality: 50 };
let dir: string;
let inventory: Inventory;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hashfed-inventory-'));
  inventory = new Inventory({ store: storeWith('one'), dir, random });
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

async function scan(refs: readonly string[], options: { resume?: boolean; end?: boolean } = {}) {
  const rescan = await inventory.rescan('/srv', MATCHED, options.resume === true);
  const known: string[] = [];
  for (const ref of refs) {
    if ((await rescan.find(Buffer.from(ref))) !== undefined) known.push(ref);
    await rescan.add(entry(ref));
  }
  const seen = { objects: refs.length, bytes: refs.length * 1_000, atMs: 5 };
  await (options.end === false ? rescan.save() : rescan.finish(seen));
  await rescan.close();
  return known;
}

async function refsOf(shelf: Shelf): Promise<string[]> {
  const refs: string[] = [];
  for await (const block of shelf.blocks()) {
    const cursor = new EntryCursor(block);
    while (cursor.next()) refs.push(cursor.ref.toString());
  }
  return refs;
}

const theShelf = async () => (await inventory.shelves())[0]!;

describe('a scan beside what is known', () => {
  it('finds what the last one saw, and forgets what is gone', async () => {
    expect(await scan(['a', 'b/c', 'b/d', 'e'])).toEqual([]);
    expect(await scan(['a', 'b/d', 'b/e', 'f'])).toEqual(['a', 'b/d']);
    expect(await refsOf(await theShelf())).toEqual(['a', 'b/d', 'b/e', 'f']);
  });

  it.each([
    ['b', ['b/c', 'b/d/e']],
    ['b/d', ['b/d/e']],
    ['nothing', []],
    ['', ['a', 'b', 'b/c', 'b/d/e', 'b!', 'ba/x', 'e']],
  ])('tells what is known below "%s", and finds what comes behind it', async (folder, below) => {
    await scan(['a', 'b', 'b/c', 'b/d/e', 'b!', 'ba/x', 'e']);
    const rescan = await inventory.rescan('/srv', MATCHED, false);
    const told: string[] = [];
    for await (const { ref } of rescan.below(Buffer.from(folder))) told.push(Buffer.from(ref).toString());
    expect(told).toEqual(below);
    const behind = await rescan.find(Buffer.from('e'));
    expect(behind !== undefined).toBe(folder.startsWith('b'));
    await rescan.close();
  });

  it('that was cut goes on, and knows the old generation meanwhile', async () => {
    await scan(['a', 'b', 'c', 'd']);
    await scan(['a', 'b'], { end: false });
    expect(new Set(await refsOf(await theShelf()))).toEqual(new Set(['a', 'b', 'c', 'd']));
    expect(await scan(['c', 'e'], { resume: true })).toEqual(['c']);
    expect(await refsOf(await theShelf())).toEqual(['a', 'b', 'c', 'e']);
  });

  it('that begins anew drops what was cut', async () => {
    await scan(['a', 'b'], { end: false });
    await scan(['x']);
    expect(await refsOf(await theShelf())).toEqual(['x']);
    expect(
      readdirSync(join(dir, (await theShelf()).id)).filter((name) => name.endsWith('.seg')),
    ).toHaveLength(1);
  });

  it('is the only one that writes', async () => {
    const first = await inventory.rescan('/srv', MATCHED, false);
    writeFileSync(join(dir, (await theShelf()).id, 'lock'), String(process.ppid));
    await expect(inventory.rescan('/srv', MATCHED, false)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await first.close();
    await (await inventory.rescan('/srv', MATCHED, false)).close();
  });

  it('takes over a lock with our own number that we do not hold, as a restarted container finds it', async () => {
    await scan(['a']);
    writeFileSync(join(dir, (await theShelf()).id, 'lock'), String(process.pid));
    expect(await scan(['a'])).toEqual(['a']);
    const held = await inventory.rescan('/srv', MATCHED, false);
    await expect(inventory.rescan('/srv', MATCHED, false)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await held.close();
  });

  it('takes over the lock of a process that is gone', async () => {
    await scan(['a']);
    writeFileSync(join(dir, (await theShelf()).id, 'lock'), '999999999');
    expect(await scan(['a'])).toEqual(['a']);
  });
});

describe('on disk', () => {
  const path60 = (i: number) =>
    `photos/${randomBytes(16).toString('hex')}/${String(i).padStart(15, '0')}.jpeg`;

  it('takes at most 150 bytes an object for paths of 60 characters', async () => {
    const refs = Array.from({ length: 2_000 }, (_, i) => path60(i)).sort();
    expect(refs[0]).toHaveLength(60);
    await inventory.add(
      'uploads',
      refs.map((ref) => entry(ref, { size: 3_000_000 })),
      MATCHED,
    );
    expect((await (await theShelf()).diskBytes()) / refs.length).toBeLessThanOrEqual(150);
  });

  it('shows neither hash nor path nor folder', async () => {
    await scan(['marker-path']);
    const { id } = await theShelf();
    for (const name of readdirSync(join(dir, id))) {
      const bytes = readFileSync(join(dir, id, name));
      for (const marker of [
        Buffer.from('marker-path'),
        Buffer.from('/srv'),
        Buffer.from(entry('marker-path').sha256),
      ])
        expect(bytes.includes(marker)).toBe(false);
    }
  });

  it('opens under its own key alone', async () => {
    await scan(['a']);
    const other = new Inventory({ store: storeWith('another'), dir, random });
    await expect(other.shelves()).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  });

  it('notices a flipped byte anywhere in a segment, and one cut off', async () => {
    await scan(['a', 'b', 'c']);
    const shelf = await theShelf();
    const file = join(dir, shelf.id, readdirSync(join(dir, shelf.id)).find((name) => name.endsWith('.seg'))!);
    const good = readFileSync(file);
    for (let at = 0; at < good.length; at++) {
      const bad = Buffer.from(good);
      bad[at] = bad[at]! ^ 0x10;
      writeFileSync(file, bad);
      await expect(refsOf(shelf), `byte ${at}`).rejects.toMatchObject({
        code: expect.stringMatching(/^(STORAGE_FAILED|UPGRADE_REQUIRED)$/),
      });
    }
    writeFileSync(file, good);
    truncateSync(file, statSync(file).size - 1);
    await expect(refsOf(shelf)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    rmSync(file);
    await expect(refsOf(shelf)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  });

  it('notices a file that was cut at the end of a block', async () => {
    const refs = Array.from({ length: 6_000 }, (_, i) => path60(i)).sort();
    await inventory.add(
      'uploads',
      refs.map((ref) => entry(ref)),
      MATCHED,
    );
    const shelf = await theShelf();
    const file = join(dir, shelf.id, readdirSync(join(dir, shelf.id)).find((name) => name.endsWith('.seg'))!);
    const bytes = readFileSync(file);
    const first = 28 + 5 + bytes.readUInt32BE(28);
    expect(first).toBeLessThan(bytes.length);
    writeFileSync(file, bytes.subarray(0, first));
    await expect(refsOf(shelf)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    const faked = Buffer.from(bytes.subarray(0, first));
    faked[32] = 1;
    writeFileSync(file, faked);
    await expect(refsOf(shelf)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  });
});

describe('rematching', () => {
  const refs = Array.from({ length: 5_000 }, (_, i) => `file-${String(i).padStart(5, '0')}`);

  it('finds every object of the batch by each type, and few others', async () => {
    await inventory.add(
      'uploads',
      refs.map((ref) => entry(ref)),
      MATCHED,
    );
    const wanted = {
      md5: batch(entry(refs[3]!).md5),
      sha1: batch(entry(refs[7]!).sha1),
      sha256: batch(entry(refs[9]!).sha256),
    };
    const found: string[] = [];
    const { objects, bytes } = await rematch(
      await theShelf(),
      wanted,
      ({ ref }) => void found.push(Buffer.from(ref).toString()),
      BOUNDS,
    );
    expect({ objects, bytes }).toEqual({ objects: 5_000, bytes: 5_000_000 });
    expect(found).toEqual(expect.arrayContaining([refs[3], refs[7], refs[9]]));
    expect(found.length).toBeLessThan(20);
  });

  it('finds what resembles, within distance and quality', async () => {
    const hash = randomBytes(32);
    const near = Buffer.from(hash);
    near[0] = near[0]! ^ 0xff;
    const values = [
      ['near', near, 90],
      ['poor', near, 49],
      ['far', randomBytes(32), 90],
    ] as const;
    const entries = values.map(([ref, pdq, quality]) =>
      entry(ref, { perceptual: true, pdq: [{ hash: pdq, quality }] }),
    );
    await inventory.add('uploads', entries, MATCHED);
    const found: string[] = [];
    const note = ({ ref }: { ref: Uint8Array }) => void found.push(Buffer.from(ref).toString());
    await rematch(await theShelf(), { pdq: batch(hash) }, note, BOUNDS);
    expect(found).toEqual(['near']);
  });

  it('stops when asked to', async () => {
    await inventory.add('uploads', [entry('a')], MATCHED);
    const signal = AbortSignal.abort();
    const running = rematch(await theShelf(), { md5: batch(entry('a').md5) }, () => {}, {
      ...BOUNDS,
      signal,
    });
    await expect(running).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});

describe('coverage', () => {
  const HOUR = 3_600_000;

  it('counts bytes matched against current lists among all that the scan saw', async () => {
    await scan(['a', 'b']);
    const rescan = await inventory.rescan('/other', { ...MATCHED, freshMs: 30 * HOUR }, false);
    await rescan.add(entry('c', { size: 6_000 }));
    await rescan.finish({ objects: 2, bytes: 8_000, atMs: 0 });
    await rescan.close();
    const coverage = await inventory.coverage(50 * HOUR, 24);
    expect(coverage).toMatchObject({ bytes: 10_000, checked_bytes: 8_000, current_bytes: 6_000, share: 0.6 });
    expect((await inventory.coverage(55 * HOUR, 24)).share).toBe(0);
  });

  it('a shelf is as current as its least current part', () => {
    const later = { sizes: { 'a.example/known/sha256/g1': 20, other: 5 }, atMs: 2_000, freshMs: null };
    expect(leastOf(MATCHED, later)).toEqual({ ...MATCHED, freshMs: null });
  });
});

import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { EntryCursor, Inventory } from '../../../sdk/inventory/index.js';
import { entry, random, storeWith } from './parts.js';

it('the committed inventory of format 1 loads, whole', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'hashfed-inventory-'));
  try {
    await cp('test/fixtures/inventory/v1', dir, { recursive: true });
    const inventory = new Inventory({ store: storeWith('fixture'), dir, random });
    const [shelf, ...more] = await inventory.shelves();
    expect(more).toEqual([]);
    expect(shelf?.head).toMatchObject({
      name: '/srv',
      kind: 'folder',
      matched: { sizes: { 'a.example/known/sha256/g1': 10 }, atMs: 1000, freshMs: 900 },
      seen: { objects: 4, bytes: 4000, atMs: 5 },
    });
    const found: unknown[] = [];
    for await (const block of shelf!.blocks())
      for (const cursor = new EntryCursor(block); cursor.next(); ) {
        const { ref, size, sha256, pdq } = cursor.entry();
        found.push([
          Buffer.from(ref).toString(),
          size,
          Buffer.from(sha256),
          pdq.map(({ quality }) => quality),
        ]);
      }
    expect(found).toEqual(
      ['a', 'b/c', 'b/d', 'e'].map((ref) => [
        ref,
        1000,
        Buffer.from(entry(ref).sha256),
        ref === 'e' ? [80] : [],
      ]),
    );
  } finally {
    await rm(dir, { recursive: true });
  }
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ERROR_TABLE } from '../../../sdk/core/index.js';
import { MemoryDisk, memoryDatabase } from '../../../sdk/store/index.js';
import {
  bucketOf,
  bundle,
  contents,
  entry,
  hashOf,
  head,
  memoryPlace,
  ORIGIN,
  placeOn,
  rebuild,
  row,
  snapshot,
} from '../../contract/store/support.js';

/** Rows as given by (hash seed, meta length), unique and in canonical order. */
function sortedRows(seeds: readonly (readonly [number, number])[]): Uint8Array[] {
  const rows = seeds.map(([seed, meta], i) => row(i, new Uint8Array(meta).fill(seed), hashOf(seed)).bytes);
  return rows.sort(Buffer.compare);
}

async function writeRows(rows: readonly Uint8Array[], bits: number, place = memoryPlace()) {
  const store = await (await place).open();
  const writer = await store
    .list(ORIGIN)
    .beginRebuild({ hashBytes: 32, bucketBits: bits, rowCount: rows.length });
  for (let at = 0; at < rows.length; ) {
    const b = bucketOf(rows[at]!, bits);
    let end = at;
    while (end < rows.length && bucketOf(rows[end]!, bits) === b) end++;
    await writer.addBucket(b, Buffer.concat(rows.slice(at, end)));
    at = end;
  }
  await writer.commit(head(rows.length));
  return store;
}

describe('segments', () => {
  it('give back any rows in any number of buckets, at once and one by one', async () => {
    const rows = fc.array(fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 512 })), {
      maxLength: 80,
    });
    await fc.assert(
      fc.asyncProperty(rows, fc.integer({ min: 0, max: 10 }), async (seeds, bits) => {
        const sorted = sortedRows(seeds);
        await using store = await writeRows(sorted, bits);
        const list = (await store.list(ORIGIN).load())!;
        const table = await list.rows();
        expect(Buffer.concat(sorted).equals(table.bytes)).toBe(true);
        let b = 0;
        for await (const each of list.buckets()) expect(each).toEqual(table.bucket(b++).slice());
        expect(b).toBe(2 ** bits);
        const hashes = Buffer.concat(sorted.map((each) => each.subarray(0, 32)));
        expect(hashes.equals(await list.keys())).toBe(true);
        await list.close();
      }),
      { numRuns: 60 },
    );
  });

  it('cross blocks anywhere: rows of all lengths over several MiB', async () => {
    const sorted = sortedRows(Array.from({ length: 12_000 }, (_, i) => [i, (i * 37) % 513] as const));
    for (const bits of [0, 3, 16]) {
      await using store = await writeRows(sorted, bits);
      const list = (await store.list(ORIGIN).load())!;
      expect(list.rowCount).toBe(12_000);
      const pieces: Uint8Array[] = [];
      for await (const each of list.buckets()) pieces.push(Uint8Array.from(each));
      expect(Buffer.concat(pieces).equals(Buffer.concat(sorted))).toBe(true);
      const { bucketOffsets } = await list.rows();
      let end = 0;
      for await (const piece of list.pieces()) {
        expect(Buffer.compare(piece, Buffer.concat(sorted).subarray(end, end + piece.length))).toBe(0);
        end += piece.length;
        expect(bucketOffsets).toContain(end);
      }
      expect(end).toBe(bucketOffsets.at(-1));
      expect((await list.rows()).bytes.length).toBeGreaterThan(3 * 1024 * 1024);
      await list.close();
    }
  });
});

describe('hostile files', () => {
  it('end in one of our errors, or do not matter, whatever bytes they hold', async () => {
    const disk = new MemoryDisk();
    const database = memoryDatabase();
    const place = placeOn('/store', disk, database);
    {
      await using store = await place.open();
      await rebuild(store.list(ORIGIN), 30);
      await store.list(ORIGIN).commitDelta({ bundles: [bundle(30, 1)], newHead: head(31) });
    }
    const good = new Map([...disk.contents()].map(([path, bytes]) => [path, bytes.slice()]));
    const paths = [...good.keys()].filter((path) => path.includes('/lists/') || path.endsWith('store.head'));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), fc.uint8Array({ maxLength: 400 }), async (path, bytes) => {
        const whole = good.get(path)!;
        // Half of them keep the true beginning, so that they get past magic and header.
        const kept = bytes.length % 2 === 0 ? whole.subarray(0, bytes.length) : new Uint8Array();
        disk.plant(path, Buffer.concat([kept, bytes]));
        const attempt = async () => {
          await using store = await place.open();
          await store.list(ORIGIN).scrub();
        };
        const error = await attempt().catch((cause: unknown) => cause);
        expect(Object.keys(ERROR_TABLE)).toContain((error as { code: string }).code);
        disk.plant(path, whole);
      }),
      { numRuns: 200 },
    );
  });
});

describe('a view of a list', () => {
  it('shows its own commit for ever, also its deltas, while later ones come', async () => {
    await using store = await (await memoryPlace()).open();
    const list = store.list(ORIGIN);
    await rebuild(list, 3);
    await list.commitDelta({ bundles: [bundle(3, 1)], newHead: head(4) });
    const view = (await list.load())!;
    await list.commitDelta({ bundles: [bundle(4, 1)], newHead: head(5) });
    expect((await contents(view)).bundles).toEqual([bundle(3, 1)]);
    await view.close();
    expect((await snapshot(store))?.bundles).toHaveLength(2);
  });

  it('asks for a rebuild once many deltas are pending', async () => {
    await using store = await (await memoryPlace()).open();
    const list = store.list(ORIGIN);
    await rebuild(list, 3);
    const many = { firstIndex: 3, count: 100_000, bytes: new Uint8Array(10) };
    await expect(list.commitDelta({ bundles: [many, bundle(9, 1)], newHead: head(4) })).rejects.toMatchObject(
      {
        code: 'USAGE',
      },
    );
    for (const expected of [false, false, true]) {
      await list.commitDelta({ bundles: [many], newHead: head(4) });
      const view = (await list.load())!;
      expect(view.wantsRebuild).toBe(expected);
      await view.close();
    }
  });

  it('holds the order of commits that were asked for at once', async () => {
    await using store = await (await memoryPlace()).open();
    const list = store.list(ORIGIN);
    await rebuild(list, 3);
    const sizes = [4, 5, 6, 7, 8];
    await Promise.all([
      ...sizes.map((n) => list.commitDelta({ bundles: [bundle(n - 1, 1)], newHead: head(n) })),
      store.journal.add([entry(1)]),
    ]);
    const found = await snapshot(store);
    expect(found?.head.size).toBe(8);
    expect(found?.bundles.map((each) => each.firstIndex)).toEqual([3, 4, 5, 6, 7]);
  });
});

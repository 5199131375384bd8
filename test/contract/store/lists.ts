import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  bucketed,
  bundle,
  contents,
  hashOf,
  head,
  ORIGIN,
  OTHER,
  type Place,
  rebuild,
  row,
  snapshot,
} from './support.js';

/** What every disk under the store's lists must give. */
export function listSuite(name: string, makePlace: () => Promise<Place>): void {
  describe(`lists on ${name}`, () => {
    let place: Place;
    beforeEach(async () => {
      place = await makePlace();
    });
    afterEach(() => place.remove());

    it('has no lists at first', async () => {
      await using store = await place.open();
      expect(await store.origins()).toEqual([]);
      expect(await store.list(ORIGIN).load()).toBeUndefined();
      await expect(store.list(ORIGIN).commitDelta({ bundles: [], newHead: head(1) })).rejects.toMatchObject({
        code: 'USAGE',
      });
    });

    it('gives back rows, keys and head after reopening', async () => {
      {
        await using store = await place.open();
        await rebuild(store.list(ORIGIN), 500, 4);
      }
      await using store = await place.open();
      expect(await store.origins()).toEqual([ORIGIN]);
      const list = (await store.list(ORIGIN).load())!;
      const expected = bucketed(500, 4);
      const table = await list.rows();
      for (const [b, rows] of expected.entries()) expect(Buffer.compare(table.bucket(b), rows)).toBe(0);
      let b = 0;
      for await (const rows of list.buckets()) expect(Buffer.compare(rows, expected[b++]!)).toBe(0);
      expect(b).toBe(16);
      const keys = await list.keys();
      expect(keys.buffer).toBeInstanceOf(SharedArrayBuffer);
      const hashes = Array.from({ length: 500 }, (_, i) => Buffer.from(hashOf(i)).toString('hex')).sort();
      expect(Buffer.from(keys).toString('hex')).toBe(hashes.join(''));
      expect(list.head).toEqual(head(500));
      expect([list.rowCount, list.hashBytes, list.bucketBits]).toEqual([500, 32, 4]);
      await list.close();
    });

    it('replays deltas over the base, in order, and keeps the newest head', async () => {
      {
        await using store = await place.open();
        const list = store.list(ORIGIN);
        await rebuild(list, 20, 0);
        await list.commitDelta({ bundles: [bundle(20, 3), bundle(23, 2)], newHead: head(25) });
        await list.commitDelta({ bundles: [], newHead: head(25, 'new notes') });
        await list.commitDelta({ bundles: [bundle(25, 1)], newHead: head(26) });
      }
      await using store = await place.open();
      const list = (await store.list(ORIGIN).load())!;
      const all = await contents(list);
      expect(all.base).toEqual(head(20));
      expect(all.head).toEqual(head(26));
      expect(all.bundles).toEqual([bundle(20, 3), bundle(23, 2), bundle(25, 1)]);
      expect(list.pending.entries).toBe(6);
      expect(all.sequence).toBe(4);
      await list.close();
      await store.list(ORIGIN).commitDelta({ bundles: [bundle(26, 1)], newHead: head(27) });
      expect((await snapshot(store))?.bundles).toHaveLength(4);
    });

    it('swaps a rebuilt base atomically; a view opened before still reads', async () => {
      await using store = await place.open();
      const list = store.list(ORIGIN);
      await rebuild(list, 50);
      await list.commitDelta({ bundles: [bundle(50, 2)], newHead: head(52) });
      const before = (await list.load())!;
      const writer = await list.beginRebuild({ hashBytes: 32, bucketBits: 2, rowCount: 60, leafCount: 61 });
      for (const [b, rows] of bucketed(60, 2).entries()) await writer.addBucket(b, rows);
      for (let i = 0; i < 61; i++) await writer.addLeafHashes(new Uint8Array(32).fill(i));
      expect((await snapshot(store))?.head.size).toBe(52);
      await writer.commit(head(61));
      expect(before.head.size).toBe(52);
      await before.close();
      const after = (await list.load())!;
      expect([after.rowCount, after.pending.entries, after.head.size]).toEqual([60, 0, 61]);
      const leaves: Uint8Array[] = [];
      for await (const piece of after.leafHashes()) leaves.push(piece);
      expect(Buffer.concat(leaves)).toHaveLength(61 * 32);
      await after.close();
      await list.scrub();
    });

    it('forgets an aborted rebuild', async () => {
      await using store = await place.open();
      const list = store.list(ORIGIN);
      await rebuild(list, 5);
      const writer = await list.beginRebuild({ hashBytes: 32, bucketBits: 0, rowCount: 9 });
      await expect(list.beginRebuild({ hashBytes: 32, bucketBits: 0, rowCount: 9 })).rejects.toMatchObject({
        code: 'USAGE',
      });
      await writer.abort();
      await expect(writer.commit(head(9))).rejects.toMatchObject({ code: 'USAGE' });
      await rebuild(list, 6);
      expect((await snapshot(store))?.head.size).toBe(6);
    });

    it('refuses to swap in a base that misses what was committed meanwhile', async () => {
      await using store = await place.open();
      const list = store.list(ORIGIN);
      await rebuild(list, 5, 0);
      const writer = await list.beginRebuild({ hashBytes: 32, bucketBits: 0, rowCount: 0 });
      await list.commitDelta({ bundles: [bundle(5, 1)], newHead: head(6) });
      await expect(writer.commit(head(5))).rejects.toMatchObject({ code: 'OLD_SIZE_MISMATCH' });
      expect((await snapshot(store))?.head.size).toBe(6);
    });

    it('merges in the background and carries over what was committed meanwhile', async () => {
      {
        await using store = await place.open();
        const list = store.list(ORIGIN);
        await rebuild(list, 5, 0);
        await list.commitDelta({ bundles: [bundle(5, 1)], newHead: head(6) });
        const view = (await list.load())!;
        const options = { hashBytes: 32, bucketBits: 0, rowCount: 6, folds: view.sequence };
        const writer = await list.beginRebuild(options);
        await writer.addBucket(0, bucketed(6, 0)[0]!);
        await list.commitDelta({ bundles: [bundle(6, 2)], newHead: head(8) });
        await list.commitDelta({ bundles: [bundle(8, 1)], newHead: head(9) });
        await writer.commit(view.head);
        await view.close();
        await list.commitDelta({ bundles: [bundle(9, 1)], newHead: head(10) });
      }
      await using store = await place.open();
      const found = (await snapshot(store))!;
      expect(found.base).toEqual(head(6));
      expect(found.head).toEqual(head(10));
      expect(found.bundles).toEqual([bundle(6, 2), bundle(8, 1), bundle(9, 1)]);
      const view = (await store.list(ORIGIN).load())!;
      expect(view.rowCount).toBe(6);
      await view.close();
    });

    it('takes a delta that was asked for right behind the swap', async () => {
      await using store = await place.open();
      const list = store.list(ORIGIN);
      await rebuild(list, 5, 0);
      await list.commitDelta({ bundles: [bundle(5, 1)], newHead: head(6) });
      const view = (await list.load())!;
      const options = { hashBytes: 32, bucketBits: 0, rowCount: 0, folds: view.sequence };
      const writer = await list.beginRebuild(options);
      await Promise.all([
        list.commitDelta({ bundles: [bundle(6, 1)], newHead: head(7) }),
        writer.commit(view.head),
        list.commitDelta({ bundles: [bundle(7, 1)], newHead: head(8) }),
      ]);
      await view.close();
      const found = (await snapshot(store))!;
      expect(found.bundles).toEqual([bundle(6, 1), bundle(7, 1)]);
      expect(found.base).toEqual(head(6));
    });

    it('does not merge over another rebuild', async () => {
      await using store = await place.open();
      const list = store.list(ORIGIN);
      await rebuild(list, 5, 0);
      const options = { hashBytes: 32, bucketBits: 0, rowCount: 0 };
      const swapped = await list.beginRebuild(options);
      await swapped.commit(head(6));
      const late = await list.beginRebuild({ ...options, folds: 1 });
      await expect(late.commit(head(5))).rejects.toMatchObject({ code: 'OLD_SIZE_MISMATCH' });
      expect((await snapshot(store))?.head).toEqual(head(6));
    });

    it('refuses rows that are not canonical, out of order, miscounted or of another bucket', async () => {
      await using store = await place.open();
      const list = store.list(ORIGIN);
      const low = row(1, undefined, new Uint8Array(32).fill(1)).bytes;
      const high = row(2, undefined, new Uint8Array(32).fill(0x81)).bytes;
      const bad: [number, Uint8Array][] = [
        [1, low],
        [0, high],
        [0, low.subarray(0, 70)],
        [0, new Uint8Array(Buffer.concat([low, low]))],
      ];
      for (const [b, rows] of bad) {
        const writer = await list.beginRebuild({ hashBytes: 32, bucketBits: 1, rowCount: 1 });
        await expect(writer.addBucket(b, rows)).rejects.toMatchObject({ code: 'MALFORMED' });
        await writer.abort();
      }
      const writer = await list.beginRebuild({ hashBytes: 32, bucketBits: 1, rowCount: 2 });
      await writer.addBucket(0, low);
      await expect(writer.addBucket(0, low)).rejects.toMatchObject({ code: 'USAGE' });
      await expect(writer.commit(head(2))).rejects.toMatchObject({ code: 'USAGE' });
      await rebuild(list, 3);
    });

    it('keeps newer statements without a commit, and drops them at the next one', async () => {
      const [fresh, live] = [new Uint8Array([1]), new Uint8Array([2, 2])];
      {
        await using store = await place.open();
        await rebuild(store.list(ORIGIN), 3);
        await store.list(ORIGIN).putStatements(fresh, live);
      }
      await using store = await place.open();
      expect((await snapshot(store))?.head).toEqual({ ...head(3), freshness: fresh, liveness: live });
      await store.list(ORIGIN).commitDelta({ bundles: [], newHead: head(4) });
      expect((await snapshot(store))?.head).toEqual(head(4));
    });

    it('keeps lists apart and drops one', async () => {
      await using store = await place.open();
      await rebuild(store.list(ORIGIN), 3);
      const other = await store.list(OTHER).beginRebuild({ hashBytes: 16, bucketBits: 0, rowCount: 1 });
      await other.addBucket(0, row(1, undefined, hashOf(1, 16)).bytes);
      await other.commit(head(1));
      expect(await store.origins()).toEqual([OTHER, ORIGIN]);
      await store.list(OTHER).drop();
      expect(await store.origins()).toEqual([ORIGIN]);
      expect(await store.list(OTHER).load()).toBeUndefined();
      expect((await snapshot(store))?.head.size).toBe(3);
    });

    it('gives staged bundles back after a cut, until the rebuild that used them', async () => {
      {
        await using store = await place.open();
        const staged = await store.list(ORIGIN).staging();
        await staged.append([bundle(0, 3)]);
        await staged.append([bundle(3, 1), bundle(4, 2)]);
      }
      await using store = await place.open();
      const staged = await store.list(ORIGIN).staging();
      const found = [];
      for await (const each of staged.read()) found.push(each.firstIndex);
      expect(found).toEqual([0, 3, 4]);
      await rebuild(store.list(ORIGIN), 6);
      const again = await store.list(ORIGIN).staging();
      for await (const _ of again.read()) throw new Error('staging outlived its rebuild');
    });

    it('refuses names that are no origins', async () => {
      await using store = await place.open();
      const names = ['..', 'a/b', '../../etc/sha256/g1', 'A.example/known/sha256/g1', 'a/b/sha256/g01'];
      for (const each of names) expect(() => store.list(each)).toThrow(/origin/);
    });

    it('lets a reader follow a running writer, and lets only one write', async () => {
      await using store = await place.open();
      const list = store.list(ORIGIN);
      await rebuild(list, 30);
      await using reader = await place.open(true);
      expect((await snapshot(reader))?.head.size).toBe(30);
      await list.commitDelta({ bundles: [bundle(30, 2)], newHead: head(32) });
      expect((await snapshot(reader))?.head.size).toBe(32);
      await rebuild(list, 40);
      expect((await snapshot(reader))?.head.size).toBe(40);
      expect(() => reader.journal).toThrow(/reading only/);
      await expect(reader.list(ORIGIN).commitDelta({ bundles: [], newHead: head(1) })).rejects.toMatchObject({
        code: 'STORAGE_FAILED',
      });
      await expect(place.open()).rejects.toMatchObject({ message: 'another process holds the store' });
    });
  });
}

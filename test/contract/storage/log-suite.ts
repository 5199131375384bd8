/** The clauses of `LogStore` on staging, committing and reading, as tests. */
import { expect, it } from 'vitest';
import {
  consistencyProof,
  emptyRoot,
  inclusionProof,
  MAX_BUNDLE_BYTES,
  MIN_BUNDLE_BYTES,
  planConsistency,
  planInclusion,
  verifyConsistency,
  verifyInclusion,
} from '../../../sdk/core/index.js';
import type { Storage } from '../../../server/storage/index.js';
import {
  collect,
  concatBundles,
  grow,
  leafAt,
  leaves,
  ORIGIN,
  OTHER,
  pack,
  partOf,
  rootOf,
  stage,
  type TestClock,
  testSha,
} from '../../support/storage-fixtures.js';

export interface StorageFactory {
  /** A new, empty store; `reopen` is absent where a store lives in memory only. */
  readonly make: () => Promise<{
    storage: Storage;
    clock: TestClock;
    reopen?: () => Promise<Storage>;
    end: () => Promise<void>;
  }>;
}

export function logContract({ make }: StorageFactory): void {
  const use = (
    name: string,
    run: (storage: Storage, clock: TestClock, reopen?: () => Promise<Storage>) => Promise<void>,
  ): void => {
    it(name, async () => {
      const { storage, clock, reopen, end } = await make();
      try {
        await run(storage, clock, reopen);
      } finally {
        await end();
      }
    });
  };

  use('knows nothing of an origin without a commit', async (storage) => {
    expect(await storage.logs.head(ORIGIN)).toBeUndefined();
    await expect(collect(storage.logs.read(ORIGIN, { from: 0, to: 0 }))).rejects.toMatchObject({
      code: 'UNKNOWN_ORIGIN',
    });
    await expect(storage.logs.erase(ORIGIN, [0])).rejects.toMatchObject({ code: 'UNKNOWN_ORIGIN' });
    await expect(storage.logs.nodes(ORIGIN).node(0, 0)).rejects.toMatchObject({ code: 'UNKNOWN_ORIGIN' });
    await expect(storage.logs.stage(ORIGIN, '0'.repeat(32))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await collect(storage.logs.heads())).toEqual([]);
  });

  use('commits appends of many sizes and reads every range back', async (storage, _clock, reopen) => {
    const ends = [1, 2, 255, 256, 257, 511, 513, 1_024, 5_000];
    for (const end of ends) {
      await grow(storage, ORIGIN, end);
      const head = (await storage.logs.head(ORIGIN))!;
      expect(head.size).toBe(end);
      expect(Buffer.from(head.root)).toEqual(Buffer.from(rootOf(leaves(0, end))));
      expect(Buffer.from(head.note).toString()).toBe(`note ${end}`);
    }
    const check = async (store: Storage): Promise<void> => {
      for (const [from, to] of [
        [0, 5_000],
        [0, 0],
        [5_000, 5_000],
        [1, 2],
        [254, 514],
        [256, 257],
        [700, 4_999],
      ] as const) {
        const bundles = await collect(store.logs.read(ORIGIN, { from, to }));
        expect(Buffer.from(concatBundles(bundles, from)).equals(Buffer.from(pack(leaves(from, to))))).toBe(
          true,
        );
        const hashes = Buffer.from(
          concatBundles(await collect(store.logs.readLeafHashes(ORIGIN, { from, to })), from),
        );
        expect(hashes.equals(Buffer.from(testSha.hashLeaves(pack(leaves(from, to)), to - from)))).toBe(true);
      }
      expect(await store.check({ full: true })).toEqual({
        ok: true,
        problems: [],
        origins: 1,
        leaves: 5_000,
      });
    };
    await check(storage);
    if (reopen) await check(await reopen());
  });

  use('joins small bundles and keeps all within the wire limits', async (storage) => {
    for (let end = 100; end <= 2_000; end += 100) await grow(storage, ORIGIN, end);
    await grow(storage, ORIGIN, 20_000);
    const bundles = await collect(storage.logs.read(ORIGIN, { from: 50, to: 20_000 }));
    expect(bundles.length).toBeLessThan(15);
    for (const { bytes } of bundles) expect(bytes.length).toBeLessThanOrEqual(MAX_BUNDLE_BYTES);
    for (const { bytes } of bundles.slice(0, -1))
      expect(bytes.length).toBeGreaterThanOrEqual(MIN_BUNDLE_BYTES);
  });

  use('gives nodes from which all proofs verify', async (storage) => {
    for (const end of [3, 200, 256, 300, 66_000]) await grow(storage, ORIGIN, end);
    const all = testSha.hashLeaves(pack(leaves(0, 66_000)), 66_000);
    const head = (await storage.logs.head(ORIGIN))!;
    for (const size of [1, 2, 255, 256, 257, 300, 65_536, 65_537, 66_000]) {
      const nodes = storage.logs.nodes(ORIGIN);
      const fromRoot = rootOf(leaves(0, size));
      const plan = planConsistency(size, head.size);
      const proof = consistencyProof(testSha, size, head.size, await nodes.load(plan));
      verifyConsistency(testSha, { from: size, fromRoot, to: head.size, toRoot: head.root, proof });
      for (const index of [0, size - 1, size >> 1]) {
        const path = inclusionProof(testSha, index, size, await nodes.load(planInclusion(index, size)));
        const leafHash = all.subarray(index * 32, index * 32 + 32);
        verifyInclusion(testSha, { leafHash, index, size, proof: path, root: fromRoot });
      }
    }
    await expect(storage.logs.nodes(ORIGIN).node(0, 66_000)).rejects.toMatchObject({ code: 'SIZE_AHEAD' });
    await expect(storage.logs.nodes(ORIGIN).node(17, 0)).rejects.toMatchObject({ code: 'SIZE_AHEAD' });
    await expect(storage.logs.nodes(ORIGIN).node(9, 128)).rejects.toMatchObject({ code: 'SIZE_AHEAD' });
  });

  use('shows a staged segment to nobody before its commit', async (storage) => {
    const segment = await stage(storage, ORIGIN, 0, 300);
    expect(segment).toMatchObject({ origin: ORIGIN, from: 0, to: 300 });
    expect(Buffer.from(segment.fromRoot)).toEqual(Buffer.from(emptyRoot(testSha)));
    expect(Buffer.from(segment.digest)).toEqual(Buffer.from(testSha.digest(pack(leaves(0, 300)))));
    expect(await storage.logs.head(ORIGIN)).toBeUndefined();
    const bundles = await collect(storage.logs.readSegment(segment.id));
    expect(Buffer.from(concatBundles(bundles, 0)).equals(Buffer.from(pack(leaves(0, 300))))).toBe(true);
    expect(await storage.logs.segment(segment.id)).toEqual(segment);
    await expect(collect(storage.logs.read(ORIGIN, { from: 0, to: 1 }))).rejects.toMatchObject({
      code: 'UNKNOWN_ORIGIN',
    });
  });

  use('lets one of several segments from one size commit, and tells the others', async (storage) => {
    await grow(storage, ORIGIN, 10);
    const [a, b, c] = await Promise.all([11, 12, 13].map((to) => stage(storage, ORIGIN, 10, to)));
    const results = await Promise.allSettled(
      [a!, b!, c!].map((segment) => storage.logs.commit([partOf(segment)])),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'OLD_SIZE_MISMATCH' });
    }
    expect((await storage.check({ full: true })).problems).toEqual([]);
  });

  use('commits several origins as a whole, or none of them', async (storage) => {
    const first = await stage(storage, ORIGIN, 0, 10);
    const second = await stage(storage, OTHER, 0, 20);
    const rival = await stage(storage, OTHER, 0, 30);
    await storage.logs.commit([partOf(rival)]);
    await expect(storage.logs.commit([partOf(first), partOf(second)])).rejects.toMatchObject({
      code: 'OLD_SIZE_MISMATCH',
    });
    expect(await storage.logs.head(ORIGIN)).toBeUndefined();
    const next = await stage(storage, OTHER, 30, 31);
    const heads = await storage.logs.commit([partOf(first), partOf(next)]);
    expect(heads.map(({ origin, size }) => [origin, size])).toEqual([
      [ORIGIN, 10],
      [OTHER, 31],
    ]);
    expect((await collect(storage.logs.heads())).map(({ origin }) => origin)).toEqual([OTHER, ORIGIN]);
  });

  use('chains segments staged one after the other, in one commit', async (storage) => {
    await grow(storage, ORIGIN, 250);
    const first = await stage(storage, ORIGIN, 250, 260);
    const second = await stage(storage, ORIGIN, 260, 600, first.id);
    await expect(storage.logs.commit([partOf(second)])).rejects.toMatchObject({ code: 'OLD_SIZE_MISMATCH' });
    await storage.logs.commit([partOf(second, first)]);
    expect(Buffer.from((await storage.logs.head(ORIGIN))!.root)).toEqual(Buffer.from(rootOf(leaves(0, 600))));
    await expect(storage.logs.commit([partOf(second, first)])).rejects.toMatchObject({
      code: 'OLD_SIZE_MISMATCH',
    });
    expect((await storage.check({ full: true })).problems).toEqual([]);
    await expect(storage.logs.stage(OTHER, first.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  use('refuses a fork: a segment over another prefix of the same size', async (storage) => {
    const mine = await stage(storage, ORIGIN, 0, 10);
    const fork = await stage(storage, ORIGIN, 0, 10, undefined, 'fork');
    const onFork = await stage(storage, ORIGIN, 10, 12, fork.id);
    await storage.logs.commit([partOf(mine)]);
    await expect(storage.logs.commit([partOf(onFork)])).rejects.toMatchObject({ code: 'OLD_SIZE_MISMATCH' });
  });

  use('refuses ranges beyond the head and malformed leaves', async (storage) => {
    await grow(storage, ORIGIN, 10);
    await expect(collect(storage.logs.read(ORIGIN, { from: 0, to: 11 }))).rejects.toMatchObject({
      code: 'SIZE_AHEAD',
    });
    await expect(collect(storage.logs.read(ORIGIN, { from: 5, to: 4 }))).rejects.toMatchObject({
      code: 'MALFORMED',
    });
    await expect(collect(storage.logs.read(ORIGIN, { from: -1, to: 4 }))).rejects.toMatchObject({
      code: 'MALFORMED',
    });
    const stager = await storage.logs.stage(ORIGIN);
    await expect(stager.append(Uint8Array.of(0))).rejects.toMatchObject({ code: 'MALFORMED' });
    await expect(stager.append(Uint8Array.of(4, 1, 0))).rejects.toMatchObject({ code: 'MALFORMED' });
    await expect(stager.append(Uint8Array.of(0, 0, 1))).rejects.toMatchObject({ code: 'MALFORMED' });
    await expect(stager.finish()).rejects.toMatchObject({ code: 'MALFORMED' });
    await stager.append(pack([leafAt(10)]));
    await stager.finish();
    await expect(stager.append(pack([leafAt(11)]))).rejects.toMatchObject({ code: 'USAGE' });
  });

  use('stops reading when the signal aborts', async (storage) => {
    await grow(storage, ORIGIN, 20_000);
    const stop = new AbortController();
    const run = async (): Promise<void> => {
      for await (const _ of storage.logs.read(ORIGIN, { from: 0, to: 20_000, signal: stop.signal }))
        stop.abort();
    };
    await expect(run()).rejects.toMatchObject({ code: 'CANCELLED' });
  });
}

/** The clauses on commits, notes, erasing, prepared batches and sweeping, as tests. */
import { expect, it, vi } from 'vitest';
import type { Storage } from '../../../server/storage/index.js';
import {
  collect,
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
  utf8,
} from '../../support/storage-fixtures.js';
import type { StorageFactory } from './log-suite.js';

const DAY = 86_400_000;

export function stagingContract({ make }: StorageFactory): void {
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

  use('compares the root and size of a commit with what was staged', async (storage) => {
    const part = partOf(await stage(storage, ORIGIN, 0, 10));
    const root = rootOf(leaves(0, 9));
    await expect(storage.logs.commit([{ ...part, root }])).rejects.toMatchObject({ code: 'ROOT_MISMATCH' });
    await expect(storage.logs.commit([{ ...part, size: 9 }])).rejects.toMatchObject({
      code: 'ROOT_MISMATCH',
    });
    await expect(storage.logs.commit([part, part])).rejects.toMatchObject({ code: 'MALFORMED' });
    await expect(storage.logs.commit([{ ...part, origin: OTHER }])).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await expect(storage.logs.commit([{ ...part, segments: ['f'.repeat(32)] }])).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(await storage.logs.head(ORIGIN)).toBeUndefined();
  });

  use('puts documents with a commit, or neither', async (storage) => {
    const part = partOf(await stage(storage, ORIGIN, 0, 10));
    const document = {
      kind: 'idempotency',
      name: 'digest',
      version: 1,
      bytes: utf8('answer'),
    } as const;
    await expect(storage.logs.commit([part], [{ ...document, version: 2 }])).rejects.toMatchObject({
      code: 'OLD_SIZE_MISMATCH',
    });
    expect(await storage.logs.head(ORIGIN)).toBeUndefined();
    await storage.logs.commit([part], [document]);
    expect(Buffer.from((await storage.documents.get('idempotency', 'digest'))!.bytes).toString()).toBe(
      'answer',
    );
  });

  use('replaces notes of the same size by revision', async (storage) => {
    await grow(storage, ORIGIN, 10);
    const head = (await storage.logs.head(ORIGIN))!;
    const merged = (await storage.logs.replaceNotes(head, { note: utf8('merged') }))!;
    expect(merged).toMatchObject({ size: 10, revision: head.revision + 1 });
    expect(await storage.logs.replaceNotes(head, { note: utf8('late') })).toBeUndefined();
    const stored = (await storage.logs.head(ORIGIN))!;
    expect(Buffer.from(stored.note).toString()).toBe('merged');
    expect(Buffer.from(stored.state).toString()).toBe('state 10');
  });

  use('erases in place, keeps roots, and serves the hash instead', async (storage, _clock, reopen) => {
    await grow(storage, ORIGIN, 3_000);
    await grow(storage, ORIGIN, 3_500);
    const before = (await storage.logs.head(ORIGIN))!;
    expect(await storage.logs.erase(ORIGIN, [0, 1_500, 2_999, 3_000, 3_499])).toBe(5);
    expect(await storage.logs.erase(ORIGIN, [1_500, 1_501])).toBe(1);
    await expect(storage.logs.erase(ORIGIN, [3_500])).rejects.toMatchObject({ code: 'SIZE_AHEAD' });
    const check = async (store: Storage): Promise<void> => {
      const [bundle] = await collect(store.logs.read(ORIGIN, { from: 1_500, to: 1_503 }));
      const hashes = testSha.hashLeaves(pack(leaves(1_500, 1_502)), 2);
      const erased = [Uint8Array.of(0, 0), hashes.subarray(0, 32), Uint8Array.of(0, 0), hashes.subarray(32)];
      expect(Buffer.from(bundle!.bytes).equals(Buffer.concat([...erased, pack([leafAt(1_502)])]))).toBe(true);
      expect(await store.logs.head(ORIGIN)).toEqual(before);
      expect((await store.check({ full: true })).problems).toEqual([]);
    };
    await check(storage);
    if (reopen) await check(await reopen());
  });

  use('takes erased leaves when staging, as mirrors receive them', async (storage) => {
    const stager = await storage.logs.stage(ORIGIN);
    const hash = testSha.hashLeaves(pack([leafAt(0)]), 1);
    await stager.append(Buffer.concat([Uint8Array.of(0, 0), hash, pack([leafAt(1)])]));
    expect(Buffer.from((await stager.finish()).root)).toEqual(Buffer.from(rootOf(leaves(0, 2))));
  });

  use('keeps prepared batches until a commit passes them', async (storage, clock) => {
    const winner = await stage(storage, ORIGIN, 0, 10);
    const loser = await stage(storage, ORIGIN, 0, 11);
    const other = await stage(storage, OTHER, 0, 5);
    const batch = await storage.prepared.put([loser.id, other.id], utf8('body'));
    const kept = await storage.prepared.put([winner.id], utf8('kept'));
    expect(await storage.prepared.get(batch.id)).toEqual(batch);
    expect(await storage.prepared.hide(batch.id)).toBe(true);
    expect((await storage.prepared.get(batch.id))!.hidden).toBe(true);
    expect(await storage.prepared.hide('f'.repeat(32))).toBe(false);
    await expect(storage.prepared.put(['f'.repeat(32)], utf8(''))).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await expect(storage.prepared.put([winner.id, loser.id], utf8(''))).rejects.toMatchObject({
      code: 'MALFORMED',
    });
    expect(await storage.prepared.sweep()).toBe(0);
    await storage.logs.commit([partOf(winner)]);
    expect(await storage.prepared.sweep()).toBe(1);
    expect(await storage.prepared.get(batch.id)).toBeUndefined();
    expect(await storage.prepared.get(kept.id)).toEqual(kept);
    expect(await storage.logs.segment(loser.id)).toBeUndefined();
    expect(await storage.logs.segment(other.id)).toBeDefined();
    clock.ms += 31 * DAY;
    expect(await storage.prepared.sweep()).toBe(1);
    expect((await storage.prepared.list()).items).toEqual([]);
    expect(await storage.logs.segment(winner.id)).toBeDefined();
    expect((await storage.check({ full: true })).problems).toEqual([]);
  });

  use('gives aborted and forgotten uploads back', async (storage, clock) => {
    const aborted = await storage.logs.stage(ORIGIN);
    await aborted.append(pack(leaves(0, 10)));
    const { id } = await aborted.finish();
    await aborted.abort();
    expect(await storage.logs.segment(id)).toBeUndefined();
    const forgotten = await storage.logs.stage(ORIGIN);
    for (let at = 0; at < 150_000; at += 50_000) await forgotten.append(pack(leaves(at, at + 50_000)));
    await forgotten.append(pack(leaves(150_000, 150_001)));
    clock.ms += 2 * DAY;
    // The first write runs beside the caller.
    await vi.waitFor(async () => expect(await storage.prepared.sweep()).toBe(1), 10_000);
    await forgotten.append(pack(leaves(0, 10)));
    await expect(forgotten.finish()).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const committed = await storage.logs.stage(ORIGIN);
    await committed.append(pack(leaves(0, 10)));
    await storage.logs.commit([partOf(await committed.finish())]);
    await committed.abort();
    expect((await storage.check({ full: true })).problems).toEqual([]);
    expect((await storage.logs.head(ORIGIN))!.size).toBe(10);
  });
}

import { createHash } from 'node:crypto';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { keyFromCallback, openStore } from '../../../sdk/store/index.js';
import { clock, contents, random } from '../../contract/store/support.js';

const ORIGIN = 'police.example/known/sha256/g1';
const digest = (text: string) => new Uint8Array(createHash('sha256').update(text).digest());
const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString();

/** Opening writes (a mark, the ledger's own files): the fixture itself is never opened. */
async function withCopy(version: string, work: (dir: string) => Promise<void>): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'hashfed-fixture-'));
  try {
    await cp(resolve('test/fixtures/store', version), join(scratch, 'store'), { recursive: true });
    await work(join(scratch, 'store'));
  } finally {
    await rm(scratch, { recursive: true });
  }
}

describe('the committed store of format 1', () => {
  it('loads, whole', async () => {
    await withCopy('v1', async (dir) => {
      const key = keyFromCallback(() => digest('fixture store key'));
      await using store = await openStore({ dir, key, clock, random });
      await store.list(ORIGIN).scrub();
      const list = (await store.list(ORIGIN).load())!;
      const all = await contents(list);
      expect([list.rowCount, all.head.size, all.base.size, all.sequence]).toEqual([20, 21, 20, 2]);
      expect(text(all.head.freshness)).toBe('newer freshness');
      expect(all.head.root).toEqual(digest('root 21'));
      expect(all.bundles.map((each) => text(each.bytes))).toEqual(['\x00\x04leaf']);
      expect(all.keys).toContain(Buffer.from(digest('hash 7')).toString('hex'));
      expect(createHash('sha256').update(all.rows).digest('hex')).toMatchInlineSnapshot(
        `"74142f72310d1c7a24e24219b721830311426b98a50a1b791d3c523d6d054123"`,
      );
      await list.close();
    });
  });

  it('gives back journal, counters, spool, settings and documents, and can be written', async () => {
    await withCopy('v1', async (dir) => {
      const key = keyFromCallback(() => digest('fixture store key'));
      await using store = await openStore({ dir, key, clock, random });
      const [held] = await store.journal.byState('held');
      expect(held).toMatchObject({ ref: 'object 0', drill: true, action: 'hold', addIndex: 0, size: 21 });
      expect((await store.journal.byState('released')).map((each) => each.ref)).toEqual(['object 1']);
      expect(await store.journal.history()).toHaveLength(4);
      const [report] = await store.spool.list('queued');
      expect(text(report!.bytes)).toBe('1 5');
      const counted = await store.counters.read('2026-06-02');
      expect([...counted.counts, ...counted.distinct]).toEqual([
        ['objects', 6],
        ['items', 1],
      ]);
      expect(text(await store.settings.get('cursor'))).toBe('17');
      expect(text((await store.documents.latest('root', 'police.example'))?.bytes)).toBe('root document');
      await store.settings.put('cursor', Uint8Array.of(1));
    });
  });
});

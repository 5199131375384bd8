import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { entry, ORIGIN, OTHER, type Place } from './support.js';

const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest());

/** What every database under the ledger must give. */
export function ledgerSuite(name: string, makePlace: () => Promise<Place>): void {
  describe(`ledger on ${name}`, () => {
    let place: Place;
    beforeEach(async () => {
      place = await makePlace();
    });
    afterEach(() => place.remove());

    it('journals matches and finds them by everything that asks for them', async () => {
      {
        await using store = await place.open();
        const added = await store.journal.add([
          entry(1),
          entry(2, { action: 'hold', drill: true }),
          entry(3),
        ]);
        expect(added.map((each) => each.state)).toEqual(['blocked', 'held', 'blocked']);
      }
      await using store = await place.open();
      const { journal } = store;
      const [found] = await journal.byRef('object-2');
      expect(found).toMatchObject({ ...entry(2, { action: 'hold', drill: true }), state: 'held' });
      expect(await journal.get(found!.id)).toEqual(found);
      expect(await journal.byRecord(ORIGIN, 2)).toEqual([found]);
      expect(await journal.byItem(entry(2).itemId)).toEqual([found]);
      expect(await journal.byState('blocked')).toHaveLength(2);
      expect(await journal.byRecord(OTHER, 2)).toEqual([]);
    });

    it('pages through a state', async () => {
      await using store = await place.open();
      await store.journal.add(Array.from({ length: 10 }, (_, i) => entry(i)));
      const first = await store.journal.byState('blocked', { limit: 4 });
      const rest = await store.journal.byState('blocked', { after: first.at(-1)!.id });
      const ids = [...first, ...rest].map((each) => each.id);
      expect(ids).toEqual([...new Set(ids)].sort());
      expect(ids).toHaveLength(10);
    });

    it('does not quarantine twice for one record, in one batch or two', async () => {
      await using store = await place.open();
      const [a, b] = await store.journal.add([entry(1), entry(1)]);
      const [c] = await store.journal.add([entry(1)]);
      expect([b!.id, c!.id]).toEqual([a!.id, a!.id]);
      expect(await store.journal.history()).toHaveLength(1);
      await store.journal.release(ORIGIN, [1], 'withdrawn');
      const [again] = await store.journal.add([entry(1)]);
      expect(again!.id).not.toBe(a!.id);
    });

    it('releases what a withdrawn record caused, once, and nothing else', async () => {
      await using store = await place.open();
      const { journal } = store;
      await journal.add([entry(1), entry(2), entry(1, { ref: 'copy' }), entry(1, { origin: OTHER })]);
      const released = await journal.release(ORIGIN, [1, 99], 'withdrawn');
      expect(released.map((each) => each.ref).sort()).toEqual(['copy', 'object-1']);
      expect(await journal.release(ORIGIN, [1, 99], 'withdrawn')).toEqual([]);
      expect((await journal.byState('blocked')).map((each) => each.origin).sort()).toEqual([OTHER, ORIGIN]);
      expect(await journal.byState('released')).toHaveLength(2);
    });

    it('moves only along the permitted ways and keeps every change', async () => {
      await using store = await place.open();
      const { journal } = store;
      const [one] = await journal.add([entry(1)]);
      const id = one!.id;
      expect(await journal.move([id, 'absent'], 'handed-over', 'operator')).toHaveLength(1);
      expect(await journal.move([id], 'held', 'operator')).toEqual([]);
      expect(await journal.release(ORIGIN, [1], 'withdrawn')).toEqual([]);
      expect(await journal.move([id], 'deleted', 'retention')).toHaveLength(1);
      expect(await journal.move([id], 'released', 'late')).toEqual([]);
      await journal.add([entry(2)]);
      const states = (await journal.history(id)).map((change) => [change.state, change.cause]);
      expect(states).toEqual([
        ['blocked', 'match'],
        ['handed-over', 'operator'],
        ['deleted', 'retention'],
      ]);
      expect((await journal.history()).map((change) => change.sequence)).toEqual([1, 2, 3, 4]);
    });

    it('refuses malformed entries and enters nothing of their batch', async () => {
      await using store = await place.open();
      const bad = [{ ref: '' }, { itemId: new Uint8Array(15) }, { addIndex: -1 }, { action: 'allow' }];
      for (const overrides of bad) {
        await expect(store.journal.add([entry(1), entry(2, overrides)])).rejects.toMatchObject({
          code: 'MALFORMED',
        });
      }
      expect(await store.journal.history()).toEqual([]);
    });

    it('takes what readers left in the inbox, exactly once', async () => {
      await using store = await place.open();
      {
        await using reader = await place.open(true);
        await reader.inbox.put([entry(1), entry(2)]);
        await reader.inbox.put([entry(3)]);
        await reader.inbox.putSetting('suppressed', Uint8Array.of(1));
        await expect(reader.inbox.absorb()).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
      }
      expect(await store.inbox.absorb()).toBe(4);
      expect(await store.inbox.absorb()).toBe(0);
      expect(await store.settings.get('suppressed')).toEqual(Uint8Array.of(1));
      await store.inbox.putSetting('suppressed', undefined);
      expect(await store.inbox.absorb()).toBe(1);
      expect(await store.settings.names()).toEqual([]);
      expect((await store.journal.byState('blocked')).map((each) => each.ref).sort()).toEqual([
        'object-1',
        'object-2',
        'object-3',
      ]);
    });

    it('counts by window, durably once flushed', async () => {
      {
        await using store = await place.open();
        store.counters.add('2026-11-01', 'objects/block', 2);
        store.counters.add('2026-11-01', 'objects/block');
        store.counters.add('2026-11-02', 'objects/none', 10);
        for (const member of [1, 2, 1])
          store.counters.addDistinct('2026-11-01', 'items', Uint8Array.of(member));
        await store.counters.flush();
        store.counters.addDistinct('2026-11-01', 'items', Uint8Array.of(2));
        store.counters.addDistinct('2026-11-01', 'items', Uint8Array.of(3));
      }
      await using store = await place.open();
      const read = await store.counters.read('2026-11-01');
      expect([...read.counts]).toEqual([['objects/block', 3]]);
      expect([...read.distinct]).toEqual([['items', 3]]);
      expect(await store.counters.windows()).toEqual(['2026-11-01', '2026-11-02']);
    });

    it('reports a window exactly once, in a chain, byte for byte', async () => {
      await using store = await place.open();
      const { spool, counters } = store;
      counters.add('w1', 'objects', 7);
      counters.add('w2', 'objects', 1);
      const first = await spool.enqueue('w1', 0, ({ sequence }, counts) =>
        Uint8Array.of(sequence, counts.counts.get('objects')!),
      );
      expect(first).toMatchObject({ sequence: 1, previous: new Uint8Array(32), state: 'queued' });
      expect(first.bytes).toEqual(Uint8Array.of(1, 7));
      await expect(spool.enqueue('w1', 0, () => new Uint8Array(1))).rejects.toMatchObject({
        code: 'WINDOW_OVERLAP',
      });
      expect((await counters.read('w1')).counts.size).toBe(0);
      const second = await spool.enqueue('w2', 0, async () => Uint8Array.of(9));
      expect(second).toMatchObject({ sequence: 2, previous: sha256(first.bytes) });
      expect(await spool.next()).toEqual({ sequence: 3, previous: sha256(second.bytes) });
    });

    it('leaves counts and chain alone when the report cannot be built', async () => {
      await using store = await place.open();
      store.counters.add('w1', 'objects', 7);
      const refuse = () => Promise.reject(new Error('no signing key'));
      await expect(store.spool.enqueue('w1', 0, refuse)).rejects.toMatchObject({ code: 'INTERNAL' });
      expect(await store.spool.list()).toEqual([]);
      const report = await store.spool.enqueue('w1', 0, (slot, { counts }) =>
        Uint8Array.of(slot.sequence, counts.get('objects') ?? 0),
      );
      expect(report.bytes).toEqual(Uint8Array.of(1, 7));
    });

    it('keeps a report until server and monitor have answered, across reopening', async () => {
      let id = '';
      {
        await using store = await place.open();
        id = (await store.spool.enqueue('w1', 0, () => Uint8Array.of(1))).id;
        await store.spool.markSent(id);
      }
      await using store = await place.open();
      const { spool } = store;
      expect((await spool.list('sent')).map((each) => each.id)).toEqual([id]);
      await spool.putReceipt(id, Uint8Array.of(5));
      await spool.markSent(id);
      expect(await spool.get(id)).toMatchObject({ state: 'receipted', receipt: Uint8Array.of(5) });
      await expect(spool.remove(id)).rejects.toMatchObject({ code: 'USAGE' });
      await spool.putMonitorReceipt(id, Uint8Array.of(6));
      await spool.remove(id);
      expect(await spool.list()).toEqual([]);
      expect((await spool.next()).sequence).toBe(2);
      await expect(spool.markSent(id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    it('keeps settings and versioned documents', async () => {
      {
        await using store = await place.open();
        await store.settings.put('cursor', Uint8Array.of(1));
        await store.settings.put('gone', Uint8Array.of(1));
        await store.settings.remove('gone');
        await store.documents.put('root', 'police.example', 1, Uint8Array.of(1));
        await store.documents.put('root', 'police.example', 2, Uint8Array.of(2));
        await store.documents.put('root', 'police.example', 2, Uint8Array.of(2));
        const other = store.documents.put('root', 'police.example', 2, Uint8Array.of(3));
        await expect(other).rejects.toMatchObject({ code: 'EQUIVOCATION' });
      }
      await using store = await place.open();
      expect(await store.settings.get('cursor')).toEqual(Uint8Array.of(1));
      expect(await store.settings.get('gone')).toBeUndefined();
      expect(await store.documents.versions('root', 'police.example')).toEqual([1, 2]);
      expect(await store.documents.latest('root', 'hotline.example')).toBeUndefined();
      await using reader = await place.open(true);
      expect(await reader.documents.latest('root', 'police.example')).toMatchObject({ version: 2 });
      expect(await reader.settings.get('cursor')).toEqual(Uint8Array.of(1));
      await expect(reader.settings.put('cursor', Uint8Array.of(9))).rejects.toMatchObject({
        code: 'STORAGE_FAILED',
      });
      await store.settings.put('later', Uint8Array.of(2));
      expect(await reader.settings.names()).toEqual(['cursor', 'later']);
    });

    it('says whether the writer before closed', async () => {
      {
        await using store = await place.open();
        expect(store.unclean).toBe(false);
      }
      await using store = await place.open();
      expect(store.unclean).toBe(false);
    });
  });
}

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { COUNTER_FLUSH_MS, MemoryDisk, memoryDatabase } from '../../../sdk/store/index.js';
import { placeOn } from '../../contract/store/support.js';

describe('the write-behind of the counters', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('makes counts durable within its second, without being asked', async () => {
    const content = new Map<string, Uint8Array>();
    const disk = new MemoryDisk();
    const store = await placeOn('/store', disk, memoryDatabase(content)).open();
    store.counters.add('w', 'objects', 2);
    store.counters.add('w', 'objects', 3);
    const crashed = async () => {
      const place = placeOn('/store', disk.powerCut(), memoryDatabase(new Map(content)));
      await using after = await place.open();
      return [...(await after.counters.read('w')).counts];
    };
    await vi.advanceTimersByTimeAsync(COUNTER_FLUSH_MS - 1);
    expect(await crashed()).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(await crashed()).toEqual([['objects', 5]]);
    await store.close();
    expect(await crashed()).toEqual([['objects', 5]]);
  });

  it('never throws into matching, and says later that the store is broken', async () => {
    const broken = memoryDatabase();
    const store = await placeOn('/store', new MemoryDisk(), async (path, create) => {
      const database = await broken(path, create);
      let writes = 0;
      const write: typeof database.write = async (ops) => {
        writes += 1;
        if (writes > 1) throw new Error('no');
        await database.write(ops);
      };
      return { ...database, write };
    }).open();
    store.counters.add('w', 'objects');
    await expect(store.counters.flush()).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    store.counters.add('w', 'objects');
    await vi.advanceTimersByTimeAsync(COUNTER_FLUSH_MS);
    await expect(store.counters.flush()).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await store.close();
  });
});

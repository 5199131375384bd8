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

describe('counts that a reader hands over', () => {
  const handOver = async (place: ReturnType<typeof placeOn>) => {
    await (await place.open()).close();
    const reader = await place.open(true);
    reader.counters.add('w', 'objects', 2);
    reader.counters.addDistinct('w', 'items', Uint8Array.of(1));
    reader.counters.addDistinct('w', 'items', Uint8Array.of(1));
    await expect(reader.counters.read('w')).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await reader.close();
  };

  it('are merged once, also where the process dies before it removes the file', async () => {
    const disk = new MemoryDisk();
    const content = new Map<string, Uint8Array>();
    await handOver(placeOn('/store', disk, memoryDatabase(content)));
    let failing = true;
    const remove = async (path: string) => {
      if (failing && path.endsWith('.in')) throw new Error('killed');
      await disk.remove(path);
    };
    const dying = await placeOn('/store', bound({ remove }, disk), memoryDatabase(content)).open();
    await expect(dying.inbox.absorb()).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await dying.close();
    failing = false;
    await using after = await placeOn('/store', disk, memoryDatabase(content)).open();
    expect(await after.inbox.absorb()).toBe(1);
    expect(await after.inbox.absorb()).toBe(0);
    const { counts, distinct } = await after.counters.read('w');
    expect([[...counts], [...distinct]]).toEqual([[['objects', 2]], [['items', 1]]]);
  });

  it('are merged once by two calls at the same time', async () => {
    const place = placeOn('/store', new MemoryDisk(), memoryDatabase());
    await handOver(place);
    await using store = await place.open();
    expect(await Promise.all([store.inbox.absorb(), store.inbox.absorb()])).toEqual([1, 0]);
    expect((await store.counters.read('w')).counts.get('objects')).toBe(2);
  });
});

/** The disk's own methods, but for what `over` has of its own. */
function bound(over: object, disk: MemoryDisk): MemoryDisk {
  return new Proxy(disk, {
    get: (target, name) => {
      const own = Object.hasOwn(over, name) ? Reflect.get(over, name) : Reflect.get(target, name);
      return typeof own === 'function' ? own.bind(target) : own;
    },
  });
}

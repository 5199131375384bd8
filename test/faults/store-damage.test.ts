import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryDisk, memoryDatabase, type Store } from '../../sdk/store/index.js';
import {
  bundle,
  entry,
  head,
  ORIGIN,
  type Place,
  placeOn,
  rebuild,
  snapshot,
} from '../contract/store/support.js';

const DIR = '/store';
const refused = { code: expect.stringMatching(/^(STORAGE_FAILED|UPGRADE_REQUIRED)$/) };

let disk: MemoryDisk;
let content: Map<string, Uint8Array>;
let place: Place;

async function use(work: (store: Store) => Promise<unknown>): Promise<void> {
  await using store = await place.open();
  await work(store);
}

/** Opens and reads everything there is to read. */
const readAll = () =>
  use(async (store) => {
    await store.list(ORIGIN).scrub();
    expect((await snapshot(store))?.head.size).toBe(102);
    expect(await store.documents.latest('root', 'police.example')).toMatchObject({ version: 2 });
    expect(await store.journal.byState('blocked')).toHaveLength(3);
    expect(await store.settings.get('cursor')).toEqual(Uint8Array.of(1));
  });

/** The bytes of every file and database value, to be put back. */
const copy = () => {
  const files = new Map([...disk.contents()].map(([path, bytes]) => [path, bytes.slice()]));
  return { files, values: new Map(content) };
};

function restore(path: string, bytes: Uint8Array): void {
  disk.plant(path, bytes);
}

beforeEach(async () => {
  disk = new MemoryDisk();
  content = new Map();
  place = placeOn(DIR, disk, memoryDatabase(content));
  await use(async (store) => {
    await rebuild(store.list(ORIGIN), 100, 2);
    await store.list(ORIGIN).commitDelta({ bundles: [bundle(100, 1)], newHead: head(101) });
    await store.list(ORIGIN).commitDelta({ bundles: [bundle(101, 1)], newHead: head(102) });
    await store.documents.put('root', 'police.example', 1, Uint8Array.of(1));
    await store.documents.put('root', 'police.example', 2, Uint8Array.of(2));
    await store.journal.add([entry(1), entry(2), entry(3)]);
    await store.settings.put('cursor', Uint8Array.of(1));
  });
});

describe('a damaged store', () => {
  it('reads well undamaged', readAll);

  it('refuses one flipped bit, wherever it is', async () => {
    const good = copy();
    let flips = 0;
    for (const [path, bytes] of good.files) {
      if (path.endsWith('-00000000000001')) continue;
      const step = Math.max(1, Math.floor(bytes.length / 40));
      for (let at = 0; at < bytes.length; at += step) {
        const bad = bytes.slice();
        bad[at]! ^= 1 << (at & 7);
        restore(path, bad);
        await expect(readAll(), `${path} at ${at}`).rejects.toMatchObject(refused);
        flips += 1;
      }
      restore(path, bytes);
    }
    expect(flips).toBeGreaterThan(200);
    await readAll();
  });

  it('refuses a file cut anywhere', async () => {
    const good = copy();
    for (const [path, bytes] of good.files) {
      if (path.endsWith('-00000000000001')) continue;
      for (const length of [0, 1, 40, bytes.length >> 1, bytes.length - 1]) {
        if (length >= bytes.length) continue;
        restore(path, bytes.subarray(0, length));
        await expect(readAll(), `${path} cut to ${length}`).rejects.toMatchObject(refused);
      }
      restore(path, bytes);
    }
    await readAll();
  });

  it('refuses when a file is gone', async () => {
    for (const [path, bytes] of copy().files) {
      if (path.endsWith('-00000000000001')) continue;
      await disk.remove(path);
      await expect(readAll(), path).rejects.toMatchObject(refused);
      restore(path, bytes);
    }
    await readAll();
  });

  it('refuses database values that were lost, changed, swapped or added', async () => {
    const values = [...content];
    for (const [i, [key, value]] of values.entries()) {
      const put = (bytes: Uint8Array | undefined) =>
        bytes === undefined ? content.delete(key) : content.set(key, bytes);
      const flipped = value.length === 0 ? Uint8Array.of(1) : value.slice();
      flipped[flipped.length - 1]! ^= 1;
      for (const bad of [undefined, flipped, values[(i + 1) % values.length]![1]]) {
        if (bad !== undefined && Buffer.compare(bad, value) === 0) continue;
        put(bad);
        await expect(readAll(), `value ${i}`).rejects.toMatchObject(refused);
      }
      put(value);
    }
    content.set('je!added', values[0]![1]);
    await expect(readAll()).rejects.toMatchObject(refused);
    content.delete('je!added');
    await readAll();
  });

  it('goes on without damaged statements', async () => {
    await use((store) => store.list(ORIGIN).putStatements(Uint8Array.of(1), Uint8Array.of(2)));
    const path = [...disk.contents().keys()].find((each) => each.endsWith('/statements'))!;
    disk.plant(path, new Uint8Array(100));
    await use(async (store) => expect((await snapshot(store))?.head).toEqual(head(102)));
  });

  it('lets a damaged list be rebuilt', async () => {
    for (const name of ['head', 'rows.col', 'deltas.log']) {
      const path = [...disk.contents().keys()].find((each) => each.endsWith(`/${name}`))!;
      disk.plant(path, new Uint8Array(64));
      await use(async (store) => {
        await expect(store.list(ORIGIN).load()).rejects.toMatchObject(refused);
        await rebuild(store.list(ORIGIN), 7, 1);
        expect((await snapshot(store))?.head.size).toBe(7);
      });
      await use(async (store) => expect((await snapshot(store))?.head.size).toBe(7));
    }
  });
});

describe('a store put back to what it was', () => {
  const inList = (path: string) => path.startsWith(`${DIR}/lists/`);

  it('refuses an older list, delta by delta and as a whole', async () => {
    const before = copy();
    await use((store) => store.list(ORIGIN).commitDelta({ bundles: [], newHead: head(103) }));
    for (const [path, bytes] of before.files) if (inList(path)) restore(path, bytes);
    await use((store) => expect(store.list(ORIGIN).load()).rejects.toThrow(/rolled back/));
  });

  it('refuses an older head with its own base', async () => {
    const before = copy();
    await use((store) => rebuild(store.list(ORIGIN), 110, 2));
    const heads = [...before.files].filter(([path]) => path.endsWith('/head'));
    for (const [path, bytes] of heads) restore(path, bytes);
    await use((store) => expect(store.list(ORIGIN).load()).rejects.toMatchObject(refused));
    for (const [path, bytes] of before.files) if (inList(path)) restore(path, bytes);
    await use((store) => expect(store.list(ORIGIN).load()).rejects.toThrow(/rolled back/));
  });

  it('refuses an older database, an emptied one, and an older store head', async () => {
    const before = copy();
    await use((store) => store.journal.release(ORIGIN, [1], 'withdrawn'));
    await use((store) => store.journal.release(ORIGIN, [2], 'withdrawn'));
    const after = copy();
    content.clear();
    await expect(place.open()).rejects.toMatchObject(refused);
    for (const [key, value] of before.values) content.set(key, value);
    await expect(place.open()).rejects.toMatchObject(refused);
    content.clear();
    for (const [key, value] of after.values) content.set(key, value);
    restore(`${DIR}/store.head`, before.files.get(`${DIR}/store.head`)!);
    await expect(place.open()).rejects.toMatchObject(refused);
    restore(`${DIR}/store.head`, after.files.get(`${DIR}/store.head`)!);
    await use(async (store) => expect(await store.journal.byState('released')).toHaveLength(2));
  });
});

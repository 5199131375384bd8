import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeDisk, openLevel, type Store } from '../../sdk/store/index.js';
import {
  entry,
  hashOf,
  head,
  ORIGIN,
  type Place,
  placeOn,
  rebuild,
  snapshot,
} from '../contract/store/support.js';

// The child is plain Node and runs what the build made; `npm test` builds first.
const MODULE = pathToFileURL(resolve('dist/sdk/store/index.js')).href;
const CHILD = resolve('test/contract/store/child.mjs');
const refused = { code: expect.stringMatching(/^(STORAGE_FAILED|UPGRADE_REQUIRED)$/) };

let scratch: string;
let place: Place;

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hashfed-kill-'));
  place = placeOn(join(scratch, 'store'), nodeDisk, openLevel);
});
afterEach(() => rm(scratch, { recursive: true }));

/** Lets the child work until it has acknowledged `steps` lines, then kills it; answers the last of each kind. */
async function runAndKill(steps: number, delayMs: number): Promise<{ list: number; journal: number }> {
  const child = spawn(process.execPath, [CHILD, MODULE, place.dir], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  let killed = false;
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
    if (killed || text.split('\n').length <= steps) return;
    killed = true;
    setTimeout(() => child.kill('SIGKILL'), delayMs);
  });
  const [code] = await once(child, 'close');
  expect(code, text).toBeNull();
  const last = (kind: string) => Number(text.match(new RegExp(`${kind} (\\d+)(?!.*${kind})`, 's'))?.[1] ?? 0);
  return { list: Math.max(last('list'), last('opened')), journal: last('journal') };
}

async function use(work: (store: Store) => Promise<unknown>): Promise<void> {
  await using store = await place.open();
  await work(store);
}

describe('a writer that is killed', () => {
  it('has lost nothing that it acknowledged, ten times over', async () => {
    for (let round = 0; round < 10; round++) {
      const acknowledged = await runAndKill(1 + round * 2, round % 4);
      await using store = await place.open();
      expect(store.unclean).toBe(true);
      await store.list(ORIGIN).scrub();
      const size = (await snapshot(store))?.head.size ?? 0;
      expect(size).toBeGreaterThanOrEqual(acknowledged.list);
      expect(size).toBeLessThanOrEqual(acknowledged.list + 1);
      const journaled = await store.journal.byState('blocked');
      const newest = Math.max(0, ...journaled.map((each) => each.addIndex));
      expect(newest).toBeGreaterThanOrEqual(acknowledged.journal);
    }
  });
});

describe('a reader in another process than the writer', () => {
  it('always loads a whole list that never goes back', async () => {
    await use(async () => {});
    const child = spawn(process.execPath, [CHILD, MODULE, place.dir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const closed = once(child, 'close');
    await once(child.stdout, 'data');
    child.stdout.resume();
    try {
      await using reader = await place.open(true);
      let newest = 0;
      let moves = 0;
      for (let i = 0; i < 20_000 && moves < 25; i++) {
        const found = await snapshot(reader);
        const size = found?.head.size ?? 0;
        expect(size).toBeGreaterThanOrEqual(newest);
        expect(found?.bundles.length ?? 0).toBe(size === 0 ? 0 : size - found!.base.size);
        if (size > newest) moves += 1;
        else await new Promise((done) => setTimeout(done, 2));
        newest = size;
      }
      expect(moves).toBe(25);
      await expect(place.open()).rejects.toMatchObject({ message: 'another process holds the store' });
    } finally {
      child.kill('SIGKILL');
      await closed;
    }
  });
});

describe('LevelDB, whose own checks are not enough', () => {
  const ledgerFiles = async (pattern: RegExp) =>
    (await readdir(join(place.dir, 'ledger'))).filter((name) => pattern.test(name));
  const path = (name: string) => join(place.dir, 'ledger', name);

  beforeEach(async () => {
    await use(async (store) => {
      for (let i = 0; i < 30; i++) await store.journal.add([entry(i)]);
    });
  });

  it('is refused with its log deleted, its CURRENT deleted, or all of it deleted', async () => {
    const [log] = await ledgerFiles(/\.log$/);
    for (const name of [log!, 'CURRENT']) {
      const good = await readFile(path(name));
      await rm(path(name));
      await expect(place.open(), name).rejects.toMatchObject(refused);
      await writeFile(path(name), good);
    }
    await rm(join(place.dir, 'ledger'), { recursive: true });
    await expect(place.open()).rejects.toMatchObject(refused);
  });

  it('is refused with one byte flipped in its log', async () => {
    const [log] = await ledgerFiles(/\.log$/);
    const good = await readFile(path(log!));
    for (const part of [0.2, 0.5, 0.8]) {
      const bad = Buffer.from(good);
      bad[Math.floor(bad.length * part)]! ^= 0x10;
      const copy = placeOn(join(scratch, `flip-${part}`), nodeDisk, openLevel);
      await copyStore(place.dir, copy.dir);
      await writeFile(join(copy.dir, 'ledger', log!), bad);
      await expect(copy.open(), String(part)).rejects.toMatchObject(refused);
    }
    await use(async (store) => expect(await store.journal.byState('blocked')).toHaveLength(30));
  });

  it('is refused when the key file is gone: nothing is created over it', async () => {
    await rm(join(place.dir, 'store.key'));
    await expect(place.open()).rejects.toMatchObject(refused);
  });
});

async function copyStore(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const item of await readdir(from, { withFileTypes: true })) {
    if (item.isDirectory()) await copyStore(join(from, item.name), join(to, item.name));
    else await writeFile(join(to, item.name), await readFile(join(from, item.name)));
  }
}

describe('what lies on the disk', () => {
  it('holds no hash, reference, URL, item or window in clear', async () => {
    const marker = Buffer.from('https://hoster.example/marker/cafe0123456789abcdef.jpg');
    const leaf = new Uint8Array(Buffer.concat([Buffer.from([0, marker.length]), marker]));
    await use(async (store) => {
      await rebuild(store.list(ORIGIN), 200, 4, {
        ...head(200),
        checkpoint: marker,
      });
      const list = await store.list(ORIGIN).load();
      await store.list(ORIGIN).commitDelta({
        bundles: [{ firstIndex: 200, count: 1, bytes: leaf }],
        newHead: { ...list!.head, size: 201 },
      });
      await list!.close();
      await (await store.list(ORIGIN).staging()).append([{ firstIndex: 0, count: 1, bytes: leaf }]);
      await store.journal.add([entry(1, { ref: marker.toString() })]);
      await store.inbox.put([entry(2, { ref: marker.toString() })]);
      await store.documents.put('evidence', marker.toString(), 1, marker);
      await store.settings.put(marker.toString(), marker);
      store.counters.add(marker.toString(), marker.toString());
      store.counters.addDistinct('w', 'items', marker);
      await store.spool.enqueue('w2', 0, () => marker);
      await store.list(ORIGIN).putStatements(marker, marker);
    });
    const needles = [marker, ...[0, 5, 50].map((i) => Buffer.from(hashOf(i))), Buffer.from(entry(1).itemId)];
    const all = await filesUnder(place.dir);
    expect(all.length).toBeGreaterThan(10);
    for (const file of all) {
      const bytes = await readFile(file);
      for (const needle of needles) {
        const forms = [needle, Buffer.from(needle.toString('hex')), Buffer.from(needle.toString('base64'))];
        for (const form of forms) {
          expect(bytes.includes(form), file).toBe(false);
          expect(file.includes(form.toString('latin1'))).toBe(false);
        }
      }
    }
  });
});

async function filesUnder(dir: string): Promise<string[]> {
  const items = await readdir(dir, { withFileTypes: true, recursive: true });
  return items.filter((item) => item.isFile()).map((item) => join(item.parentPath, item.name));
}

/** Damage at rest: what LevelDB opens without a word must be refused, or be found by the full check. */
import { appendFile, copyFile, cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeDisk, openLevelStorage, type Storage } from '../../server/storage/index.js';
import {
  collect,
  concatBundles,
  grow,
  HEADS_KEY,
  leafAt,
  leaves,
  ORIGIN,
  pack,
  TestClock,
  testRandom,
  testSha,
  utf8,
} from '../support/storage-fixtures.js';

const SIZE = 4_000;
let scratch = '';
/** A store that was closed in order, one copied while open (as after kill -9), and an older copy of it. */
const at = (name: string): string => join(scratch, name);

const open = (directory: string, headsKey = HEADS_KEY): Promise<Storage> => {
  const clock = new TestClock();
  clock.ms += Math.floor(directory.length);
  return openLevelStorage({
    directory,
    headsKey,
    sha: testSha,
    clock,
    random: testRandom(3),
    disk: nodeDisk,
    create: true,
  });
};

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hashfed-damage-'));
  const storage = await open(at('clean'));
  await grow(storage, ORIGIN, 1_000);
  await storage.documents.put({ kind: 'root', name: 'police.example', version: 1, bytes: utf8('root body') });
  await cp(at('clean'), at('older'), { recursive: true });
  await grow(storage, ORIGIN, 2_000);
  await grow(storage, ORIGIN, SIZE);
  await cp(at('clean'), at('killed'), { recursive: true });
  await storage.close();
});

afterAll(() => rm(scratch, { recursive: true, force: true }));

const files = async (directory: string, ending: string): Promise<string[]> =>
  (await readdir(join(directory, 'db')))
    .filter((name) => name.endsWith(ending))
    .map((name) => join(directory, 'db', name));

interface Case {
  readonly name: string;
  readonly from: 'clean' | 'killed';
  readonly damage: (directory: string) => Promise<void>;
}

const edit = async (path: string, change: (text: string) => string): Promise<void> =>
  writeFile(path, change(await readFile(path, 'utf8')));

const REFUSED: readonly Case[] = [
  { name: 'CURRENT deleted', from: 'clean', damage: (d) => rm(join(d, 'db/CURRENT')) },
  {
    name: 'MANIFEST deleted',
    from: 'clean',
    damage: async (d) =>
      rm(
        (await readdir(join(d, 'db')))
          .filter((n) => n.startsWith('MANIFEST'))
          .map((n) => join(d, 'db', n))[0]!,
      ),
  },
  {
    name: 'write-ahead log deleted',
    from: 'killed',
    damage: async (d) => Promise.all((await files(d, '.log')).map((f) => rm(f))).then(() => {}),
  },
  {
    name: 'write-ahead log emptied',
    from: 'killed',
    damage: async (d) => Promise.all((await files(d, '.log')).map((f) => writeFile(f, ''))).then(() => {}),
  },
  { name: 'a table deleted', from: 'clean', damage: async (d) => rm((await files(d, '.ldb'))[0]!) },
  {
    name: 'the whole database deleted',
    from: 'clean',
    damage: (d) => rm(join(d, 'db'), { recursive: true }),
  },
  { name: 'an empty database put in place', from: 'clean', damage: async (d) => replaceDatabase(d, 'empty') },
  { name: 'an older database put back', from: 'clean', damage: async (d) => replaceDatabase(d, 'older') },
  {
    name: 'an older HEADS put back',
    from: 'clean',
    damage: (d) => copyFile(at('older/HEADS'), join(d, 'HEADS')),
  },
  { name: 'HEADS deleted', from: 'clean', damage: (d) => rm(join(d, 'HEADS')) },
  { name: 'HEADS emptied', from: 'clean', damage: (d) => writeFile(join(d, 'HEADS'), '') },
  { name: 'HEADS cut', from: 'clean', damage: (d) => edit(join(d, 'HEADS'), (text) => text.slice(0, 90)) },
  {
    name: 'a size in HEADS changed',
    from: 'clean',
    damage: (d) => edit(join(d, 'HEADS'), (text) => text.replace(' 4000 ', ' 2000 ')),
  },
  { name: 'bytes behind HEADS', from: 'clean', damage: (d) => appendFile(join(d, 'HEADS'), 'x') },
  { name: 'FORMAT deleted', from: 'clean', damage: (d) => rm(join(d, 'FORMAT')) },
  {
    name: 'FORMAT of another version',
    from: 'clean',
    damage: (d) => edit(join(d, 'FORMAT'), (text) => text.replace('/1', '/2')),
  },
];

async function replaceDatabase(directory: string, by: string): Promise<void> {
  if (by === 'empty') await (await open(at('empty'))).close();
  await rm(join(directory, 'db'), { recursive: true });
  await cp(at(`${by}/db`), join(directory, 'db'), { recursive: true });
}

async function copyOf(name: string): Promise<string> {
  const directory = await mkdtemp(join(scratch, 'case-'));
  await cp(at(name), directory, { recursive: true });
  return directory;
}

describe('a damaged store is refused', () => {
  it('opens undamaged, after an orderly stop and after a kill', async () => {
    for (const name of ['clean', 'killed']) {
      await using storage = await open(await copyOf(name));
      expect(await storage.check({ full: true })).toMatchObject({ ok: true, leaves: SIZE });
    }
  });

  it.each(REFUSED)('$name', async ({ from, damage }) => {
    const directory = await copyOf(from);
    await damage(directory);
    await expect(open(directory)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await expect(open(directory)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  });

  it('another key for HEADS', async () => {
    const directory = await copyOf('clean');
    await expect(open(directory, new Uint8Array(32))).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  });

  it('a second opening says that the store is in use', async () => {
    const directory = await copyOf('clean');
    await using storage = await open(directory);
    await expect(open(directory)).rejects.toThrow('open in another process');
    expect((await storage.logs.head(ORIGIN))!.size).toBe(SIZE);
  });
});

/** Opens, checks and reads all; true when the contents were served and right, false when damage was reported. */
async function survives(directory: string): Promise<boolean> {
  let storage: Storage;
  try {
    storage = await open(directory);
  } catch (error) {
    expect(error).toMatchObject({ code: 'STORAGE_FAILED' });
    return false;
  }
  await using opened = storage;
  const { ok } = await opened.check({ full: true });
  try {
    const bytes = concatBundles(await collect(opened.logs.read(ORIGIN, { from: 0, to: SIZE })), 0);
    const right = Buffer.from(bytes).equals(Buffer.from(pack(leaves(0, SIZE))));
    const root = await opened.documents.get('root', 'police.example');
    expect(right).toBe(true);
    expect(root?.version ?? (ok ? 'lost' : 1)).toBe(1);
  } catch (error) {
    expect(error).toMatchObject({ code: 'STORAGE_FAILED' });
    expect(ok).toBe(false);
  }
  return ok;
}

async function flip(path: string, position: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[position] = bytes[position]! ^ 0x10;
  await writeFile(path, bytes);
}

/** The others hold superseded rows, where damage has no effect. */
async function largest(paths: readonly string[]): Promise<[string, number]> {
  const sizes = await Promise.all(paths.map(async (path) => (await readFile(path)).length));
  const size = Math.max(...sizes);
  return [paths[sizes.indexOf(size)]!, size];
}

describe('flipped bytes', () => {
  it.each(['.ldb', '.log', 'HEADS'])(
    'in %s: refused, found, or without effect; never a wrong answer',
    async (ending) => {
      const from = ending === '.log' ? 'killed' : 'clean';
      const reported: boolean[] = [];
      for (let i = 0; i < 24; i += 1) {
        const directory = await copyOf(from);
        const paths = ending === 'HEADS' ? [join(directory, 'HEADS')] : await files(directory, ending);
        const [path, length] = await largest(paths);
        await flip(path, Math.floor((length * (i + 0.5)) / 24));
        reported.push(!(await survives(directory)));
        await rm(directory, { recursive: true });
      }
      expect(reported.filter(Boolean).length).toBeGreaterThan(20);
    },
  );
});

describe('erasure', () => {
  it('leaves no trace of the bytes in any file', async () => {
    const directory = await copyOf('clean');
    const storage = await open(directory);
    const traces = async (): Promise<number> => {
      const all = [...(await files(directory, '.ldb')), ...(await files(directory, '.log'))];
      const contents = await Promise.all(all.map((path) => readFile(path)));
      return contents.filter((bytes) => bytes.includes(Buffer.from(leafAt(1_234)))).length;
    };
    expect(await traces()).toBeGreaterThan(0);
    await storage.logs.erase(ORIGIN, [1_234]);
    expect(await traces()).toBe(0);
    await storage.close();
    expect(await traces()).toBe(0);
  });
});

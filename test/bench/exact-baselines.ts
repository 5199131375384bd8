import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A key-value store that holds each key with its row number in four bytes. `get` calls answer row or −1. */
export interface Baseline {
  readonly name: string;
  readonly bytesPerEntry: number;
  /** Every way to ask one key; the benchmark uses the fastest. */
  readonly single: Record<string, (key: Buffer) => number>;
  /** Ways to ask many that are more than a loop over one. */
  readonly many: Record<string, (keys: Buffer[]) => Promise<number[]>>;
  close(): Promise<void>;
}

export const rowValue = (row: number): Buffer => {
  const value = Buffer.alloc(4);
  value.writeUInt32BE(row);
  return value;
};

const LOAD = 50_000;

async function bytesIn(dir: string): Promise<number> {
  const sizes = await Promise.all(
    (await readdir(dir)).map(async (name) => (await stat(join(dir, name))).size),
  );
  return sizes.reduce((a, b) => a + b, 0);
}

const toRow = (value: Buffer | undefined): number => (value === undefined ? -1 : value.readUInt32BE(0));

/** lmdb, loaded in order with MDB_APPEND: its smallest form. Throws where it is not installed. */
export async function openLmdb(keys: Buffer, count: number): Promise<Baseline> {
  const { open } = await import('lmdb');
  const dir = await mkdtemp(join(tmpdir(), 'hashfed-bench-'));
  const db = open<Buffer, Buffer>({
    path: join(dir, 'data.mdb'),
    keyEncoding: 'binary',
    encoding: 'binary',
    noSync: true,
    mapSize: count * 100 + 2 ** 28,
  });
  for (let start = 0; start < count; start += LOAD) {
    db.transactionSync(() => {
      for (let i = start; i < Math.min(count, start + LOAD); i++) {
        db.putSync(keys.subarray(i * 32, i * 32 + 32), rowValue(i), { append: true });
      }
    });
  }
  const { pageSize, treeBranchPageCount, treeLeafPageCount } = db.getStats() as Record<string, number>;
  return {
    name: 'lmdb',
    bytesPerEntry: (pageSize! * (treeBranchPageCount! + treeLeafPageCount!)) / count,
    single: {
      get: (key) => toRow(db.get(key)),
      getBinary: (key) => toRow(db.getBinary(key)),
      getBinaryFast: (key) => toRow(db.getBinaryFast(key) as Buffer | undefined),
    },
    many: { getMany: async (many) => (await db.getMany(many)).map(toRow) },
    close: async () => {
      await db.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** What LevelDB in Node has, and its type for every platform does not say. */
interface Compactable {
  compactRange(start: Buffer, end: Buffer): Promise<void>;
}

async function compact(db: object): Promise<void> {
  await (db as Compactable).compactRange(Buffer.alloc(32, 0), Buffer.alloc(32, 255));
}

/** level (LevelDB), compacted after loading, with a block cache that holds all of it. */
export async function openLevel(keys: Buffer, count: number): Promise<Baseline> {
  const { Level } = await import('level');
  const dir = await mkdtemp(join(tmpdir(), 'hashfed-bench-'));
  const db = new Level<Buffer, Buffer>(dir, {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
    cacheSize: count * 64,
    maxOpenFiles: 4096,
  });
  await db.open();
  for (let start = 0; start < count; start += LOAD) {
    const batch = db.batch();
    for (let i = start; i < Math.min(count, start + LOAD); i++) {
      batch.put(keys.subarray(i * 32, i * 32 + 32), rowValue(i));
    }
    await batch.write();
  }
  await compact(db);
  return {
    name: 'level',
    bytesPerEntry: (await bytesIn(dir)) / count,
    single: { getSync: (key) => toRow(db.getSync(key)) },
    many: { getMany: async (many) => (await db.getMany(many)).map(toRow) },
    close: async () => {
      await db.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

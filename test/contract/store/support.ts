import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock, Random } from '../../../sdk/core/index.js';
import {
  type Disk,
  type KeyProvider,
  keyFromCallback,
  type ListHead,
  type ListStore,
  type LoadedList,
  MemoryDisk,
  memoryDatabase,
  nodeDisk,
  type OpenDatabase,
  openLevel,
  openStore,
  type Store,
  type StoredBundle,
} from '../../../sdk/store/index.js';

export const ORIGIN = 'police.example/known/sha256/g1';
export const OTHER = 'hotline.example/known/md5/g1';
export const KEY = createHash('sha256').update('store key of the tests').digest();
export const testKey: KeyProvider = keyFromCallback(() => KEY);
export const clock: Clock = { nowMs: () => 1_700_000_000_000, monotonicMs: () => 0 };
export const random: Random = { bytes: (length) => new Uint8Array(randomBytes(length)) };

/** A place where a store can be opened again and again. */
export interface Place {
  readonly dir: string;
  readonly disk: Disk;
  readonly database: OpenDatabase;
  open(readOnly?: boolean): Promise<Store>;
  remove(): Promise<void>;
}

export function placeOn(dir: string, disk: Disk, database: OpenDatabase, remove = async () => {}): Place {
  const open = (readOnly = false) =>
    openStore({ dir, disk, database, key: testKey, clock, random, readOnly });
  return { dir, disk, database, open, remove };
}

export const memoryPlace = async (): Promise<Place> => placeOn('/store', new MemoryDisk(), memoryDatabase());

export async function diskPlace(): Promise<Place> {
  const dir = await mkdtemp(join(tmpdir(), 'hashfed-store-'));
  return placeOn(join(dir, 'store'), nodeDisk, openLevel, () => rm(dir, { recursive: true }));
}

/** Deterministic hash number `i`. */
export const hashOf = (i: number, bytes = 32) =>
  new Uint8Array(createHash('sha512').update(`hash ${i}`).digest().subarray(0, bytes));

export interface Row {
  readonly hash: Uint8Array;
  readonly bytes: Uint8Array;
}

/** A canonical record as the list format lays it out. */
export function row(i: number, meta = new Uint8Array(i % 3), hash = hashOf(i)): Row {
  const bytes = Buffer.alloc(hash.length + 45 + meta.length);
  bytes.set(hash);
  bytes.writeBigUInt64BE(BigInt(i), hash.length);
  bytes.writeBigUInt64BE(BigInt(i), hash.length + 8);
  bytes.writeBigUInt64BE(1_700_000_000_000n, hash.length + 16);
  createHash('md5')
    .update(`item ${i}`)
    .digest()
    .copy(bytes, hash.length + 24);
  bytes.set([1, 2, 0], hash.length + 40);
  bytes.writeUInt16BE(meta.length, hash.length + 43);
  bytes.set(meta, hash.length + 45);
  return { hash, bytes: new Uint8Array(bytes) };
}

export const bucketOf = (hash: Uint8Array, bits: number) => ((hash[0]! << 8) | hash[1]!) >> (16 - bits);

/** `count` rows, sorted, by bucket. */
export function bucketed(count: number, bits: number): Uint8Array[] {
  const rows = Array.from({ length: count }, (_, i) => row(i));
  rows.sort((a, b) => Buffer.compare(a.bytes, b.bytes));
  const buckets = Array.from({ length: 2 ** bits }, () => [] as Uint8Array[]);
  for (const each of rows) buckets[bucketOf(each.hash, bits)]!.push(each.bytes);
  return buckets.map((parts) => new Uint8Array(Buffer.concat(parts)));
}

export function head(size: number, text = `head of ${size}`): ListHead {
  const bytes = (name: string) => new Uint8Array(Buffer.from(`${name}: ${text}`));
  return {
    size,
    root: new Uint8Array(createHash('sha256').update(text).digest()),
    checkpoint: bytes('checkpoint'),
    anchor: bytes('anchor'),
    freshness: bytes('freshness'),
    liveness: bytes('liveness'),
    state: bytes('state'),
    range: new Uint8Array(64).fill(size & 255),
    sealCounts: bytes('counts'),
    extra: bytes('extra'),
  };
}

export function bundle(firstIndex: number, count: number): StoredBundle {
  const leaves = Array.from({ length: count }, (_, i) => {
    const leaf = Buffer.from(`\x00\x28leaf ${firstIndex + i} ${'x'.repeat(40)}`.slice(0, 42), 'latin1');
    return leaf;
  });
  return { firstIndex, count, bytes: new Uint8Array(Buffer.concat(leaves)) };
}

/** Writes a base of `count` rows whose head has size `count`. */
export async function rebuild(
  list: ListStore,
  count: number,
  bits = 4,
  newHead = head(count),
): Promise<void> {
  const writer = await list.beginRebuild({ hashBytes: 32, bucketBits: bits, rowCount: count });
  const buckets = bucketed(count, bits);
  for (const [b, rows] of buckets.entries()) await writer.addBucket(b, rows);
  await writer.commit(newHead);
}

/** Everything a list holds, as plain values. */
export async function contents(list: LoadedList) {
  const keys = Buffer.from(await list.keys()).toString('hex');
  const pieces: string[] = [];
  for await (const piece of list.keyPieces()) pieces.push(Buffer.from(piece).toString('hex'));
  if (pieces.join('') !== keys || pieces.some((piece) => piece.length % (2 * list.hashBytes) !== 0))
    throw new Error('the keys in pieces are not the keys');
  const table = await list.rows();
  const rows = Buffer.from(table.bytes).toString('hex');
  const bundles: StoredBundle[] = [];
  for await (const each of list.deltas()) bundles.push({ ...each, bytes: Uint8Array.from(each.bytes) });
  return { head: list.head, base: list.base, sequence: list.sequence, keys, rows, bundles };
}

export async function snapshot(store: Store, origin = ORIGIN) {
  const list = await store.list(origin).load();
  if (list === undefined) return undefined;
  try {
    return await contents(list);
  } finally {
    await list.close();
  }
}

export const entry = (i: number, overrides: object = {}) => ({
  ref: `object-${i}`,
  itemId: new Uint8Array(createHash('md5').update(`item ${i}`).digest()),
  origin: ORIGIN,
  addIndex: i,
  size: 100,
  root: new Uint8Array(32).fill(7),
  action: 'block' as const,
  timeMs: 1_700_000_000_000 + i,
  drill: false,
  ...overrides,
});

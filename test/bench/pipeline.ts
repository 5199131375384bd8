import { createHash, randomBytes, randomFillSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pipeline as pump } from 'node:stream/promises';
import { HashingStream } from '../../sdk/hash/index.js';
import { EntryCursor, Inventory, type InventoryEntry, rematch } from '../../sdk/inventory/index.js';
import { ExactIndex, type Verdict } from '../../sdk/match/index.js';
import { FilePool, type ObjectHashes, Pipeline } from '../../sdk/pipeline/index.js';
import { interleaved, result } from './measure.js';
import { options } from './options.js';
import type { BenchLine, BenchModule } from './types.js';

const folder = mkdtempSync(join(tmpdir(), 'hashfed-bench-'));
const MATCHED = { sizes: {}, atMs: 0, freshMs: 0 };
const NONE: Verdict = { action: 'none', matches: [], freshness: 'FRESH', because: [] };
const BYTES = 256 * 1024 * 1024;

/** Files of one size; written once, so that both sides read them from the same cache. */
function makeFiles(name: string, count: number, bytes: number): string[] {
  mkdirSync(join(folder, name));
  const content = randomBytes(bytes);
  return Array.from({ length: count }, (_, i) => {
    content.writeUInt32BE(i);
    const path = join(folder, name, `f${i}`);
    writeFileSync(path, content);
    return path;
  });
}

/** An index of 1 M hashes that are asked about, as a verdict does for each object. */
function makeJudge(): (object: ObjectHashes) => Promise<Verdict> {
  const rows = Buffer.alloc(1_000_000 * (32 + 45));
  const keys = Array.from({ length: 1_000_000 }, () => randomBytes(32)).sort(Buffer.compare);
  keys.forEach((key, i) => {
    key.copy(rows, i * 77);
    rows.writeBigUInt64BE(BigInt(i), i * 77 + 32);
    rows.writeBigUInt64BE(BigInt(i), i * 77 + 40);
    rows.fill(1, i * 77 + 72, i * 77 + 75);
  });
  const index = ExactIndex.fromRows(32, [rows], { count: keys.length, logSize: keys.length });
  return async ({ hashes }) => (index.has(hashes.sha256!) ? { ...NONE, action: 'hold' } : NONE);
}

const JOBS = 256;

/** The same reader and threads, hashing only: as many files at a time. */
async function hashAll(pool: FilePool, paths: readonly string[], each: (sha256: Uint8Array) => void) {
  let at = 0;
  const work = async () => {
    for (let path = paths[at++]; path !== undefined; path = paths[at++]) {
      const outcome = await pool.hash(path);
      if (outcome.status === 'hashed') each(outcome.hashes.sha256!);
    }
  };
  await Promise.all(Array.from({ length: JOBS }, work));
}

async function scan(name: string, count: number, bytes: number): Promise<BenchLine[]> {
  const paths = makeFiles(name, count, bytes);
  const pool = new FilePool();
  const judge = makeJudge();
  const checking = new Pipeline({ judge, wanted: () => ({ pdq: false, photodna: false }) });
  const inventory = new Inventory({
    store: { keyFor: () => new Uint8Array(32).fill(7) },
    dir: join(folder, `${name}-inventory`),
    random: { bytes: (length) => new Uint8Array(randomBytes(length)) },
  });
  const ours = async (each: (sha256: Uint8Array) => void) => {
    const rescan = await inventory.rescan(name, MATCHED, false);
    const inputs = paths.map((path) => ({ ref: path, input: path }));
    for await (const { ref, outcome } of checking.checkMany(inputs, { concurrency: JOBS })) {
      if (outcome.status !== 'checked' || !('state' in outcome)) throw new Error(`${ref}: ${outcome.status}`);
      each(outcome.object.hashes.sha256!);
      await rescan.add(entryOf(ref, outcome.object, outcome.state));
    }
    await rescan.finish({ objects: count, bytes: count * bytes, atMs: 0 });
    await rescan.close();
  };
  const digest = async (run: (each: (sha256: Uint8Array) => void) => Promise<void>) => {
    const all: string[] = [];
    await run((sha256) => all.push(Buffer.from(sha256).toString('hex')));
    return createHash('sha256').update(all.sort().join()).digest('hex');
  };
  const checked = (await digest(ours)) === (await digest((each) => hashAll(pool, paths, each)));
  const none = () => {};
  const median = await interleaved(
    { ours: () => ours(none), theirs: () => hashAll(pool, paths, none) },
    options.rounds,
  );
  await Promise.all([pool.close(), checking.close()]);
  const rate = (ms: number) => (count * bytes) / 1e3 / ms;
  const line = {
    bench: name,
    n: count,
    unit: 'MB/s' as const,
    baseline: 'hash-only',
    rounds: options.rounds,
  };
  return [result({ ...line, ours: rate(median('ours')), theirs: rate(median('theirs')), checked })];
}

function entryOf(
  ref: string,
  { hashes, bytes }: ObjectHashes,
  state: { mtimeNs: bigint; inode: bigint },
): InventoryEntry {
  const { md5, sha1, sha256 } = hashes;
  const common = { ref: Buffer.from(ref), size: bytes, perceptual: false, pdq: [] };
  return { ...common, mtimeNs: state.mtimeNs, inode: state.inode, md5: md5!, sha1: sha1!, sha256: sha256! };
}

function* chunks(): Generator<Buffer> {
  const chunk = randomBytes(64 * 1024);
  for (let left = BYTES; left > 0; left -= chunk.length) yield chunk;
}

const sink = () => new Writable({ write: (_chunk, _encoding, done) => done() });

/** With an image list: the first bytes are looked at, and kept while they may be an image. */
async function checkStream(): Promise<BenchLine[]> {
  const checking = new Pipeline({
    judge: async (object) => ({ ...NONE, freshness: object.bytes === BYTES ? 'FRESH' : 'STALE' }),
    wanted: () => ({ pdq: true, photodna: false }),
  });
  const ours = async () => {
    const stream = checking.checkStream({ ref: 'x' });
    await pump(chunks, stream, sink());
    return (await stream.verdict).freshness === 'FRESH';
  };
  const theirs = async () => {
    const stream = new HashingStream();
    await pump(chunks, stream, sink());
    return (await stream.result).bytes === BYTES;
  };
  const checked = (await ours()) && (await theirs());
  const median = await interleaved({ ours, theirs }, options.rounds);
  await checking.close();
  const rate = (ms: number) => BYTES / 1e3 / ms;
  const line = { bench: 'check-stream', n: BYTES, unit: 'MB/s' as const, baseline: 'hash-only' };
  const { rounds } = options;
  return [result({ ...line, ours: rate(median('ours')), theirs: rate(median('theirs')), rounds, checked })];
}

const BATCH = 10_000;

/** Objects of an inventory against a batch; the other side decodes each object and asks a set. */
async function rematchExact(): Promise<BenchLine[]> {
  const n = options.sizes?.[0] ?? 10_000_000;
  const { inventory, batch } = await fill(n, false);
  const shelf = (await inventory.shelves())[0]!;
  const wanted = new Set(batch.map((hash) => Buffer.from(hash).toString('latin1')));
  const bounds = { maxDistance: 31, minQuality: 50 };
  const ours = async () => {
    let found = 0;
    const count = ({ sha256 }: InventoryEntry) => {
      if (wanted.has(Buffer.from(sha256).toString('latin1'))) found++;
    };
    await rematch(shelf, { sha256: { count: batch.length, hashes: batch } }, count, bounds);
    return found;
  };
  const theirs = async () => {
    let found = 0;
    for await (const block of shelf.blocks()) {
      const cursor = new EntryCursor(block);
      while (cursor.next()) if (wanted.has(Buffer.from(cursor.entry().sha256).toString('latin1'))) found++;
    }
    return found;
  };
  const checked = (await ours()) === BATCH / 2 && (await theirs()) === BATCH / 2;
  const median = await interleaved({ ours, theirs }, options.rounds);
  const line = {
    bench: 'rematch',
    n,
    unit: 'ms' as const,
    baseline: 'entry-by-entry',
    rounds: options.rounds,
  };
  return [result({ ...line, ours: median('ours'), theirs: median('theirs'), checked })];
}

/** Objects a second against 10,000 PDQ values, beside the exact pass over the same objects. */
async function rematchPdq(): Promise<BenchLine[]> {
  const n = Math.min(options.sizes?.[0] ?? 1_000_000, 1_000_000);
  const { inventory, batch } = await fill(n, true);
  const shelf = (await inventory.shelves())[0]!;
  const bounds = { maxDistance: 31, minQuality: 50 };
  const looked = { count: batch.length, hashes: batch };
  let found = 0;
  const ours = () => rematch(shelf, { pdq: looked }, () => void found++, bounds);
  const theirs = () => rematch(shelf, { sha256: looked }, () => {}, bounds);
  await ours();
  const checked = found === BATCH / 2;
  const median = await interleaved({ ours, theirs }, options.rounds);
  const line = { bench: 'rematch-pdq', n, unit: 'ops/s' as const, baseline: 'exact', rounds: options.rounds };
  const rate = (took: number) => (n / took) * 1e3;
  return [result({ ...line, ours: rate(median('ours')), theirs: rate(median('theirs')), checked })];
}

/** n objects with random hashes; every second hash of the batch is one of theirs, as sha256 and as PDQ alike. */
async function fill(n: number, pdq: boolean) {
  const dir = mkdtempSync(join(folder, 'inventory-'));
  const inventory = new Inventory({
    store: { keyFor: () => new Uint8Array(32).fill(7) },
    dir,
    random: { bytes: (length) => new Uint8Array(randomBytes(length)) },
  });
  const batch: Uint8Array[] = [];
  const step = Math.floor(n / (BATCH / 2));
  function* entries(): Generator<InventoryEntry> {
    const random = Buffer.alloc(68);
    for (let i = 0; i < n; i++) {
      randomFillSync(random);
      const sha256 = random.subarray(36);
      if (i % step === 0 && batch.length < BATCH / 2) batch.push(new Uint8Array(sha256));
      yield {
        ref: Buffer.from(
          `photos/${String(i % 997).padStart(4, '0')}/upload-${String(i).padStart(34, '0')}.jpeg`,
        ),
        size: 3_000_000,
        mtimeNs: BigInt(i) * 1_000_000n,
        inode: BigInt(i),
        md5: random.subarray(0, 16),
        sha1: random.subarray(16, 36),
        sha256,
        perceptual: pdq,
        pdq: pdq ? [{ hash: sha256, quality: 90 }] : [],
      };
    }
  }
  await inventory.add('bench', entries(), MATCHED);
  while (batch.length < BATCH) batch.push(new Uint8Array(randomBytes(32)));
  return { inventory, batch };
}

export const benches: BenchModule['benches'] = {
  scan: () => scan('scan', 1_500, 256 * 1024),
  'scan-small': () => scan('scan-small', 20_000, 4 * 1024),
  'check-stream': checkStream,
  rematch: rematchExact,
  'rematch-pdq': rematchPdq,
};

export const close = async (): Promise<void> => rmSync(folder, { recursive: true, force: true });

import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  BATCH_FILE,
  csvImporter,
  FramedReader,
  importToBatch,
  openBatch,
  parseImportMap,
  pooledRandom,
  sixWords,
} from '../../../client/publisher/index.js';
import {
  concat,
  decodeLeaf,
  forEachLeaf,
  HashfedError,
  type Leaf,
  toHex,
  utf8,
} from '../../../sdk/core/index.js';
import { clock, random } from './request-fixture.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hashfed-batch-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const MAP = parseImportMap(
  JSON.stringify({
    format: 1,
    columns: { md5: 'md5', sha256: 'sha256', classification: 'class', label: 'label' },
    classifications: { A: { scheme: 1, code: 2 } },
  }),
  'map',
);
const hex = (type: string, n: number) => createHash(type).update(String(n)).digest('hex');

async function* csv(rows: number): AsyncGenerator<Uint8Array> {
  yield utf8('md5,sha256,class,label\n');
  for (let i = 0; i < rows; i += 1) {
    const sha256 = i % 2 === 0 ? hex('sha256', i) : '';
    yield utf8(`${hex('md5', i)},${sha256},${i % 10 === 9 ? 'B' : 'A'},row ${i}\n`);
  }
}

const job = (source: AsyncIterable<Uint8Array>) => ({
  importer: csvImporter(MAP),
  source,
  sourceName: 'cases.csv',
  batchFile: join(folder, 'cases.hfbatch'),
  refusedFile: join(folder, 'refused.csv'),
  originOf: (type: string) => `p.example/known/${type}/g1`,
  random,
  clock,
  signal: new AbortController().signal,
});

async function readBatch(file: string): Promise<{ leaves: Map<string, Leaf[]>; digests: string[] }> {
  const { batch, reader } = await openBatch(file);
  const leaves = new Map<string, Leaf[]>();
  const digests: string[] = [];
  for (const { origin } of batch.lists) {
    const held: Leaf[] = [];
    const parts: Uint8Array[] = [];
    for await (const bundle of reader.bundles()) {
      parts.push(bundle);
      forEachLeaf(bundle, (at, length) => held.push(decodeLeaf(bundle.slice(at, at + length))));
    }
    leaves.set(origin, held);
    digests.push(
      createHash('sha256')
        .update(concat(...parts))
        .digest('hex'),
    );
  }
  await reader.end();
  await reader.close();
  return { leaves, digests };
}

describe('importing into a batch', () => {
  it('keeps every row: on its lists under one item, or among the refused ones', async () => {
    const outcome = await importToBatch(job(csv(5000)));
    expect(outcome).toMatchObject({ rows: 5000, items: 4500, refused: 500 });
    const { leaves, digests } = await readBatch(join(folder, 'cases.hfbatch'));
    const md5 = leaves.get('p.example/known/md5/g1')!;
    const sha256 = leaves.get('p.example/known/sha256/g1')!;
    expect([md5.length, sha256.length]).toEqual([4500, 2500]);
    expect(outcome.batch.lists.map(({ count }) => Number(count))).toEqual([4500, 2500]);
    expect(outcome.batch.lists.map(({ entriesSha256 }) => toHex(entriesSha256))).toEqual(digests);
    const items = md5.map((leaf) => (leaf.kind === 'add' ? toHex(leaf.itemId) : ''));
    expect(new Set(items).size).toBe(4500);
    const blinds = [...md5, ...sha256].map((leaf) => (leaf.kind === 'add' ? toHex(leaf.blind) : ''));
    expect(new Set(blinds).size).toBe(7000);
    for (const leaf of sha256) expect(items).toContain(leaf.kind === 'add' ? toHex(leaf.itemId) : 'none');
    expect((await readFile(join(folder, 'refused.csv'), 'utf8')).trim().split('\n')).toHaveLength(501);
  });

  it('leaves nothing but the batch behind, and nothing at all after a failure', async () => {
    await importToBatch(job(csv(20)));
    expect((await readdir(folder)).sort()).toEqual(['cases.hfbatch', 'refused.csv']);
    await rm(join(folder, 'cases.hfbatch'));
    async function* broken() {
      yield* csv(5);
      throw new HashfedError('CANCELLED', 'cable');
    }
    await expect(importToBatch(job(broken()))).rejects.toThrow('cable');
    expect(await readdir(folder)).toEqual(['refused.csv']);
  });

  it('says so when there is nothing to publish', async () => {
    await expect(importToBatch(job(csv(0)))).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('reading framed files', () => {
  const u32 = (n: number) => Uint8Array.of(n >>> 24, n >>> 16, n >>> 8, n);
  const open = async (...parts: Uint8Array[]) => {
    const file = join(folder, 'file');
    await writeFile(file, concat(...parts));
    const reader = await FramedReader.open(file, BATCH_FILE);
    try {
      for await (const _ of reader.bundles());
      return await reader.end();
    } finally {
      await reader.close();
    }
  };
  const start = concat(BATCH_FILE.magic, u32(0));

  it('answers the digest of the whole file', async () => {
    const bytes = concat(start, u32(3), utf8('abc'), u32(0));
    expect(toHex(await open(bytes))).toBe(createHash('sha256').update(bytes).digest('hex'));
  });

  it.each([
    ['another magic', concat(utf8('HFBATCH2'), u32(0), u32(0))],
    ['a message over the cap', concat(BATCH_FILE.magic, u32(16 * 1024 * 1024 + 1))],
    ['a bundle over the cap', concat(start, u32(256 * 1024 + 1))],
    ['a length without its bytes', concat(start, u32(0xffff))],
    ['no end mark', start],
    ['something behind the end', concat(start, u32(0), u32(0))],
    ['nothing', new Uint8Array(0)],
  ])('refuses %s', async (_what, bytes) => {
    await expect(open(bytes)).rejects.toMatchObject({ code: 'MALFORMED' });
  });
});

describe('small parts', () => {
  it('draws from the pool what the source gave, each byte once', () => {
    let next = 0;
    const counting = { bytes: (n: number) => Uint8Array.from({ length: n }, () => next++ & 255) };
    const pool = pooledRandom(counting);
    expect([...pool.bytes(3), ...pool.bytes(2)]).toEqual([0, 1, 2, 3, 4]);
  });

  it('says a digest in six words, each eleven bits', () => {
    expect(sixWords(new Uint8Array(32))).toBe(Array(6).fill('baba').join(' '));
    expect(sixWords(new Uint8Array(32).fill(255))).toBe(Array(6).fill('zuzo').join(' '));
    const flipped = new Uint8Array(32);
    flipped[0] = 1 << 4;
    expect(
      sixWords(flipped)
        .split(' ')
        .filter((word) => word !== 'baba'),
    ).toHaveLength(1);
  });
});

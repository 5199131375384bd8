import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hashImage } from '../../sdk/hash/pdq/index.js';
import { type Hashfed, open, type Pipeline, squaredEuclidean } from '../../sdk/index.js';
import { type ProcessFederation, startFederation } from '../support/federation-process.js';

/** Lists of every hash type, and one of known-good files: from a publisher's CSV to a hoster's verdict. */
const IMAGES = new URL('../fixtures/images/', import.meta.url).pathname;
const dist = (path: string) => new URL(`../../dist/sdk/${path}`, import.meta.url);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Opaque to everybody here: what a licensee's program might answer. */
const LISTED_PHOTODNA = new Uint8Array(144).map((_, i) => (i * 89) % 251);
const near = LISTED_PHOTODNA.map((byte, i) => (i === 7 ? byte + 3 : byte));
const stock = Buffer.from('a file that every installation of a shop system has');
const listed = Buffer.from('a file that is listed, and nowhere else');

let federation: ProcessFederation;
let hashfed: Hashfed;
let checks: Pipeline;
/** What the licensee's hasher answers. */
let photodna: readonly Uint8Array[] = [];

async function publish(member: string, collection: string, columns: string[], rows: string[][]) {
  const [csv, map] = ['rows.csv', 'map.json'].map((name) => join(federation.folder, name));
  const named = Object.fromEntries(columns.map((column) => [column, column]));
  const classifications = { A: { scheme: 1, code: 1 } };
  const table = [...columns, 'classification', 'verifications'];
  const lines = [table, ...rows.map((row) => [...row, 'A', '2'])].map((row) => row.join(','));
  await writeFile(csv!, `${lines.join('\n')}\n`);
  const all = { ...named, classification: 'classification', verifications: 'verifications' };
  await writeFile(map!, JSON.stringify({ format: 1, columns: all, classifications }));
  const { code, stderr } = await federation.run(
    member,
    'publish',
    csv!,
    '--map',
    map!,
    '--collection',
    collection,
  );
  expect(stderr).toBe('');
  expect(code).toBe(0);
}

beforeAll(async () => {
  federation = await startFederation('--all-lists');
  const image = await hashImage(await readFile(join(IMAGES, 'sunset-1.jpg')));
  const pdq = image.ok ? hex(image.frames[0]!.hash) : '';
  await publish(
    'police',
    'known',
    ['sha256', 'pdq', 'photodna'],
    [
      [sha256(stock), '', ''],
      [sha256(listed), '', ''],
      ['', pdq, ''],
      ['', '', hex(LISTED_PHOTODNA)],
    ],
  );
  await publish('hotline', 'good', ['sha256'], [[sha256(stock)]]);
  const config = join(federation.member('hoster-a'), 'hashfed.json');
  const policy = { probation_hours: 0, observe_hours: 0 };
  await writeFile(config, JSON.stringify({ ...JSON.parse(await readFile(config, 'utf8')), policy }));
  const hasher = { hash: async () => photodna };
  hashfed = await open({ config, photodna: { hasher, comparator: squaredEuclidean(100) } });
  expect((await hashfed.sync()).failures).toEqual([]);
  checks = hashfed.pipeline({
    workers: 1,
    script: dist('hash/pdq/worker.js'),
    fileScript: dist('pipeline/file-worker.js'),
  });
});
afterAll(async () => {
  await checks?.close();
  await hashfed?.close();
  await federation?.stop();
});

const check = async (bytes: Uint8Array) => (await checks.checkBuffer(bytes, { ref: sha256(bytes) })).verdict;

describe('a federation with every kind of list', () => {
  test('has them from init on', () => {
    const known = (domain: string) =>
      ['md5', 'sha1', 'sha256', 'pdq', 'photodna'].map((type) => [`${domain}/known/${type}/g1`, 'listed']);
    expect(hashfed.lists().map(({ origin, purpose }) => [origin, purpose])).toEqual([
      ['dev.hashfed.example/selftest/sha256/g1', 'test'],
      ...known('police.example'),
      ...known('hotline.example'),
      ['hotline.example/good/sha256/g1', 'known-good'],
    ]);
  });

  test('blocks what is listed, and holds it where somebody knows it as good', async () => {
    expect((await check(listed)).action).toBe('block');
    expect(await check(stock)).toMatchObject({ action: 'hold', because: ['known-good'] });
  });

  test('holds a picture that resembles a listed one, and says how near it is', async () => {
    const picture = sharp(join(IMAGES, 'sunset-1.jpg')).resize({ width: 400 });
    const smaller = await picture.webp({ quality: 60 }).toBuffer();
    const { action, matches } = await check(smaller);
    expect(action).toBe('hold');
    const [match] = matches;
    expect(match).toMatchObject({ origin: 'police.example/known/pdq/g1' });
    expect(match?.distance).toBeLessThanOrEqual(31);
  });

  test('matches PhotoDNA values by the hasher and comparator that were handed in', async () => {
    photodna = [near];
    const { action, matches } = await check(Buffer.from('whatever the hasher makes of it'));
    expect(action).toBe('hold');
    expect(matches).toMatchObject([{ origin: 'police.example/known/photodna/g1', distance: 9 }]);
    photodna = [near.map((byte) => 255 - byte)];
    expect((await check(Buffer.from('something else'))).action).toBe('none');
  });
});

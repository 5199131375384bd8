import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Hashfed, type JournalEntry, loadConfig, open } from '../../sdk/index.js';
import { type ProcessFederation, startFederation } from '../support/federation-process.js';

const ORIGIN = 'police.example/known/sha256/g1';
const NEXT = ORIGIN.replace('g1', 'g2');
const AT_ONCE = { policy: { probation_hours: 0, observe_hours: 0 } };
/** One file that goes on being listed, and one whose entry is gone in the next generation. */
const kept = randomBytes(500);
const gone = randomBytes(600);
const hex = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

let federation: ProcessFederation;

async function run(...args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await federation.run('police', ...args, '--json');
  if (code !== 0) throw new Error(`${args[0]} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as Record<string, unknown>;
}

const configOf = (member: string): string => join(federation.member(member), 'hashfed.json');

async function openHoster(): Promise<{ hashfed: Hashfed; released: string[] }> {
  const file = configOf('hoster-a');
  const config = JSON.parse(await readFile(file, 'utf8')) as object;
  await writeFile(file, JSON.stringify({ ...config, ...AT_ONCE }));
  const hashfed = await open({ config: await loadConfig(file, {}) });
  const released: string[] = [];
  hashfed.on('release', (entries: readonly JournalEntry[]) =>
    released.push(...entries.map(({ ref }) => ref)),
  );
  return { hashfed, released };
}

/** Flips a bit in what is stored of a list, or flips it back. */
async function flipRow(origin: string): Promise<void> {
  const lists = join(federation.member('hoster-a'), 'store', 'lists');
  const files = await readdir(lists, { recursive: true });
  const name = files.find(
    (file) => file.startsWith(origin.replaceAll('/', '_')) && file.endsWith('rows.col'),
  )!;
  const bytes = await readFile(join(lists, name));
  bytes[200]! ^= 1;
  await writeFile(join(lists, name), bytes);
}

const generations = (hashfed: Hashfed): string[] =>
  hashfed
    .lists()
    .flatMap(({ origin }) => (/known\/sha256/.test(origin) && /^police/.test(origin) ? [origin] : []));

/** Closes the generation as an operator would: restate, rotate, publish what goes on. */
async function beginNext(from: string, to: string): Promise<void> {
  const name = to.slice(-2);
  const [batch, proposal] = ['hfbatch', 'proposal'].map((end) =>
    join(federation.folder, `${name}.${end}`),
  ) as [string, string];
  const rootKey = join(federation.member('police'), 'keys', 'root.key');
  await run('keys', 'restate', from, '--out', batch);
  await run('keys', 'rotate', '--close', from, '--root-key', rootKey, '--out', proposal);
  await run('keys', 'submit-root', proposal);
  const file = configOf('police');
  await writeFile(file, (await readFile(file, 'utf8')).replaceAll(from, to));
  await run('publish', batch, '--collection', 'known');
}

beforeAll(async () => {
  federation = await startFederation();
  const [csv, map] = [join(federation.folder, 'cases.csv'), join(federation.folder, 'map.json')];
  const others = Array.from({ length: 50 }, () => randomBytes(32).toString('hex'));
  await writeFile(
    csv,
    `sha256,class\n${[hex(kept), hex(gone), ...others].map((one) => `${one},a\n`).join('')}`,
  );
  const columns = { sha256: 'sha256', classification: 'class' };
  const classifications = { a: { scheme: 1, code: 1 } };
  await writeFile(map, JSON.stringify({ format: 1, columns, classifications, verifications: 1 }));
  await run('publish', csv, '--map', map, '--collection', 'known');
});
afterAll(() => federation.stop());

test('a closed generation is swapped for the next one: quarantine goes on, and what is no longer listed is released', async () => {
  let first = await openHoster();
  await first.hashfed.sync();
  expect(generations(first.hashfed)).toEqual([ORIGIN]);
  for (const [ref, bytes] of Object.entries({ kept, gone }))
    expect((await first.hashfed.check(bytes, { ref })).action).toBe('block');
  const note = first.hashfed.replicas.find(({ origin }) => origin.text === ORIGIN)!.checkpoint;
  const since = first.hashfed.matching.find(({ origin }) => origin === ORIGIN)!.firstSyncMs;
  await beginNext(ORIGIN, NEXT);
  await run('withdraw', '--collection', 'known', '--hash', hex(gone), '--reason', 'wrong');

  // While the old generation is damaged nobody can say what of its quarantine goes on.
  await first.hashfed.close();
  await flipRow(ORIGIN);
  const damaged = await openHoster();
  expect((await damaged.hashfed.sync()).failures).toMatchObject([
    { origin: ORIGIN, error: { code: 'STORAGE_FAILED' } },
  ]);
  expect(damaged.released).toEqual([]);
  expect(await damaged.hashfed.store.journal.byState('blocked')).toHaveLength(2);
  await damaged.hashfed.close();
  await flipRow(ORIGIN);
  first = await openHoster();

  const { failures, results } = await first.hashfed.sync();
  expect(failures).toEqual([]);
  expect(results.map(({ origin }) => origin)).toContain(NEXT);
  expect(generations(first.hashfed)).toEqual([NEXT]);
  expect(first.released).toEqual(['gone']);
  expect(await first.hashfed.store.journal.byState('blocked')).toEqual([
    expect.objectContaining({ ref: 'kept', origin: NEXT }),
  ]);
  expect((await first.hashfed.check(kept, { ref: 'again' })).action).toBe('block');
  expect((await first.hashfed.check(gone, { ref: 'gone again' })).action).toBe('none');
  expect(await first.hashfed.store.origins()).not.toContain(ORIGIN);
  expect(Buffer.from((await first.hashfed.store.settings.get('generations'))!).toString()).toContain(
    Buffer.from(note).toString('base64'),
  );
  await first.hashfed.close();

  const second = await openHoster();
  expect(generations(second.hashfed)).toEqual([NEXT]);
  // The list is as old here as its first generation: it does not fall back to observing.
  expect(second.hashfed.matching.find(({ origin }) => origin === NEXT)!.firstSyncMs).toBe(since);
  await run('withdraw', '--collection', 'known', '--hash', hex(kept), '--reason', 'wrong');
  await second.hashfed.sync();
  expect(second.released.sort()).toEqual(['again', 'kept']);
  await second.hashfed.close();
}, 120_000);

test('a hoster that watches goes over to the next generation and hears what happens there', async () => {
  const after = NEXT.replace('g2', 'g3');
  const { hashfed, released } = await openHoster();
  const stop = new AbortController();
  const watching = hashfed.watch(stop.signal);
  const synced = (origin: string, least = 0) =>
    new Promise<void>((resolve) => {
      hashfed.on('synced', (one) => {
        if (one.origin === origin && one.size > least) resolve();
      });
    });
  const file = join(federation.folder, 'more.csv');
  const more = randomBytes(700);
  // So many that both keys sign: a generation ends on a note of two keys.
  const rows = [hex(more), ...Array.from({ length: 60 }, () => randomBytes(32).toString('hex'))];
  await writeFile(file, `sha256,class\n${rows.map((one) => `${one},a\n`).join('')}`);
  // The first round of watching tells what was held already.
  const arrived = synced(NEXT, hashfed.replicas.find(({ origin }) => origin.text === NEXT)!.size);
  await run('publish', file, '--map', join(federation.folder, 'map.json'), '--collection', 'known');
  await arrived;
  expect((await hashfed.check(more, { ref: 'more' })).action).toBe('block');
  const swapped = synced(after);
  await beginNext(NEXT, after);
  await hashfed.sync();
  await swapped;
  const withdrawn = once(hashfed, 'release');
  await run('withdraw', '--collection', 'known', '--hash', hex(more), '--reason', 'wrong');
  await withdrawn;
  expect(released).toEqual(['more']);
  stop.abort();
  await watching;
  await hashfed.close();
}, 120_000);

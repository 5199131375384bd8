import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ProcessFederation, startFederation } from '../support/federation-process.js';

/** Every step through the command line and a real server process, as an analyst takes it. Needs a built dist/. */
let federation: ProcessFederation;
let map: string;
beforeAll(async () => {
  federation = await startFederation();
  map = join(federation.folder, 'map.json');
  const columns = { item_id: 'id', md5: 'md5', sha1: 'sha1', sha256: 'sha256', classification: 'class' };
  await writeFile(
    map,
    JSON.stringify({ format: 1, columns, classifications: { A: { scheme: 1, code: 1 } } }),
  );
});
afterAll(() => federation?.stop());

const hash = (type: string, text: string) => createHash(type).update(text).digest('hex');

interface Source {
  readonly file: string;
  readonly ids: readonly string[];
}

async function source(name: string, count: number, extra: readonly string[] = []): Promise<Source> {
  const ids = Array.from({ length: count }, () => randomBytes(16).toString('hex'));
  const rows = ids.map((id, i) => {
    const text = `${name} ${i}`;
    return `${id},${hash('md5', text)},${hash('sha1', text)},${hash('sha256', text)},A`;
  });
  const file = join(federation.folder, `${name}.csv`);
  await writeFile(file, ['id,md5,sha1,sha256,class', ...rows, ...extra, ''].join('\n'));
  return { file, ids };
}

interface Answer {
  readonly code: number | null;
  readonly stderr: string;
  // biome-ignore lint/suspicious/noExplicitAny: what a command prints, read as a script would.
  readonly json: any;
}

async function run(member: string, ...args: string[]): Promise<Answer> {
  const { code, stdout, stderr } = await federation.run(member, '--json', ...args);
  return { code, stderr, json: stdout === '' ? undefined : JSON.parse(stdout) };
}

const publish = (member: string, file: string, ...more: string[]) =>
  run(member, 'publish', file, '--map', map, '--collection', 'known', ...more);
const withdraw = (member: string, ...more: string[]) =>
  run(member, 'withdraw', '--collection', 'known', ...more);

describe('publish and withdraw, where both keys are at hand', () => {
  it('uses one key below the limit and two above it, and names refused rows', async () => {
    const bad = [`,${'0'.repeat(31)},,,A`, `,${'0'.repeat(32)},,,unheard of`];
    const first = await publish('police', (await source('first', 100, bad)).file);
    expect(first.code).toBe(0);
    expect(first.json).toMatchObject({
      committed: true,
      keys_used: ['list', 'approve'],
      items: 100,
      refused: 2,
    });
    const refused = await readFile(first.json.refused_file, 'utf8');
    expect(refused).toContain('has 31 hexadecimal digits, expected 32');
    expect(refused).toContain('is a value that the map does not name');
    const second = await publish('police', (await source('second', 5)).file);
    expect(second.json).toMatchObject({ committed: true, keys_used: ['list'] });
    expect(second.json.lists).toHaveLength(3);
    for (const list of second.json.lists)
      expect(list).toMatchObject({ from: 101, size: 107, set_count: 105 });
  });

  it('withdraws one hash, then the rest of its item, and refuses what is not listed', async () => {
    const one = ['--hash', hash('sha256', 'first 0'), '--reason', 'wrong'];
    expect((await withdraw('police', ...one)).json).toMatchObject({ withdrawn: 1, still_listed: 2 });
    expect(await withdraw('police', ...one)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('TARGET_ABSENT'),
    });
    const rest = ['--hash', hash('md5', 'first 0'), '--whole-item', '--reason', 'wrong'];
    expect((await withdraw('police', ...rest)).json).toMatchObject({ withdrawn: 2, still_listed: 0 });
  });

  it('lists what was withdrawn as wrong again only when told so, with two keys', async () => {
    const { file } = await source('first', 1);
    expect((await publish('police', file)).stderr).toContain('--readd');
    expect((await publish('police', file, '--readd')).json).toMatchObject({ keys_used: ['list', 'approve'] });
  });

  it('changes nothing in a dry run, and refuses one key for a large change', async () => {
    const { file } = await source('large', 200);
    const dry = await publish('police', file, '--dry-run');
    expect(dry.json).toMatchObject({ committed: false });
    expect(dry.json.lists[0]).toMatchObject({ added: 200, two_keys_needed: true });
    expect(await publish('police', file, '--urgent')).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('THRESHOLD_NOT_MET'),
    });
    expect((await publish('police', file)).json.lists[0].from).toBe(dry.json.lists[0].from);
  });

  it('finishes a publication that was interrupted before its receipt', async () => {
    const done = await publish('police', (await source('interrupted', 3)).file);
    const folder: string = done.json.folder;
    for (const name of await readdir(folder)) if (!name.endsWith('.hfrequest')) await rm(join(folder, name));
    const next = await publish('police', (await source('after', 3)).file);
    expect(next.stderr).toContain(folder);
    expect(next.json.lists[0].from).toBe(done.json.lists[0].size);
    expect(await readdir(folder)).toContain('committed.json');
  });

  it('holds an item, and says who has applied a withdrawal', async () => {
    const { ids } = await source('x', 1);
    const { file } = await source('y', 1);
    const text = (await readFile(file, 'utf8')).split('\n')[1]!;
    const item = text.split(',')[0]!;
    await publish('police', file);
    const held = ['hold', '--collection', 'known', '--reason', 'drill', '--hours', '1'];
    expect((await run('police', ...held, '--item', item)).json).toMatchObject({ records: 3 });
    expect((await run('police', ...held, '--item', ids[0]!)).stderr).toContain('TARGET_ABSENT');
    const withdrawn = await withdraw('police', '--item', item, '--reason', 'duplicate');
    const status = await run('police', 'withdrawal', 'status', withdrawn.json.publish_id);
    expect(status.json).toMatchObject({ applied: 0, total: 6 });
  });
});

describe('in steps, with keys that are elsewhere', () => {
  it('prepares, signs, countersigns and submits; both sheets show one code', async () => {
    const batch = join(federation.folder, 'cases.hfbatch');
    const stick = join(federation.folder, 'stick');
    const { file } = await source('steps', 50);
    const made = await run('hotline', 'import', file, '--map', map, '--collection', 'known', '--out', batch);
    expect(made.json).toMatchObject({ items: 50, refused: 0 });
    const prepared = await run('hotline', 'batch', 'prepare', batch, '--out', stick);
    expect(prepared.json).toMatchObject({ two_keys_needed: true });
    const [list, approve] = prepared.json.requests.map((request: { file: string }) => request.file);
    const review = await run('hotline', 'batch', 'review', approve);
    expect(review.json.code).toBe(prepared.json.code);
    expect(review.json.lists[0]).toMatchObject({
      counts: { adds: 50, seals: 1 },
      set_count: 50,
      one_key: [],
    });
    const first = await run('hotline', 'batch', 'sign', list, '--yes');
    expect((await run('hotline', 'batch', 'submit', first.json.signed)).code).toBe(4);
    expect((await run('hotline', 'batch', 'countersign', list, '--yes')).code).toBe(2);
    const second = await run('hotline', 'batch', 'countersign', approve, '--yes');
    expect(second.json.code).toBe(first.json.code);
    const submitted = await run('hotline', 'batch', 'submit', first.json.signed, second.json.signed);
    expect(submitted.json.lists).toHaveLength(3);
    for (const one of submitted.json.lists) expect(one).toMatchObject({ size: 51, two_keys: true });
    const status = await run('hotline', 'batch', 'status', list);
    expect(status.json.lists[0].state).toBe('committed');
  });

  it('withdraws and holds by batches that are signed elsewhere', async () => {
    const { file, ids } = await source('away', 30);
    expect((await publish('hotline', file)).code).toBe(0);
    const batch = join(federation.folder, 'away.hfbatch');
    const made = await withdraw('hotline', '--item', ids[0]!, '--reason', 'wrong', '--out', batch);
    expect(made.json).toMatchObject({ batch, withdrawn: 3, still_listed: 0 });
    const again = await withdraw('hotline', '--item', ids[1]!, '--reason', 'wrong', '--out', batch);
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('exists already') });
    const lists = await inSteps(batch);
    for (const one of lists) expect(one).toMatchObject({ withdrawn: 1, added: 0 });

    const brake = join(federation.folder, 'brake.hfbatch');
    const reason = ['--reason', 'disputed', '--out', brake];
    const held = await run('hotline', 'hold', '--collection', 'known', '--item', ids[2]!, ...reason);
    expect(held.json).toMatchObject({ batch: brake, records: 3 });
    expect(await inSteps(brake)).toHaveLength(3);
  });

  it('says why where every row was refused', async () => {
    const file = join(federation.folder, 'bad.csv');
    await writeFile(file, 'id,md5,sha1,sha256,class\ncase-1,,,zz,A\n');
    const batch = join(federation.folder, 'bad.hfbatch');
    const made = await run('hotline', 'import', file, '--map', map, '--collection', 'known', '--out', batch);
    expect(made.code).toBe(2);
    expect(made.stderr).toContain('line 2: id: is not 32 hexadecimal digits');
    expect(made.stderr).toContain(`${batch}.refused.csv`);
  });
});

/** Prepares, signs with the sequencing key and submits; answers what was prepared. */
async function inSteps(batch: string): Promise<readonly object[]> {
  const stick = join(federation.folder, `stick-${randomBytes(4).toString('hex')}`);
  const prepared = await run('hotline', 'batch', 'prepare', batch, '--out', stick);
  const signed = await run('hotline', 'batch', 'sign', prepared.json.requests[0].file, '--yes');
  expect((await run('hotline', 'batch', 'submit', signed.json.signed)).code).toBe(0);
  return prepared.json.lists;
}

import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ProcessFederation, startFederation } from '../support/federation-process.js';

const HOSTER = 'hoster-a';
const MAP = {
  format: 1,
  columns: { sha256: 'sha256', classification: 'class' },
  classifications: { a: { scheme: 1, code: 1 } },
  verifications: 1,
};

let federation: ProcessFederation;
let files: string;

type Line = Record<string, unknown>;

/** Runs a command of the hoster; answers its exit code and what it printed, line by line. */
async function run(...args: readonly string[]): Promise<{ code: number | null; lines: Line[]; last: Line }> {
  const { code, stdout, stderr } = await federation.run(HOSTER, ...args, '--json');
  const lines = stdout.split('\n').filter((line) => line !== '');
  const parsed = lines.map((line) => JSON.parse(line) as Line);
  return { code, lines: parsed, last: parsed.at(-1) ?? { stderr } };
}

async function publish(...paths: readonly string[]): Promise<void> {
  const rows = await Promise.all(
    paths.map(
      async (path) =>
        `${createHash('sha256')
          .update(await readFile(path))
          .digest('hex')},a\n`,
    ),
  );
  const file = join(federation.folder, `${randomBytes(4).toString('hex')}.csv`);
  const map = join(federation.folder, 'map.json');
  await writeFile(map, JSON.stringify(MAP));
  await writeFile(file, `sha256,class\n${rows.join('')}`);
  const args = ['publish', file, '--map', map, '--collection', 'known', '--json'];
  expect(await federation.run('police', ...args)).toMatchObject({ code: 0 });
}

beforeAll(async () => {
  federation = await startFederation();
  files = await mkdtemp(join(tmpdir(), 'hashfed-stored-'));
  await mkdir(join(files, 'sub'));
  for (let i = 0; i < 30; i++) await writeFile(join(files, 'sub', `f${i}`), randomBytes(1_000 + i));
  await writeFile(join(files, 'empty'), '');
  const config = join(federation.member(HOSTER), 'hashfed.json');
  const policy = { probation_hours: 0, observe_hours: 0 };
  await writeFile(config, JSON.stringify({ ...JSON.parse(await readFile(config, 'utf8')), policy }));
  await publish(join(files, 'sub/f3'));
  expect((await run('sync')).code).toBe(0);
}, 120_000);

afterAll(async () => {
  await federation?.stop();
  await rm(files, { recursive: true, force: true });
});

describe('stored files', () => {
  it('are read once, and matched again without being read', async () => {
    const first = await run('scan', files);
    expect(first.code).toBe(10);
    expect(first.last).toMatchObject({ files: 30, empty: 1, matches: 1, blocked: 1, unchanged: 0 });
    const second = await run('scan', files);
    expect(second.last).toMatchObject({ files: 30, matches: 1, unchanged: 30, complete: true });
  });

  it('are stated in telemetry, with how much of them was checked against current lists', async () => {
    const { last } = await run('telemetry', 'show');
    const [next] = (last['next'] as { coverage: Line }[]).slice(-1);
    expect(next?.coverage).toMatchObject({ objects_stored: 30, at_rest: true });
    expect(next?.coverage['bytes_stored_checked']).toBe(next?.coverage['bytes_stored']);
  });

  it('that changed are read again, whatever their time says', async () => {
    const path = join(files, 'sub/f5');
    const old = new Date('2020-01-01');
    await utimes(path, old, old);
    await run('scan', files);
    await writeFile(`${path}.new`, randomBytes(1_005));
    await utimes(`${path}.new`, old, old);
    await rename(`${path}.new`, path);
    expect((await run('scan', files)).last).toMatchObject({ files: 30, unchanged: 29 });
  });

  it('match a new batch by their hashes alone, once', async () => {
    const path = join(files, 'sub/f7');
    await publish(path);
    await run('sync');
    const rematched = await run('rematch');
    expect(rematched.code).toBe(10);
    expect(rematched.lines[0]).toMatchObject({ event: 'match', path, action: 'block' });
    expect(rematched.last).toMatchObject({ objects: 30, looked_for: 1, matches: 1 });
    expect(await run('rematch')).toMatchObject({ code: 0, last: { looked_for: 0, matches: 0 } });
    // The operator's three test items are looked for, too.
    expect((await run('rematch', '--all')).last).toMatchObject({ looked_for: 5, matches: 2 });
  });

  it('state how much of them was checked', async () => {
    const { last } = await run('inventory');
    expect(last['coverage']).toMatchObject({ objects: 30, checked_objects: 30, share: 1 });
    expect((await run('inventory', '--max-age-hours', '0')).code).toBe(2);
    const { stdout } = await federation.run(HOSTER, 'inventory', '--max-age-hours', '12');
    expect(stdout).toContain('100 % of bytes were checked against lists of at most 12 h.');
  });

  it('are all read where no inventory is wanted', async () => {
    expect((await run('scan', files, '--no-inventory')).last).toMatchObject({ files: 30, unchanged: 0 });
  });

  it.each([
    ['--max-mbps', '0'],
    ['--max-mbps', 'fast'],
    ['--window', '25:00-26:00'],
    ['--window', '06:00-06:00'],
  ])('refuses %s %s', async (option, value) => {
    expect((await run('scan', files, option, value)).code).toBe(2);
  });
});

describe('another policy', () => {
  it.each(['inventory', 'journal'])('is tried against the %s, and changes nothing', async (against) => {
    const policy = join(federation.folder, 'stricter.json');
    await writeFile(policy, JSON.stringify({ probation_hours: 1_000, observe_hours: 0 }));
    const before = (await run('quarantine', 'list')).last;
    const { last } = await run('policy', 'test', '--against', against, '--policy', policy);
    expect(last).toMatchObject({ objects: 2, counts: { 'block → hold': 2 } });
    expect((await run('quarantine', 'list')).last).toEqual(before);
  });
});

describe('the end of a quarantine', () => {
  it('hands over with a record, keeps what must be kept, deletes on an order', async () => {
    const what = join(files, 'sub/f3');
    const out = join(federation.folder, 'record.json');
    await writeFile(out, 'of another object');
    const refused = await run('quarantine', 'hand-over', what, '--to', 'the police', '--out', out);
    expect(refused.code).toBe(2);
    expect(String(refused.last['stderr'])).toContain('exists already');
    expect(await readFile(out, 'utf8')).toBe('of another object');
    await rm(out);
    const listed = (await run('quarantine', 'show', what)).last['entries'] as Line[];
    expect(listed[0]).toMatchObject({ state: 'blocked' });
    const shown = await federation.run(HOSTER, 'quarantine', 'show', what);
    expect(shown.stdout).toContain(String(listed[0]?.['item_id']));
    const handed = await run('quarantine', 'hand-over', what, '--to', 'the police', '--out', out);
    expect(handed.last).toMatchObject({ handed_over: [what] });
    expect(JSON.parse(await readFile(out, 'utf8'))).toMatchObject({
      handed_over_to: 'the police',
      entries: [{ ref: what, action: 'block' }],
      history: [{ state: 'blocked', time_ms: expect.any(Number) as number }],
    });
    expect((await run('quarantine', 'delete', what)).code).toBe(2);
    // A second look does not undo that somebody may ask for it.
    expect((await run('quarantine', 'release', what, '--reason', 'looked again')).code).toBe(0);
    expect((await run('quarantine', 'delete', what)).code).toBe(2);
    expect((await run('quarantine', 'delete', what, '--order', '4 Gs 17')).last).toMatchObject({
      deleted: [what],
    });
  });

  it('lets end what the periods end, and nothing else', async () => {
    expect((await run('quarantine', 'expire')).last).toMatchObject({ expired: [], overdue: [] });
    const config = join(federation.member(HOSTER), 'hashfed.json');
    const held = JSON.parse(await readFile(config, 'utf8')) as { policy: object };
    const retention = { preserve_days: 0, delete_after_days: 0 };
    await writeFile(config, JSON.stringify({ ...held, policy: { ...held.policy, retention } }));
    const what = join(files, 'sub/f7');
    expect((await run('quarantine', 'expire', '--dry-run')).last).toMatchObject({
      expired: [what],
      dry_run: true,
    });
    expect((await run('quarantine', 'expire')).last).toMatchObject({ expired: [what] });
    expect((await run('quarantine', 'list')).last).toEqual({ entries: [] });
  });
});

describe('leaving', () => {
  it('asks first, then removes lists and inventory and keeps the journal', async () => {
    expect((await run('leave')).code).toBe(2);
    expect((await run('leave', '--yes')).last).toMatchObject({ left: true, told: true });
    const { last } = await run('lists');
    const lists = last['lists'] as { state: string }[];
    expect(new Set(lists.map(({ state }) => state))).toEqual(new Set(['EMPTY']));
    expect((await run('inventory')).last).toMatchObject({ shelves: [] });
    const journal = await run('quarantine', 'list', '--state', 'deleted');
    expect((journal.last['entries'] as unknown[]).length).toBe(2);
  });
});

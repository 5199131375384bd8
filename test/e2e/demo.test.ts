import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTree, sample } from './demo/files.js';

const DEMO = join(import.meta.dirname, '../../dist/test/e2e/demo/main.js');
const FILES = 120;
const COPIES = 10;

let scratch: string;
let folder: string;

/** Different files, copies of some, an empty one, and a copy in .git that must not count. */
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hashfed-demo-test-'));
  folder = join(scratch, 'files');
  for (const name of ['a', 'b/deep', '.git']) await mkdir(join(folder, name), { recursive: true });
  for (let i = 0; i < FILES; i++) await writeFile(join(folder, 'a', `${i}.txt`), `file ${i}\n`.repeat(i + 1));
  for (let i = 0; i < COPIES; i++)
    await cp(join(folder, 'a', `${i}.txt`), join(folder, 'b/deep', `copy-${i}`));
  await writeFile(join(folder, 'b/empty'), '');
  await cp(join(folder, 'a'), join(folder, '.git/a'), { recursive: true });
});

afterAll(() => rm(scratch, { recursive: true, force: true }));

interface DemoRun {
  readonly code: number | null;
  readonly lines: readonly string[];
  readonly stderr: string;
}

/** Runs the demo as `npm run demo -- --once --json` does; `onLine` sees its lines as they come. */
async function runDemo(args: readonly string[], onLine: (line: string) => void = () => {}): Promise<DemoRun> {
  const child = spawn(process.execPath, [DEMO, '--json', '--scan', folder, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: scratch },
  });
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    onLine(line);
    if (line.includes('"event":"summary"') && !args.includes('--once')) child.kill('SIGINT');
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString('utf8');
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, lines, stderr };
}

describe('the demo', { timeout: 300_000 }, () => {
  it('verifies every step that exists and sums up', async () => {
    const { code, lines, stderr } = await runDemo(['--once', '--seed', '7']);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const events = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    const summary = events.at(-1) as unknown as Summary;
    expect(summary).toMatchObject({ event: 'summary', ok: true });
    expect(Object.keys(summary)).toEqual(SUMMARY_FIELDS);
    checkSummary(summary);
    const steps = events.filter(({ event }) => event === 'step').map(({ name }) => name);
    expect(steps).toEqual(expect.arrayContaining(['publish', 'sync', 'scan', 'withdraw', 'telemetry']));
    expect((await readdir(scratch)).filter((name) => name.startsWith('hashfed-demo-'))).toEqual([]);
  });

  it('goes on until it is interrupted, and ends cleanly', async () => {
    const { code, lines } = await runDemo([]);
    expect(code).toBe(0);
    expect(JSON.parse(lines.at(-1)!)).toMatchObject({ event: 'summary', ok: true });
  });

  it('fails when the files change under it', async () => {
    const extra = join(folder, 'c');
    const sabotage = (line: string): void => {
      if (line.includes('"name":"init"')) void cp(join(folder, 'a'), extra, { recursive: true });
    };
    const { code, lines, stderr } = await runDemo(['--once'], sabotage);
    await rm(extra, { recursive: true, force: true });
    expect(code).toBe(1);
    expect(stderr).toMatch(/demo failed: .*matched/);
    expect(lines.some((line) => line.includes('"event":"summary"'))).toBe(false);
  });
});

describe('a demo that cannot start', () => {
  it.each([[['--bogus']], [['--scan', '/no/such/folder']], [['--seed', 'x']]])('%j', async (args) => {
    const { code, lines, stderr } = await runDemo(args);
    expect([code, lines]).toEqual([2, []]);
    expect(stderr).toContain('npm run demo -- [--once]');
  });
});

describe('the sample', () => {
  it('is the same for the same seed, another for another, and each content is listed once', async () => {
    const tree = await readTree(folder);
    const hashes = (seed: number) =>
      sample(tree, seed, [20, 10]).map((part) => part.map(({ sha256 }) => sha256));
    expect(hashes(3)).toEqual(hashes(3));
    expect(hashes(4)).not.toEqual(hashes(3));
    const [police = [], hotline = []] = hashes(3);
    expect([police.length, hotline.length, new Set([...police, ...hotline]).size]).toEqual([20, 10, 30]);
  });

  it('counts copies, and neither empty files nor history', async () => {
    const tree = await readTree(folder);
    expect(tree.files).toBe(FILES + COPIES);
    expect(tree.contents).toHaveLength(FILES);
    expect(tree.contents.flatMap(({ paths }) => paths).some((path) => path.includes('.git'))).toBe(false);
  });
});

const SUMMARY_FIELDS = [
  'event',
  'ok',
  'seconds',
  'lists',
  'hoster',
  'withdrawal',
  'telemetry',
  'takedown',
  'mirror',
  'monitor_url',
];

interface Summary {
  readonly lists: readonly { origin: string; size: number; present: number; checkpoint_root: string }[];
  readonly hoster: Readonly<Record<string, number | null>>;
  readonly withdrawal: Readonly<Record<string, number>>;
  readonly telemetry: Readonly<Record<string, number>>;
  readonly mirror: readonly { origin: string; origin_root: string; mirror_root: string }[];
}

function checkSummary({ lists, hoster, withdrawal, telemetry, mirror }: Summary): void {
  expect(lists).toHaveLength(7);
  for (const { origin, size, present, checkpoint_root } of lists) {
    expect(checkpoint_root).toMatch(/^[0-9a-f]{64}$/);
    // One SEAL a batch; the withdrawal took one record, with an entry and a SEAL of its own.
    expect(size - present).toBe(origin.startsWith('police.example/') ? 4 : 1);
    expect(mirror).toContainEqual({ origin, origin_root: checkpoint_root, mirror_root: checkpoint_root });
  }
  expect(hoster['files']).toBe(FILES + COPIES);
  expect(hoster['matches']).toBe(hoster['expected_matches']);
  expect(hoster['matches']).toBe(hoster['blocked']! + hoster['held']!);
  expect(hoster).toMatchObject({ false_matches: 0, vetoed: null });
  expect(Math.min(hoster['blocked']!, hoster['held']!)).toBeGreaterThanOrEqual(1);
  expect(withdrawal['applied_by']).toBe(withdrawal['of']);
  expect(withdrawal['released']).toBeGreaterThanOrEqual(1);
  expect(telemetry).toEqual({
    reports: 1,
    objects_checked: FILES + COPIES + 1,
    objects_matched: hoster['matches'],
  });
}

import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NO_COUNTS, runScan, type ScanCounts } from '../../../client/commands/scan-run.js';
import { showPath, type Walked, walk } from '../../../client/commands/scan-walk.js';
import type { Hashfed, Pipeline } from '../../../sdk/index.js';
import { runCommand } from '../../support/federation-process.js';

let folder: string;
const NONE: ReadonlySet<string> = new Set();
/** `ü` in Latin-1: no UTF-8. */
const LATIN1 = Buffer.from([0x66, 0xfc]);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hashfed-scan-'));
  for (const name of ['a', 'a/deep', 'b', 'b.c', '.git'])
    await mkdir(join(folder, name), { recursive: true });
  for (const name of ['a/1', 'a/2', 'a/deep/3', 'a.txt', 'b/4', 'b.c/5', '.git/6', 'z'])
    await writeFile(join(folder, name), `content of ${name}`);
  await writeFile(join(folder, 'b/empty'), '');
  await writeFile(Buffer.concat([Buffer.from(`${folder}/`), LATIN1]), 'named in Latin-1');
  await symlink('..', join(folder, 'a/loop'));
  await symlink('nowhere', join(folder, 'b/dangling'));
  expect((await runCommand('mkfifo', [join(folder, 'b/pipe')])).code).toBe(0);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function walkAll(exclude = NONE, after?: Buffer): Promise<Walked[]> {
  const found: Walked[] = [];
  for await (const one of walk(Buffer.from(folder), { exclude, ...(after && { after }) })) found.push(one);
  return found;
}

const names = (found: readonly Walked[]) => found.map(({ relative }) => relative.toString('latin1'));

describe('walking a folder', () => {
  it('finds every file once, names that are no UTF-8 among them, and follows no link', async () => {
    const found = await walkAll();
    const files = names(found.filter(({ kind }) => kind === 'file'));
    expect(files).toEqual(
      ['.git/6', 'a/1', 'a/2', 'a/deep/3', 'a.txt', 'b/4', 'b/empty', 'b.c/5', 'f\u00fc', 'z'].sort((x, y) =>
        order(x, y),
      ),
    );
    const skipped = found.filter(({ kind }) => kind === 'skipped').map(({ reason }) => reason);
    expect(skipped.sort()).toEqual(['special', 'symlink', 'symlink']);
  });

  it('goes on after any point without a gap or a repetition', async () => {
    const found = await walkAll();
    for (const [i, { relative }] of found.entries())
      expect(names(await walkAll(NONE, relative))).toEqual(names(found.slice(i + 1)));
  });

  it('goes on where the last file is gone meanwhile', async () => {
    const all = names(await walkAll());
    const rest = names(await walkAll(NONE, Buffer.from('a/1x')));
    expect(rest).toEqual(all.slice(all.indexOf('a/2')));
  });

  it('leaves out excluded names, and says so', async () => {
    const found = await walkAll(new Set(['.git', 'deep']));
    expect(names(found.filter(({ reason }) => reason === 'excluded'))).toEqual(['.git', 'a/deep']);
    expect(names(found)).not.toContain('a/deep/3');
  });

  it('tells what it cannot open', async () => {
    const found: Walked[] = [];
    for await (const one of walk(Buffer.from(join(folder, 'absent')), { exclude: NONE })) found.push(one);
    expect(found).toMatchObject([{ kind: 'unreadable', reason: 'ENOENT' }]);
  });

  it('shows bytes that are no UTF-8', () => {
    expect(showPath(LATIN1)).toBe('f\\xfc');
    expect(showPath(Buffer.from('f\u00fc'))).toBe('f\u00fc');
  });
});

/** Byte order of path parts, as the walk has it. */
function order(x: string, y: string): number {
  const [a, b] = [x.split('/'), y.split('/')];
  for (let i = 0; i < Math.min(a.length, b.length); i++)
    if (a[i] !== b[i]) return Buffer.compare(Buffer.from(a[i]!, 'latin1'), Buffer.from(b[i]!, 'latin1'));
  return a.length - b.length;
}

const BLOCK = { action: 'block', matches: [{ origin: 'o' }], freshness: 'FRESH', because: [] };
const CLEAN = { action: 'none', matches: [], freshness: 'FRESH', because: [] };

/** Blocks files whose name is listed; what a scan needs of facade and pipeline, and no more. */
interface Fake {
  readonly hashfed: Hashfed;
  readonly pipeline: Pipeline;
}

function fake(listed: readonly string[], judged: string[], onJudge: () => void = () => {}): Fake {
  const checkFile = async (path: Buffer, { ref }: { ref: string }) => {
    const bytes = (await readFile(path)).length;
    const name = ref.slice(folder.length + 1);
    if (bytes > 0) judged.push(name);
    onJudge();
    const state = { size: bytes, mtimeNs: 0n, inode: 0n, device: 0n };
    const verdict = listed.includes(name) ? BLOCK : CLEAN;
    return { status: 'checked', verdict, object: { hashes: {}, bytes }, state };
  };
  return {
    hashfed: { matching: [{ origin: 'o', purpose: 'listed' }] } as unknown as Hashfed,
    pipeline: { checkFile } as unknown as Pipeline,
  };
}

interface Run {
  readonly counts: ScanCounts;
  readonly complete: boolean;
  readonly matched: readonly string[];
  readonly after: Buffer | undefined;
}

async function scanWith(
  { hashfed, pipeline }: Fake,
  options: { jobs: number; signal?: AbortSignal; after?: Buffer; counts?: ScanCounts },
): Promise<Run> {
  const counts = { ...NO_COUNTS, ...options.counts };
  const matched: string[] = [];
  let { after } = options;
  const complete = await runScan(
    {
      hashfed,
      pipeline,
      folder,
      exclude: NONE,
      jobs: options.jobs,
      ...(after && { after }),
      signal: options.signal ?? new AbortController().signal,
      onMatch: (path) => matched.push(path.slice(folder.length + 1)),
      onUnreadable: () => {},
      onDone: async (relative) => {
        after = relative;
      },
    },
    counts,
  );
  return { counts, complete, matched, after };
}

describe('a scan', () => {
  it('checks every file with content and counts the others', async () => {
    const judged: string[] = [];
    const { counts, complete, matched } = await scanWith(fake(['a/2', 'b.c/5'], judged), { jobs: 3 });
    expect(complete).toBe(true);
    expect(matched).toEqual(['a/2', 'b.c/5']);
    expect(counts).toMatchObject({ files: 9, empty: 1, skipped: 3, matches: 2, blocked: 2, unreadable: 0 });
    expect(new Set(judged).size).toBe(9);
  });

  it.each([1, 4])('interrupted after any file and resumed, misses none (%i at a time)', async (jobs) => {
    const whole = await scanWith(fake(['a/2', 'z'], []), { jobs });
    for (let stopAfter = 1; stopAfter <= 9; stopAfter++) {
      const stop = new AbortController();
      const judged: string[] = [];
      const counting = (): void => {
        if (judged.length === stopAfter) stop.abort();
      };
      const first = await scanWith(fake(['a/2', 'z'], judged, counting), {
        jobs,
        signal: stop.signal,
      });
      const rest = await scanWith(fake(['a/2', 'z'], judged), {
        jobs,
        counts: first.counts,
        ...(first.after && { after: first.after }),
      });
      expect(rest.complete).toBe(true);
      expect(new Set(judged).size).toBe(9);
      expect(rest.counts).toEqual(whole.counts);
      expect([...new Set([...first.matched, ...rest.matched])].sort()).toEqual(['a/2', 'z']);
    }
  });
});

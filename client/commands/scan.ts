import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type Hashfed, HashfedError } from '../../sdk/index.js';
import { action, type CliContext, EXIT, type ExitCode, strongestExit } from '../cli/index.js';
import { freshnessExit, verdictLine, withHoster } from './hoster-shared.js';
import { ScanCursor } from './scan-cursor.js';
import { NO_COUNTS, runScan, type ScanCounts } from './scan-run.js';

interface Options {
  readonly resume?: boolean;
  readonly jobs: string;
  readonly exclude?: readonly string[];
}

const DEFAULT_JOBS = 8;
const MAX_JOBS = 256;

const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];

export function register(program: Command): void {
  program
    .command('scan')
    .argument('<dir>', 'a folder of stored files')
    .description('check every file below a folder; matches are journaled and counted')
    .option('--resume', 'go on where an interrupted scan of this folder stopped')
    .option('--jobs <n>', 'files read at the same time', String(DEFAULT_JOBS))
    .option(
      '--exclude <name>',
      'leave out files and folders of this name; may be given several times',
      collect,
    )
    .addHelpText(
      'after',
      '\nExamples:\n  hashfed scan /srv/uploads\n  hashfed scan /srv/uploads --resume --exclude .git --json\n\n' +
        'Links are not followed. Exit code 10: something matched.',
    )
    .action(
      action<Options>(async (context, options, [dir = '.']) => {
        const folder = await requireFolder(dir);
        const jobs = readJobs(options.jobs);
        return withHoster(context, 'auto', (hashfed) => scan(context, hashfed, folder, { ...options, jobs }));
      }),
    );
}

async function requireFolder(dir: string): Promise<string> {
  const folder = resolve(dir);
  const found = await stat(folder).catch((cause: unknown) => {
    throw new HashfedError('USAGE', `cannot open the folder ${folder}`, { field: 'DIR', cause });
  });
  if (!found.isDirectory())
    throw new HashfedError('USAGE', `${folder} is no folder; use hashfed check for files`, { field: 'DIR' });
  return folder;
}

function readJobs(text: string): number {
  const jobs = Number(text);
  if (!Number.isInteger(jobs) || jobs < 1 || jobs > MAX_JOBS)
    throw new HashfedError('USAGE', `--jobs must be a number from 1 to ${MAX_JOBS}`, { field: 'jobs' });
  return jobs;
}

interface ScanOptions {
  readonly resume?: boolean;
  readonly jobs: number;
  readonly exclude?: readonly string[];
}

async function scan(
  context: CliContext,
  hashfed: Hashfed,
  folder: string,
  options: ScanOptions,
): Promise<ExitCode> {
  const { out, clock, signal } = context;
  const started = clock.monotonicMs();
  const cursor = new ScanCursor(hashfed, folder, () => clock.monotonicMs());
  const mark = options.resume === true ? await cursor.read() : undefined;
  const counts: ScanCounts = { ...NO_COUNTS, ...mark?.counts };
  let after = mark?.after;
  const progress = out.progress('files');
  const complete = await runScan(
    {
      hashfed,
      folder,
      exclude: new Set(options.exclude),
      jobs: options.jobs,
      ...(after && { after }),
      signal,
      onMatch: (path, verdict) =>
        out.result({ event: 'match', path, ...verdict }, verdictLine(path, verdict)),
      onUnreadable: (path, reason) => {
        if (out.json) out.result({ event: 'unreadable', path, reason }, '');
        else out.warn(`unreadable: ${path}: ${reason}`);
      },
      onDone: (relative) => {
        after = relative;
        progress.update(counts.files, 0);
        return cursor.note({ after, counts });
      },
    },
    counts,
  ).finally(() => progress.stop());
  if (complete) await cursor.forget();
  else if (after !== undefined) await cursor.save({ after, counts });
  tellEnd(context, counts, {
    complete,
    resumed: mark !== undefined,
    seconds: (clock.monotonicMs() - started) / 1000,
  });
  return exitOf(context, hashfed, counts, complete);
}

interface End {
  readonly complete: boolean;
  readonly resumed: boolean;
  readonly seconds: number;
}

function tellEnd({ out }: CliContext, counts: ScanCounts, end: End): void {
  const seconds = Math.round(end.seconds * 1000) / 1000;
  const { files, bytes, matches, blocked, held, unreadable } = counts;
  out.result({ event: 'summary', ...counts, ...end, seconds }, [
    `${files} files (${Math.round(bytes / 1e6)} MB) checked in ${seconds} s: ${matches} matches, ${blocked} blocked, ${held} held.`,
    ...(unreadable > 0 ? [`${unreadable} files could not be read.`] : []),
    ...(end.complete ? [] : ['Interrupted: go on with --resume.']),
  ]);
}

function exitOf(context: CliContext, hashfed: Hashfed, counts: ScanCounts, complete: boolean): ExitCode {
  const codes: ExitCode[] = [freshnessExit(hashfed, context)];
  if (counts.matches > 0) codes.push(EXIT.match);
  if (!complete) codes.push(EXIT.failed);
  return strongestExit(codes);
}

import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import {
  type Hashfed,
  HashfedError,
  matchedNow,
  openInventory,
  type Pipeline,
  type Rescan,
  stateStored,
} from '../../sdk/index.js';
import {
  action,
  bytesText,
  type CliContext,
  count,
  EXIT,
  type ExitCode,
  strongestExit,
} from '../cli/index.js';
import { freshnessExit, verdictLine, withHoster } from './hoster-shared.js';
import { ScanCursor } from './scan-cursor.js';
import { makePace, type Pace } from './scan-pace.js';
import { NO_COUNTS, runScan, type ScanCounts } from './scan-run.js';

interface Options {
  readonly resume?: boolean;
  readonly jobs: string;
  readonly exclude?: readonly string[];
  readonly maxMbps?: string;
  readonly window?: string;
  readonly inventory: boolean;
}

/** Files in work: enough that small ones travel to the hashing threads by the dozen. */
const DEFAULT_JOBS = 64;
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
    .option('--max-mbps <n>', 'read at most so many megabits a second')
    .option('--window <hours>', 'read only at these hours of the day, HH:MM-HH:MM in local time; wait else')
    .option('--no-inventory', 'read every file again, and keep no hashes')
    .addHelpText(
      'after',
      '\nExamples:\n  hashfed scan /srv/uploads\n  hashfed scan /srv/uploads --resume --exclude .git --json\n' +
        '  hashfed scan /srv/uploads --max-mbps 400 --window 22:00-06:00\n\n' +
        'Unchanged files (size, time, inode) are matched by their hashes in the inventory and not read again.\n' +
        'Links are not followed. Exit code 10: something matched.',
    )
    .action(
      action<Options>(async (context, options, [dir = '.']) => {
        const folder = await requireFolder(dir);
        const jobs = readJobs(options.jobs);
        const pace = makePace(options, context, (text) => context.out.warn(text));
        return withHoster(context, 'auto', (hashfed) =>
          withScanning(context, hashfed, folder, options, pace, (tools) =>
            scan(context, hashfed, folder, { ...options, ...tools, jobs }),
          ),
        );
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

interface Tools {
  readonly pipeline: Pipeline;
  readonly rescan?: Rescan;
  readonly open?: () => Promise<void>;
}

/** Opens threads and inventory for the time of a scan. */
async function withScanning<T>(
  context: CliContext,
  hashfed: Hashfed,
  folder: string,
  options: Options,
  pace: Pace | undefined,
  work: (tools: Tools) => Promise<T>,
): Promise<T> {
  await using pipeline = hashfed.pipeline({
    // Nothing to look at: counted apart, by the scan.
    judge: (object, of) => hashfed.judgeObject(object, object.bytes === 0 ? undefined : of),
    ...(pace && { pace: pace.pace }),
  });
  const open = pace && { open: pace.open };
  if (!options.inventory) return work({ pipeline, ...open });
  const inventory = openInventory(hashfed, await context.config());
  const rescan = await inventory.rescan(folder, matchedNow(hashfed), options.resume === true);
  try {
    return await work({ pipeline, rescan, ...open });
  } finally {
    await rescan.close();
    await stateStored(hashfed, inventory);
  }
}

interface ScanOptions extends Tools {
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
  const { pipeline, rescan, open } = options;
  // What was done before must still be known, or the inventory would miss it.
  const canResume = options.resume === true && (rescan === undefined || rescan.resumed);
  const mark = canResume ? await cursor.read() : undefined;
  if (rescan !== undefined) cursor.beforeSave = () => rescan.save();
  const counts: ScanCounts = { ...NO_COUNTS, ...mark?.counts };
  let after = mark?.after;
  const progress = out.progress('files');
  const complete = await runScan(
    {
      hashfed,
      pipeline,
      ...(rescan && { rescan }),
      ...(open && { open }),
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
  if (complete) {
    await rescan?.finish({ ...seenBy(counts), atMs: clock.nowMs() });
    await cursor.forget();
  } else if (after !== undefined) await cursor.save({ after, counts });
  tellEnd(context, counts, {
    complete,
    resumed: mark !== undefined,
    seconds: (clock.monotonicMs() - started) / 1000,
  });
  return exitOf(context, hashfed, counts, complete);
}

function seenBy({ files, bytes, unreadable, unreadable_bytes }: ScanCounts) {
  return { objects: files + unreadable, bytes: bytes + unreadable_bytes };
}

interface End {
  readonly complete: boolean;
  readonly resumed: boolean;
  readonly seconds: number;
}

function tellEnd({ out }: CliContext, counts: ScanCounts, end: End): void {
  const seconds = Math.round(end.seconds * 1000) / 1000;
  const { files, bytes, matches, blocked, held, observed, unreadable, unchanged, kept } = counts;
  out.result({ event: 'summary', ...counts, ...end, seconds }, [
    `${count(files, 'file')} (${bytesText(bytes)}) checked in ${seconds} s: ${count(matches, 'match', 'matches')}, ${blocked} blocked, ${held} held.`,
    ...(observed > 0 ? [`On lists that only observe yet: ${observed}; counted, nothing held.`] : []),
    ...(unchanged > 0 ? [`Unchanged, not read again: ${unchanged.toLocaleString('en')}.`] : []),
    ...(unreadable > 0
      ? [`Could not be read: ${count(unreadable, 'file or folder', 'files or folders')}.`]
      : []),
    ...(kept > 0
      ? [
          `In folders that cannot be read now, matched by the hashes of the last scan: ${kept.toLocaleString('en')}.`,
        ]
      : []),
    ...(end.complete ? [] : ['Interrupted: go on with --resume.']),
  ]);
}

function exitOf(context: CliContext, hashfed: Hashfed, counts: ScanCounts, complete: boolean): ExitCode {
  const codes: ExitCode[] = [freshnessExit(hashfed, context)];
  if (counts.matches > 0) codes.push(EXIT.match);
  if (!complete) codes.push(EXIT.failed);
  return strongestExit(codes);
}

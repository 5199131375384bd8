import { resolve } from 'node:path';
import type { Command } from 'commander';
import { HashfedError } from '../../sdk/core/index.js';
import type { Hashfed, Verdict } from '../../sdk/index.js';
import { action, type CliContext, EXIT, type ExitCode } from '../cli/index.js';
import { walkFiles } from '../scan/walk.js';
import { withHashfed } from './hoster-shared.js';

interface Options {
  readonly concurrency: string;
  readonly exclude: readonly string[];
}

/** What a scan counted. Unreadable files are named and never end it. */
interface Totals {
  files: number;
  bytes: number;
  matches: number;
  held: number;
  blocked: number;
  tests: number;
  allowed: number;
  unreadable: number;
}

export function register(program: Command): void {
  program
    .command('scan')
    .argument('<dir>', 'folder to scan; links are not followed')
    .description('check all files below a folder; exits 10 where something matched')
    .option('--concurrency <n>', 'files read at once', '4')
    .option('--exclude <name...>', 'names of folders to leave out', [])
    .addHelpText('after', '\nExample:\n  hashfed scan /srv/uploads --exclude .git .cache')
    .action(action<Options>(runScan));
}

async function runScan(context: CliContext, options: Options, [dir]: string[]): Promise<ExitCode> {
  const concurrency = Number(options.concurrency);
  if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > 64) {
    throw new HashfedError('USAGE', '--concurrency must be 1 to 64', { field: 'concurrency' });
  }
  return withHashfed(context, async (hashfed) => {
    const totals: Totals = {
      files: 0,
      bytes: 0,
      matches: 0,
      held: 0,
      blocked: 0,
      tests: 0,
      allowed: 0,
      unreadable: 0,
    };
    const paths = walkFiles(resolve(dir ?? '.'), new Set(options.exclude), (path, code) =>
      unreadable(context, totals, path, code),
    );
    const bar = context.out.progress('scan');
    const work = async (): Promise<void> => {
      for await (const path of paths) {
        await scanFile(context, hashfed, path, totals);
        bar.update(totals.files, totals.files);
      }
    };
    try {
      await Promise.all(Array.from({ length: concurrency }, work));
    } finally {
      bar.stop();
    }
    context.out.result({ event: 'summary', ...totals }, summary(totals));
    return totals.matches > 0 ? EXIT.match : EXIT.done;
  });
}

async function scanFile(context: CliContext, hashfed: Hashfed, path: string, totals: Totals): Promise<void> {
  context.signal.throwIfAborted();
  try {
    const { verdict, bytes } = await hashfed.checkCounted(path, { ref: path, signal: context.signal });
    totals.files += 1;
    totals.bytes += bytes;
    if (verdict.action !== 'none') found(context, totals, path, verdict);
  } catch (error) {
    if (!(error instanceof HashfedError) || error.code !== 'MALFORMED') throw error;
    unreadable(context, totals, path, error.detail.field ?? 'unreadable');
  }
}

function found({ out }: CliContext, totals: Totals, path: string, verdict: Verdict): void {
  const { action: answer, matches, because } = verdict;
  totals.matches += 1;
  if (answer === 'block') totals.blocked += 1;
  else if (answer === 'hold') totals.held += 1;
  else if (answer === 'test') totals.tests += 1;
  else totals.allowed += 1;
  out.result(
    { event: 'match', path, action: answer, matches, because, observed: verdict.observed ?? false },
    `${answer.padEnd(5)}  ${path}`,
  );
}

function unreadable({ out }: CliContext, totals: Totals, path: string, why: string): void {
  totals.unreadable += 1;
  out.result({ event: 'unreadable', path, why }, `error  ${path}: ${why}`);
}

function summary({ files, bytes, matches, blocked, held, unreadable: bad }: Totals): string {
  const gigabytes = (bytes / 1e9).toFixed(2);
  return `${files} files, ${gigabytes} GB: ${matches} matches (${blocked} block, ${held} hold), ${bad} unreadable`;
}

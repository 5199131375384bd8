import { resolve } from 'node:path';
import type { Command } from 'commander';
import { HashfedError } from '../../sdk/core/index.js';
import { type Hashfed, parseTypedHash, type Verdict } from '../../sdk/index.js';
import { action, type CliContext, EXIT, type ExitCode, exitForError, strongestExit } from '../cli/index.js';
import { withHashfed } from './hoster-shared.js';

interface Options {
  readonly hash?: string;
}

interface Checked {
  readonly path?: string;
  readonly hash?: string;
  readonly verdict?: Verdict;
  readonly error?: { readonly code: string; readonly message: string };
}

export function register(program: Command): void {
  program
    .command('check')
    .argument('[file...]', 'files to check against the local lists')
    .description('verdict per file or hash; exits 10 where something matched')
    .option('--hash <type:hex>', 'ask about one hash instead of files')
    .addHelpText('after', '\nExamples:\n  hashfed check photo.jpg\n  hashfed check --hash sha256:9f86d081…')
    .action(action<Options>(runCheck));
}

async function runCheck(context: CliContext, { hash }: Options, files: string[]): Promise<ExitCode> {
  if ((hash === undefined) === (files.length === 0)) {
    throw new HashfedError('USAGE', 'name files, or one hash with --hash', { field: 'file' });
  }
  const asked = hash === undefined ? undefined : parseTypedHash(hash);
  return withHashfed(context, async (hashfed) => {
    const codes: ExitCode[] = [];
    const checked: Checked[] = [];
    if (asked !== undefined)
      checked.push({ hash: hash!, verdict: hashfed.checkHash(asked.type, asked.hash) });
    for (const file of files) checked.push(await checkFile(hashfed, file, codes, context.signal));
    codes.push(...checked.map(({ verdict }) => exitFor(verdict)));
    context.out.result({ files: checked }, checked.map(describe));
    return strongestExit(codes);
  });
}

async function checkFile(
  hashfed: Hashfed,
  file: string,
  codes: ExitCode[],
  signal: AbortSignal,
): Promise<Checked> {
  const path = resolve(file);
  try {
    return { path, verdict: await hashfed.check(path, { ref: path, signal }) };
  } catch (error) {
    if (!(error instanceof HashfedError) || error.code !== 'MALFORMED') throw error;
    codes.push(exitForError(error));
    return { path, error: { code: error.code, message: error.message } };
  }
}

/** Stale lists alone exit 5 where nothing matched: "no match" then means little. */
function exitFor(verdict: Verdict | undefined): ExitCode {
  if (verdict === undefined) return EXIT.failed;
  if (verdict.action !== 'none') return EXIT.match;
  return verdict.freshness === 'EXPIRED' ? EXIT.stale : EXIT.done;
}

function describe({ path, hash, verdict, error }: Checked): string {
  const what = path ?? hash ?? '';
  if (verdict === undefined) return `error  ${what}: ${error?.message ?? ''}`;
  const matches = verdict.matches.map(({ origin, item_id }) => `${origin} item ${item_id}`).join('; ');
  const why = verdict.because.length > 0 ? ` (${verdict.because.join(', ')})` : '';
  return `${verdict.action.padEnd(5)}  ${what}${why}${matches === '' ? '' : `: ${matches}`}`;
}

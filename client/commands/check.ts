import { resolve } from 'node:path';
import type { Command } from 'commander';
import { hashFile } from '../../sdk/hash/index.js';
import { type Hashfed, HashfedError, parseTypedHash, type Verdict } from '../../sdk/index.js';
import { action, type CliContext, EXIT, type ExitCode, exitForError, strongestExit } from '../cli/index.js';
import { errorJson, freshnessExit, isMatch, verdictLine, withHoster } from './hoster-shared.js';

interface Options {
  readonly hash?: readonly string[];
  readonly dryRun?: boolean;
}

/** One file's or hash's answer: a verdict, or why there is none. */
interface Answer {
  readonly name: string;
  readonly verdict?: Verdict;
  readonly error?: unknown;
}

const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];

export function register(program: Command): void {
  program
    .command('check')
    .argument('[files...]', 'files to hash and check')
    .description('the verdict on files or hashes, from local lists')
    .option('--hash <type:hex>', 'check a hash instead of a file; may be given several times', collect)
    .option('--dry-run', 'neither journal nor count what is checked')
    .addHelpText(
      'after',
      '\nExamples:\n  hashfed check upload.jpg\n  hashfed check --hash sha256:9f86d081…0a08\n\nExit code 10: something matched.',
    )
    .action(
      action<Options>((context, options, files) => {
        const hashes = (options.hash ?? []).map((text) => ({ text, ...parseTypedHash(text) }));
        if (files.length + hashes.length === 0)
          throw new HashfedError('USAGE', 'name files to check, or hashes with --hash', { field: 'FILE' });
        return withHoster(context, 'auto', async (hashfed) => {
          const fromHashes = hashes.map(({ text, type, hash }) => ({
            name: text,
            verdict: hashfed.checkHash(type, hash),
          }));
          const fromFiles = await checkFiles(context, hashfed, files, options);
          print(context, fromFiles, fromHashes);
          return exitOf(context, hashfed, [...fromFiles, ...fromHashes]);
        });
      }),
    );
}

async function checkFiles(
  context: CliContext,
  hashfed: Hashfed,
  files: readonly string[],
  { dryRun }: Options,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  const progress = context.out.progress('files');
  try {
    for (const name of files) {
      const ref = dryRun === true ? undefined : resolve(name);
      answers.push(
        await checkFile(context, hashfed, name, ref).then(
          (verdict) => ({ name, verdict }),
          (error: unknown) => ({ name, error: refuseToHide(error) }),
        ),
      );
      progress.update(answers.length, files.length);
    }
  } finally {
    progress.stop();
  }
  return answers;
}

/** What concerns one file only is its own answer; everything else ends the command. */
function refuseToHide(error: unknown): HashfedError {
  if (error instanceof HashfedError && error.code === 'MALFORMED') return error;
  throw error;
}

async function checkFile(
  { signal }: CliContext,
  hashfed: Hashfed,
  name: string,
  ref: string | undefined,
): Promise<Verdict> {
  const outcome = await hashFile(name, { signal, followSymlinks: true });
  if (outcome.status === 'hashed') return hashfed.judge(outcome.hashes, outcome.bytes, ref);
  const code = outcome.code === undefined ? '' : ` (${outcome.code})`;
  throw new HashfedError('MALFORMED', `${name} cannot be checked: ${outcome.status}${code}`, {
    field: outcome.status,
  });
}

function print({ out }: CliContext, files: readonly Answer[], hashes: readonly Answer[]): void {
  const line = ({ name, verdict, error }: Answer): string =>
    verdict === undefined ? `error  ${errorJson(error).message}` : verdictLine(name, verdict);
  const rest = ({ verdict, error }: Answer) =>
    verdict === undefined ? { error: errorJson(error) } : { verdict };
  out.result(
    {
      files: files.map((answer) => ({ path: resolve(answer.name), ...rest(answer) })),
      hashes: hashes.map((answer) => ({ hash: answer.name, ...rest(answer) })),
    },
    [...files, ...hashes].map(line),
  );
  if (!out.json) return;
  for (const { error } of files) if (error !== undefined) out.warn(`hashfed: ${errorJson(error).message}`);
}

function exitOf(context: CliContext, hashfed: Hashfed, answers: readonly Answer[]): ExitCode {
  const lists = hashfed.lists();
  const codes: ExitCode[] = answers.flatMap(({ verdict, error }) => {
    if (verdict === undefined) return [exitForError(error)];
    return isMatch(verdict, lists) ? [EXIT.match] : [];
  });
  return strongestExit([...codes, freshnessExit(hashfed, context)]);
}

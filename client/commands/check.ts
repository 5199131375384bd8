import type { Command } from 'commander';
import { type Hashfed, HashfedError, parseTypedHash } from '../../sdk/index.js';
import { action, type CliContext, EXIT, type ExitCode, exitForError, strongestExit } from '../cli/index.js';
import { checkFiles } from './check-files.js';
import { checkRemote } from './check-remote.js';
import { type Answer, print } from './check-shared.js';
import { freshnessExit, isMatch, withHoster } from './hoster-shared.js';

interface Options {
  readonly hash?: readonly string[];
  readonly dryRun?: boolean;
  readonly remote?: boolean;
}

const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];

export function register(program: Command): void {
  program
    .command('check')
    .argument('[files...]', 'files to hash and check')
    .description('the verdict on files or hashes, from local lists')
    .option('--hash <type:hex>', 'check a hash instead of a file; may be given several times', collect)
    .option('--remote', 'ask a server, which then learns the hashes; nothing is journaled or counted')
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
        if (options.remote === true) return checkRemote(context, hashes, files);
        return withHoster(context, 'auto', async (hashfed) => {
          const fromHashes: Answer[] = [];
          for (const { text, type, hash } of hashes)
            fromHashes.push({ name: text, verdict: await hashfed.checkHash(type, hash) });
          const fromFiles = await checkFiles(context, hashfed, files, options.dryRun === true);
          print(context, fromFiles, fromHashes);
          return exitOf(context, hashfed, [...fromFiles, ...fromHashes]);
        });
      }),
    );
}

function exitOf(context: CliContext, hashfed: Hashfed, answers: readonly Answer[]): ExitCode {
  const lists = hashfed.lists();
  const codes: ExitCode[] = answers.flatMap(({ verdict, error }) => {
    if (verdict === undefined) return [exitForError(error)];
    return isMatch(verdict, lists) ? [EXIT.match] : [];
  });
  return strongestExit([...codes, freshnessExit(hashfed, context)]);
}

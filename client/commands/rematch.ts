import type { Command } from 'commander';
import { openInventory, rematchInventory } from '../../sdk/index.js';
import { action, count, EXIT, type ExitCode, strongestExit } from '../cli/index.js';
import { freshnessExit, isMatch, verdictLine, withHoster } from './hoster-shared.js';

interface Options {
  readonly all?: boolean;
}

export function register(program: Command): void {
  program
    .command('rematch')
    .description(
      'match stored objects against what the lists gained, from their hashes, without reading one again',
    )
    .option('--all', 'against every record, not only those since the objects were last matched')
    .addHelpText(
      'after',
      '\nExample:\n  hashfed sync && hashfed rematch --json\n\nExit code 10: something matched.',
    )
    .action(
      action<Options>((context, { all }) =>
        withHoster(context, 'auto', async (hashfed) => {
          const { out, clock, signal } = context;
          const inventory = openInventory(hashfed, await context.config());
          const progress = out.progress('objects');
          const started = clock.monotonicMs();
          let matches = 0;
          const summary = await rematchInventory(hashfed, inventory, {
            all: all === true,
            signal,
            onProgress: (objects, of) => progress.update(objects, of),
            onMatch: (path, verdict) => {
              if (!isMatch(verdict, hashfed.matching)) return;
              matches++;
              out.result({ event: 'match', path, ...verdict }, verdictLine(path, verdict));
            },
          }).finally(() => progress.stop());
          const seconds = Math.round(clock.monotonicMs() - started) / 1000;
          out.result(
            { event: 'summary', ...summary, matches, seconds },
            `${count(summary.objects, 'object')} matched against ${count(summary.looked_for, 'hash', 'hashes')} in ${seconds} s: ${count(matches, 'match', 'matches')}.`,
          );
          const codes: ExitCode[] = [freshnessExit(hashfed, context)];
          if (matches > 0) codes.push(EXIT.match);
          return strongestExit(codes);
        }),
      ),
    );
}

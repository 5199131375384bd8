import { resolve } from 'node:path';
import type { Command } from 'commander';
import { platformSuite } from '../../sdk/hash/platform/index.js';
import { action, EXIT } from '../cli/index.js';
import { type InitResult, initFederation } from '../init/index.js';

interface Options {
  readonly federation: string;
  readonly listen: string;
  readonly allLists?: boolean;
}

export function register(program: Command): void {
  program
    .command('init')
    .argument('<dir>', 'a folder that is empty or does not exist')
    .description('make a federation for development: authority, server, members, keys, configuration')
    .option('--federation <name>', 'name of the federation', 'dev.hashfed.example')
    .option('--listen <host:port>', 'where the server listens', '127.0.0.1:8443')
    .option('--all-lists', 'also PDQ and PhotoDNA lists, and one of known-good files')
    .addHelpText(
      'after',
      '\nExample:\n  hashfed init federation && hashfed serve --config federation/server/server.json',
    )
    .action(
      action<Options>(
        async ({ clock, env, random, out }, { federation, listen, allLists = false }, [dir]) => {
          const folder = resolve(dir ?? '.');
          const result = await initFederation(
            { suite: platformSuite(), clock, random },
            { folder, federation, listen, allLists },
          );
          out.result(result, nextSteps(result, env));
          return EXIT.done;
        },
      ),
    );
}

function nextSteps({ folder, server_config, members }: InitResult, env: NodeJS.ProcessEnv): string[] {
  const config = (name: string) => members.find((member) => member.name === name)?.config ?? '';
  // As it was called itself: npm says so to what npx starts.
  const hashfed = env['npm_command'] === 'exec' ? 'npx hashfed' : 'hashfed';
  return [
    `Made a development federation in ${folder}.`,
    'Its member directory is signed by the operator alone: use it on one machine, not to run a federation.',
    '',
    'Next:',
    `  ${hashfed} serve --config ${server_config}`,
    `  ${hashfed} publish FILE.csv --map MAP.json --collection known --config ${config('police')}`,
    `  ${hashfed} sync --config ${config('hoster-a')}`,
    `  ${hashfed} check ${folder}/selftest/selftest-1.txt --config ${config('hoster-a')}`,
  ];
}

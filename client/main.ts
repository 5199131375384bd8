#!/usr/bin/env node
import { createRequire } from 'node:module';
import { Command, CommanderError } from 'commander';
import { EXIT, report, stopWithReader } from './cli/index.js';
import { registerCalled } from './commands/index.js';

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };

/** The `hashfed` command line, with the command that is called. */
async function buildProgram(): Promise<Command> {
  const program = new Command('hashfed')
    .description('Share and match signed hash lists for child protection')
    .version(version)
    .option('--json', 'print JSON: one object, or one a line where the command streams')
    .option('--config <file>', "this member's configuration (default: $HASHFED_CONFIG or ./hashfed.json)")
    .configureHelp({ showGlobalOptions: true })
    .addHelpText(
      'after',
      '\nExample:\n  hashfed init federation && hashfed serve --config federation/server/server.json',
    )
    .showHelpAfterError('(add --help for what this command takes)')
    .exitOverride();
  await registerCalled(program, process.argv.slice(2));
  return program;
}

stopWithReader();
try {
  await (await buildProgram()).parseAsync(process.argv);
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.usage;
  else process.exitCode = report(error);
}

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { HashfedError } from '../../sdk/core/index.js';
import { action, EXIT, type ExitCode, type GlobalOptions } from '../cli/index.js';

interface Options {
  readonly storage?: string;
  readonly listen?: string;
}

const SERVER = fileURLToPath(new URL('../../server/main.js', import.meta.url));

export function register(program: Command): void {
  program
    .command('serve')
    .description('run a server; prints "listening HOST:PORT" when it is ready')
    .option('--storage <where>', 'level:DIR')
    .option('--listen <host:port>', 'where to listen, instead of what the configuration says')
    .addHelpText('after', '\nExample:\n  hashfed serve --config federation/server/server.json')
    .action(action<Options>(async (_context, options) => runServer(options)));
}

/** The server is a program of its own; signals that reach us are passed on, its exit code becomes ours. */
function runServer(options: Options & GlobalOptions): Promise<ExitCode> {
  const args = (['config', 'storage', 'listen'] as const).flatMap((name) => {
    const value = options[name];
    return value === undefined ? [] : [`--${name}`, value];
  });
  const child = spawn(process.execPath, [SERVER, ...args], { stdio: 'inherit' });
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on('SIGINT', pass).on('SIGTERM', pass).on('SIGHUP', pass);
  return new Promise((resolve, reject) => {
    child.once('error', (cause) =>
      reject(new HashfedError('INTERNAL', 'the server program did not start', { cause })),
    );
    child.once('exit', (code) => {
      process.off('SIGINT', pass).off('SIGTERM', pass).off('SIGHUP', pass);
      resolve(code === 0 ? EXIT.done : code === EXIT.usage ? EXIT.usage : EXIT.failed);
    });
  });
}

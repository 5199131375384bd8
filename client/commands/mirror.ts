import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { HashfedError } from '../../sdk/core/index.js';
import { action, EXIT, type ExitCode, type GlobalOptions } from '../cli/index.js';

interface Options {
  readonly storage?: string;
  readonly listen?: string;
}

const MIRROR = fileURLToPath(new URL('../../server/mirror-main.js', import.meta.url));

export function register(program: Command): void {
  add(program, 'mirror', 'follow other servers, verify, serve the same lists, cosign');
  add(program, 'witness', 'cosign checkpoints that extend the last ones seen, holding no list');
}

/** Both are one program; `cosign` and `lists` in its configuration say what it does. */
function add(program: Command, name: 'mirror' | 'witness', description: string): void {
  program
    .command(name)
    .description(`${description}; prints "listening HOST:PORT" when it is ready`)
    .option('--storage <where>', 'level:DIR')
    .option('--listen <host:port>', 'where to listen, instead of what the configuration says')
    .addHelpText('after', `\nExample:\n  hashfed ${name} --config ${name}/${name}.json`)
    .action(action<Options>(async (_context, options) => run(name, options)));
}

/** The mirror is a program of its own; signals that reach us are passed on, its exit code becomes ours. */
function run(name: string, options: Options & GlobalOptions): Promise<ExitCode> {
  const args = (['config', 'storage', 'listen'] as const).flatMap((option) => {
    const value = options[option];
    return value === undefined ? [] : [`--${option}`, value];
  });
  const child = spawn(process.execPath, [MIRROR, '--as', name, ...args], { stdio: 'inherit' });
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on('SIGINT', pass).on('SIGTERM', pass).on('SIGHUP', pass);
  return new Promise((resolve, reject) => {
    child.once('error', (cause) =>
      reject(new HashfedError('INTERNAL', 'the mirror program did not start', { cause })),
    );
    child.once('exit', (code) => {
      process.off('SIGINT', pass).off('SIGTERM', pass).off('SIGHUP', pass);
      resolve(code === 0 ? EXIT.done : code === EXIT.usage ? EXIT.usage : EXIT.failed);
    });
  });
}

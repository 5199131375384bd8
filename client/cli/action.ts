import type { Command } from 'commander';
import { HashfedError } from '../../sdk/core/index.js';
import { type CliContext, type GlobalOptions, makeContext } from './context.js';
import { EXIT, type ExitCode, exitForError } from './exit.js';
import { printable } from './output.js';

/** What a command does; resolves to its exit code. */
export type Handler<Options> = (context: CliContext, options: Options, args: string[]) => Promise<ExitCode>;

/**
 * Turns a handler into a commander action: builds the context, stops on SIGINT and SIGTERM, prints one
 * sentence for an error and sets the exit code. The process then ends by itself once its work is done.
 */
export function action<Options>(handler: Handler<Options & GlobalOptions>) {
  return async (...received: unknown[]): Promise<void> => {
    const command = received.at(-1) as Command;
    const options = command.optsWithGlobals<Options & GlobalOptions>();
    const stop = new AbortController();
    const onSignal = () => stop.abort(new HashfedError('CANCELLED', 'stopped by a signal'));
    process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
    try {
      process.exitCode = await handler(makeContext(options, process.env, stop.signal), options, command.args);
    } catch (error) {
      process.exitCode = report(error, stop.signal.aborted);
    } finally {
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    }
  };
}

/** Ends a command like Ctrl-C, without a stack trace, once nobody reads its output any more (`| head`). */
export function stopWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.emit('SIGTERM');
  });
}

/** Prints what went wrong, on stderr, in one sentence; returns the exit code. */
export function report(error: unknown, stopped = false): ExitCode {
  if (stopped && error instanceof HashfedError && error.code === 'CANCELLED') {
    process.stderr.write('hashfed: stopped\n');
    return EXIT.failed;
  }
  process.stderr.write(`hashfed: ${printable(sentence(error))}\n`);
  if (process.env['HASHFED_DEBUG'] === '1' && error instanceof Error)
    process.stderr.write(`${error.stack}\n`);
  return exitForError(error);
}

function sentence(error: unknown): string {
  if (error instanceof HashfedError) {
    const where = error.detail.origin === undefined ? '' : ` [${error.detail.origin}]`;
    return `${error.code}${where}: ${error.message}`;
  }
  return error instanceof Error ? error.message : String(error);
}

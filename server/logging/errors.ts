import { basename } from 'node:path';
import { HashfedError } from '../../sdk/core/index.js';
import { plainCode, plainName, scrub } from './scrub.js';

/** Errors in a chain of causes, and stack frames of each, that are logged. */
const MAX_CAUSES = 4;
const MAX_FRAMES = 8;

/** What of an error may be kept. Messages of foreign errors quote paths and input, so none is kept. */
export interface LoggedError {
  readonly name: string;
  readonly code?: string;
  readonly message?: string;
  readonly at: readonly string[];
  readonly cause?: LoggedError;
}

/** Name, code and stack of an error and its causes; the message only of our own errors, scrubbed. */
export function describeError(error: unknown, depth = 0): LoggedError {
  if (!(error instanceof Error)) return { name: `thrown ${typeof error}`, at: [] };
  const code = 'code' in error && typeof error.code === 'string' ? { code: plainCode(error.code) } : {};
  const message = error instanceof HashfedError ? { message: scrub(error.message) } : {};
  const nested = error.cause !== undefined && depth + 1 < MAX_CAUSES;
  const cause = nested ? { cause: describeError(error.cause, depth + 1) } : {};
  return { name: plainName(error.name), ...code, ...message, at: frames(error), ...cause };
}

/** `function (file:line)` of the topmost frames: our own source files, by their last name only. */
function frames(error: Error): string[] {
  const stack = typeof error.stack === 'string' ? error.stack : '';
  const found: string[] = [];
  for (const line of stack.split('\n')) {
    const parts =
      /^\s+at (?:(?:async )?([\w.<>#$ ]{1,64}) \()?(?:file:\/\/)?(\/[^():]+|node:[\w/]+):(\d+):\d+\)?$/.exec(
        line,
      );
    if (parts === null) continue;
    const [, name = 'top level', file = '', at = ''] = parts;
    if (/\.(?:m?js|ts)$/.test(file) || file.startsWith('node:'))
      found.push(`${name} ${basename(file)}:${at}`);
    if (found.length === MAX_FRAMES) break;
  }
  return found;
}

import { spawn } from 'node:child_process';
import { HashfedError } from '../core/index.js';
import { PHOTODNA_BYTES } from '../match/index.js';
import { MAX_VALUES } from './limits.js';
import type { PhotoDnaHasher } from './types.js';

export interface CommandHasherOptions {
  /** The licensee's program and its arguments. */
  readonly command: string;
  readonly args?: readonly string[];
  /** It is ended after this, milliseconds; default 10,000. */
  readonly timeoutMs?: number;
}

/** Characters that it may print: a line of hexadecimal digits for each value. */
const MAX_OUTPUT = MAX_VALUES * (2 * PHOTODNA_BYTES + 2);
const LINE = new RegExp(`^[0-9a-fA-F]{${2 * PHOTODNA_BYTES}}$`);

/**
 * A hasher that is a program of its own: it gets a file's path as its last argument, or `-` and the bytes on standard
 * input, and prints a line of 288 hexadecimal digits for each value; no line and exit code 0 where there is none. No shell
 * is involved. Throws `UNAVAILABLE` for a program that fails, prints anything else or takes too long.
 */
export function hasherFromCommand(options: CommandHasherOptions): PhotoDnaHasher {
  return {
    hash: async (input, signal) => {
      const text = await run(options, input, signal);
      const lines = text.split('\n').filter((line) => line.trim() !== '');
      if (!lines.every((line) => LINE.test(line.trim()))) throw failed('printed what is no value');
      const values = lines.map((line) => new Uint8Array(Buffer.from(line.trim(), 'hex')));
      return values.length === 0 ? undefined : values;
    },
  };
}

function run(
  { command, args = [], timeoutMs = 10_000 }: CommandHasherOptions,
  input: string | Uint8Array,
  signal: AbortSignal | undefined,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const named = typeof input === 'string' ? input : '-';
    const child = spawn(command, [...args, named], {
      stdio: ['pipe', 'pipe', 'ignore'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      ...(signal && { signal }),
    });
    const parts: Buffer[] = [];
    let length = 0;
    child.stdout.on('data', (part: Buffer) => {
      length += part.length;
      if (length > MAX_OUTPUT) child.kill('SIGKILL');
      else parts.push(part);
    });
    child.on('error', (cause) => reject(failed('could not be run', cause)));
    child.on('close', (code) => {
      if (code === 0 && length <= MAX_OUTPUT) resolve(Buffer.concat(parts).toString('latin1'));
      else reject(failed(`ended with ${code ?? 'a signal'}`));
    });
    // A program that reads no input closes it: its answer says the rest.
    child.stdin.on('error', () => {});
    child.stdin.end(typeof input === 'string' ? undefined : input);
  });
}

function failed(why: string, cause?: unknown): HashfedError {
  return new HashfedError('UNAVAILABLE', `the PhotoDNA program ${why}`, { cause });
}

import { resolve } from 'node:path';
import type { UnhashedFile } from '../../sdk/hash/index.js';
import { HashfedError, type Verdict } from '../../sdk/index.js';
import type { CliContext } from '../cli/index.js';
import { errorJson, verdictLine } from './hoster-shared.js';

/** One file's or hash's answer: a verdict, or why there is none. */
export interface Answer {
  readonly name: string;
  readonly verdict?: Verdict;
  readonly error?: unknown;
}

/** Why a file could not be hashed. */
export function unhashed(name: string, { status, code }: UnhashedFile): HashfedError {
  const advice = status === 'directory' ? '; hashfed scan checks what is in it' : '';
  const why = code === undefined ? `${status}${advice}` : `${status} (${code})`;
  return new HashfedError('MALFORMED', `${name} cannot be checked: ${why}`, { field: status });
}

/** What concerns one file only is its own answer; everything else ends the command. */
export function refuseToHide(error: unknown): HashfedError {
  if (error instanceof HashfedError && error.code === 'MALFORMED') return error;
  throw error;
}

/** With `--json` everything is listed, whatever the exit code says; what went wrong is on stderr as well. */
export function print({ out }: CliContext, files: readonly Answer[], hashes: readonly Answer[]): void {
  const line = ({ name, verdict }: Answer): string[] =>
    verdict === undefined ? [] : [verdictLine(name, verdict)];
  const rest = ({ verdict, error }: Answer) =>
    verdict === undefined ? { error: errorJson(error) } : { verdict };
  out.result(
    {
      files: files.map((answer) => ({ path: resolve(answer.name), ...rest(answer) })),
      hashes: hashes.map((answer) => ({ hash: answer.name, ...rest(answer) })),
    },
    [...files, ...hashes].flatMap(line),
  );
  for (const { error } of files) if (error !== undefined) out.warn(`hashfed: ${errorJson(error).message}`);
}

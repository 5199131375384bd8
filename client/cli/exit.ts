import { type ErrorClass, HashfedError } from '../../sdk/core/index.js';

/** Exit codes of every command; scripts rely on them. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  identity: 3,
  verification: 4,
  stale: 5,
  match: 10,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** When several apply, the earliest of this order wins. */
const PRECEDENCE: readonly ExitCode[] = [
  EXIT.usage,
  EXIT.verification,
  EXIT.identity,
  EXIT.failed,
  EXIT.match,
  EXIT.stale,
  EXIT.done,
];

const BY_CLASS: Record<ErrorClass, ExitCode> = {
  usage: EXIT.usage,
  identity: EXIT.identity,
  verification: EXIT.verification,
  stale: EXIT.stale,
  failed: EXIT.failed,
};

/** The exit code of one error; anything that is no HashfedError is a plain failure. */
export function exitForError(error: unknown): ExitCode {
  return error instanceof HashfedError ? BY_CLASS[error.class] : EXIT.failed;
}

/** The code to exit with when several outcomes came together. */
export function strongestExit(codes: Iterable<ExitCode>): ExitCode {
  const seen = new Set(codes);
  return PRECEDENCE.find((code) => seen.has(code)) ?? EXIT.done;
}

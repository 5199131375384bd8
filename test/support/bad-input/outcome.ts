import { exitForError } from '../../../client/cli/index.js';
import { HashfedError } from '../../../sdk/core/index.js';

/** How something ended: the reason it named and the exit code that a command has or would have. */
export interface Outcome {
  readonly reason: string | undefined;
  readonly exit: number | null;
}

/** Of a command: its exit code, and the first reason on stderr. */
export function ofCommand(ended: { code: number | null; stderr: string }): Outcome {
  return { reason: /hashfed: ([A-Z_]+)\b/.exec(ended.stderr)?.[1], exit: ended.code };
}

/** Of a call: what it throws, and the exit code that commands give to that. */
export async function ofCall(call: Promise<unknown>): Promise<Outcome> {
  try {
    await call;
    return { reason: undefined, exit: 0 };
  } catch (error) {
    if (!(error instanceof HashfedError)) throw error;
    return { reason: error.code, exit: exitForError(error) };
  }
}

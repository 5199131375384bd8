/** How storage says no. Messages name the kind of key, never what it holds. */
import { HashfedError } from '../../sdk/core/index.js';

/** Throws `STORAGE_FAILED`. */
export function damaged(kind: string, why: string, cause?: unknown): never {
  throw new HashfedError('STORAGE_FAILED', `stored ${kind} ${why}`, { field: kind, cause });
}

/** Throws `CANCELLED` when the signal has aborted. */
export function checkAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted)
    throw new HashfedError('CANCELLED', 'the call was cancelled', { cause: signal.reason });
}

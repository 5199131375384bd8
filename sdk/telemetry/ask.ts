import { setTimeout as sleep } from 'node:timers/promises';
import { type Clock, HashfedError, isErrorCode, type Random, toHex } from '../core/index.js';
import type { Store } from '../store/index.js';
import type { Reply } from './agent.js';
import { ASK_WAIT_MS } from './limits.js';

/** Settings by which processes of one store talk: a reader asks through the inbox, the writer answers. */
export const REQUEST = 'telemetry.request.';
export const ANSWER = 'telemetry.answer.';
const POLL_MS = 100;

export type Question = 'show' | 'flush';

interface Ask<T> {
  readonly at_ms: number;
  readonly value: T;
}

export function encodeAsk(nowMs: number, value: unknown): Uint8Array {
  return new Uint8Array(Buffer.from(JSON.stringify({ at_ms: nowMs, value }), 'utf8'));
}

/** Undefined for what is absent. The settings are sealed: nobody but this store's processes wrote them. */
export function decodeAsk<T>(bytes: Uint8Array | undefined): Ask<T> | undefined {
  return bytes === undefined ? undefined : (JSON.parse(Buffer.from(bytes).toString('utf8')) as Ask<T>);
}

/**
 * Asks the process that holds the ledger, from a read-only store beside it. Throws what it answered, or UNAVAILABLE
 * where none answers: counts are safe, and the next holder takes them up.
 */
export async function askHolder(
  store: Store,
  question: Question,
  { clock, random, signal }: { clock: Clock; random: Random; signal?: AbortSignal },
): Promise<Reply> {
  const id = toHex(random.bytes(16));
  await store.counters.flush();
  await store.inbox.putSetting(REQUEST + id, encodeAsk(clock.nowMs(), question));
  const endMs = clock.monotonicMs() + ASK_WAIT_MS;
  while (clock.monotonicMs() < endMs) {
    const answer = decodeAsk<Reply>(await store.settings.get(ANSWER + id));
    if (answer !== undefined) {
      await store.inbox.putSetting(ANSWER + id, undefined);
      return unwrap(answer.value);
    }
    await sleep(POLL_MS, undefined, signal === undefined ? {} : { signal });
  }
  throw new HashfedError('UNAVAILABLE', 'the process that holds the store does not answer');
}

function unwrap(reply: Reply): Reply {
  if (reply.error === undefined) return reply;
  const { code, message } = reply.error;
  throw new HashfedError(isErrorCode(code) ? code : 'INTERNAL', message);
}

import type { ServerReadableStream, ServerWritableStream } from '@grpc/grpc-js';
import type { CallContext } from './context.js';
import { decoded } from './decode.js';

/** The requests of a client stream, one at a time; the client waits while one is being handled. */
export async function* readMessages(
  call: ServerReadableStream<unknown, unknown>,
  context: CallContext,
): AsyncGenerator<unknown, void> {
  try {
    for await (const message of call) {
      context.signal.throwIfAborted();
      yield decoded(message);
    }
  } catch (error) {
    // A cancelled stream is destroyed and then complains of its early end; the reason says why.
    context.signal.throwIfAborted();
    throw error;
  }
  context.signal.throwIfAborted();
}

/**
 * Writes every message when the one before has left, so that a slow client holds one message in memory and
 * not a list. `check` runs before each and throws where the caller may no longer have it.
 */
export async function writeMessages(
  call: ServerWritableStream<unknown, unknown>,
  messages: AsyncIterable<unknown>,
  context: CallContext,
  check: () => void,
): Promise<void> {
  for await (const message of messages) {
    context.signal.throwIfAborted();
    check();
    await write(call, message, context.signal);
  }
  context.signal.throwIfAborted();
}

/** Waits for the write callback; `drain` never comes after a cancel, and neither does the callback. */
function write(
  call: ServerWritableStream<unknown, unknown>,
  message: unknown,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    call.write(message, (error: Error | null | undefined) => {
      signal.removeEventListener('abort', onAbort);
      if (error === null || error === undefined) resolve();
      else reject(error);
    });
  });
}

import type { ServerReadableStream, ServerWritableStream } from '@grpc/grpc-js';
import { decoded } from './decode.js';
import type { RunningCall } from './dispatch.js';

/** The requests of a client stream, one at a time; the client waits while one is being handled. */
export async function* readMessages(
  call: ServerReadableStream<unknown, unknown>,
  running: RunningCall,
): AsyncGenerator<unknown, void> {
  try {
    for await (const message of call) {
      running.throwIfAborted();
      yield decoded(message);
    }
  } catch (error) {
    // A cancelled stream is destroyed and then complains of its early end; the reason says why.
    running.throwIfAborted();
    throw error;
  }
  running.throwIfAborted();
}

/**
 * Writes every message when the one before has left, so that a slow client holds one message in memory and
 * not a list. Before each, the caller's right to it is checked again.
 */
export async function writeMessages(
  call: ServerWritableStream<unknown, unknown>,
  messages: AsyncIterable<unknown>,
  running: RunningCall,
): Promise<void> {
  for await (const message of messages) {
    running.check();
    await write(call, message, running.signal);
  }
  running.throwIfAborted();
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

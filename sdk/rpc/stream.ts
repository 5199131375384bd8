import { type ClientReadableStream, status as Grpc, Metadata, type StatusObject } from '@grpc/grpc-js';
import { HashfedError } from '../core/index.js';
import type { RpcChannel } from './channel.js';
import { fromStatus } from './errors.js';
import {
  asRpcError,
  type CallLimits,
  callOptions,
  cancelled,
  cancelOn,
  isTransportFailure,
  type RpcMethod,
  throwIfAborted,
} from './method.js';

/** What reading a stream states. */
export interface StreamLimits extends CallLimits {
  /** Longest wait for the next whole message, milliseconds; time that the reader itself takes does not count. */
  readonly idleMs: number;
  /** Bytes of all messages together as they arrive; more is MALFORMED. Use Infinity for watch streams only. */
  readonly maxBytes: number;
}

/** A stream being read: why it was ended from this side, if it was. */
interface Reading<Response> {
  readonly call: ClientReadableStream<Response>;
  readonly status: Promise<StatusObject>;
  failure: HashfedError | undefined;
}

/**
 * Reads a server stream with backpressure. Ends normally only after status OK: a peer that stops early, sends
 * too much, too slowly or something else throws. Leaving the loop cancels the call. There are no retries: where
 * to go on is the caller's cursor.
 */
export async function* readStream<Request, Response>(
  channel: RpcChannel,
  method: RpcMethod<Request, Response>,
  request: Request,
  limits: StreamLimits,
): AsyncGenerator<Response, void, undefined> {
  throwIfAborted(limits.signal);
  const reading = openStream(channel, method, request, limits);
  const release = cancelOn(limits.signal, reading.call);
  const messages = reading.call[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await withIdleLimit(reading, limits.idleMs, () => messages.next());
      if (next.done === true) break;
      yield next.value as Response;
    }
    const status = await reading.status;
    if (status.code !== Grpc.OK) throw fromStatus(status);
    channel.noteOutcome(false);
  } catch (cause) {
    channel.noteOutcome(isTransportFailure(cause));
    throw reading.failure ?? (limits.signal?.aborted ? cancelled() : asRpcError(cause, channel));
  } finally {
    release();
    reading.call.cancel();
  }
}

function openStream<Request, Response>(
  channel: RpcChannel,
  method: RpcMethod<Request, Response>,
  request: Request,
  limits: StreamLimits,
): Reading<Response> {
  let received = 0;
  const decode = (bytes: Buffer): Response => {
    received += bytes.length;
    if (received > limits.maxBytes) throw fail(reading, `more than ${limits.maxBytes} bytes arrived`);
    try {
      return method.responseDeserialize(bytes);
    } catch (cause) {
      throw fail(reading, 'a message of the stream is no valid message', cause);
    }
  };
  const options = callOptions(limits.deadlineMs);
  const call = channel
    .client()
    .makeServerStreamRequest(method.path, method.requestSerialize, decode, request, new Metadata(), options);
  // The iterator reports errors; one that arrives after the reader left must not end the process.
  call.on('error', () => {});
  const status = new Promise<StatusObject>((resolve) => call.on('status', resolve));
  const reading: Reading<Response> = { call, status, failure: undefined };
  return reading;
}

function fail(reading: { failure: HashfedError | undefined }, why: string, cause?: unknown): HashfedError {
  reading.failure ??= new HashfedError('MALFORMED', why, { field: 'stream', cause });
  return reading.failure;
}

async function withIdleLimit<Response, T>(
  reading: Reading<Response>,
  idleMs: number,
  wait: () => Promise<T>,
): Promise<T> {
  const timer = setTimeout(() => {
    reading.failure ??= new HashfedError('DEADLINE', `no message came for ${idleMs} ms`);
    reading.call.cancel();
  }, idleMs);
  try {
    return await wait();
  } finally {
    clearTimeout(timer);
  }
}

import { type ClientWritableStream, Metadata } from '@grpc/grpc-js';
import { HashfedError } from '../core/index.js';
import type { RpcChannel } from './channel.js';
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

/**
 * Sends a client stream and returns the one answer. Asks `requests` for the next message only when the transport
 * took the one before; stops asking when the peer answers early. Throws HashfedError; an error thrown by
 * `requests` cancels the call and is thrown as it is.
 */
export async function sendStream<Request, Response>(
  channel: RpcChannel,
  method: RpcMethod<Request, Response>,
  requests: AsyncIterable<Request> | Iterable<Request>,
  limits: CallLimits,
): Promise<Response> {
  throwIfAborted(limits.signal);
  const { call, response } = openUpload(channel, method, limits);
  const release = cancelOn(limits.signal, call);
  try {
    await sendAll(call, requests, response);
    const answer = await answerOf(response, limits);
    channel.noteOutcome(false);
    return answer;
  } catch (error) {
    channel.noteOutcome(error instanceof HashfedError && isTransportFailure(error.detail.cause));
    throw error;
  } finally {
    release();
    call.cancel();
  }
}

/** The answer, or how the call failed; a promise that never rejects, so that none is left unobserved. */
type Settled<Response> = Promise<{ readonly error: unknown } | { readonly value: Response }>;

function openUpload<Request, Response>(
  channel: RpcChannel,
  method: RpcMethod<Request, Response>,
  limits: CallLimits,
): { call: ClientWritableStream<Request>; response: Settled<Response> } {
  const { promise, resolve } = deferred<{ error: unknown } | { value: Response }>();
  const call = channel
    .client()
    .makeClientStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      new Metadata(),
      callOptions(limits.deadlineMs),
      (error, value) => resolve(error === null && value !== undefined ? { value } : { error }),
    );
  // The answer reports errors; a write that fails after it must not end the process.
  call.on('error', () => {});
  return { call, response: promise };
}

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

async function sendAll<Request>(
  call: ClientWritableStream<Request>,
  requests: AsyncIterable<Request> | Iterable<Request>,
  response: Promise<unknown>,
): Promise<void> {
  let answered = false;
  const answer = response.then(() => {
    answered = true;
  });
  for await (const request of requests) {
    if (answered) return;
    // Not `drain`, which never comes after a cancel.
    const taken = new Promise<void>((resolve) => call.write(request, () => resolve()));
    await Promise.race([taken, answer]);
  }
  if (!answered) call.end();
}

async function answerOf<Response>(response: Settled<Response>, limits: CallLimits): Promise<Response> {
  const settled = await response;
  if ('value' in settled) return settled.value;
  if (limits.signal?.aborted) throw cancelled();
  const { error } = settled;
  const known = asRpcError(error);
  throw new HashfedError(known.code, known.message, { ...known.detail, cause: error });
}

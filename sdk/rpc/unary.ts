import { setTimeout as sleep } from 'node:timers/promises';
import { Metadata } from '@grpc/grpc-js';
import { HashfedError, malformed, type Random } from '../core/index.js';
import type { RpcChannel } from './channel.js';
import { BACKOFF_MAX_MS, BACKOFF_MIN_MS, DEFAULT_RETRIES, MAX_RETRIES } from './limits.js';
import {
  asRpcError,
  type CallLimits,
  callOptions,
  cancelled,
  cancelOn,
  isRetryable,
  isTransportFailure,
  type RpcMethod,
  throwIfAborted,
} from './method.js';

/** What a unary call states. */
export interface UnaryLimits extends CallLimits {
  /**
   * Repeats after UNAVAILABLE, 0 to MAX_RETRIES; default DEFAULT_RETRIES. A repeated call may have been carried out
   * before: every RPC of hashfed answers a repeated request (same request id, same body) as it did the first.
   */
  readonly retries?: number;
}

/**
 * Makes one unary call. Retries UNAVAILABLE only, with jittered backoff and never earlier than the peer asked,
 * as long as the deadline allows. Throws HashfedError; a response that is no valid message is MALFORMED.
 */
export async function callUnary<Request, Response>(
  channel: RpcChannel,
  method: RpcMethod<Request, Response>,
  request: Request,
  limits: UnaryLimits,
): Promise<Response> {
  const endMs = performance.now() + limits.deadlineMs;
  const retries = Math.min(MAX_RETRIES, limits.retries ?? DEFAULT_RETRIES);
  for (let attempt = 0; ; attempt++) {
    throwIfAborted(limits.signal);
    const leftMs = attempt === 0 ? limits.deadlineMs : endMs - performance.now();
    try {
      const response = await attemptOnce(channel, method, request, { ...limits, deadlineMs: leftMs });
      channel.noteOutcome(false);
      return response;
    } catch (cause) {
      channel.noteOutcome(isTransportFailure(cause));
      const error = limits.signal?.aborted ? cancelled() : asRpcError(cause, channel);
      const waitMs = Math.max(backoffMs(channel.random, attempt), error.detail.retryAfterMs ?? 0);
      if (!isRetryable(cause) || attempt >= retries || performance.now() + waitMs >= endMs) throw error;
      await pause(waitMs, limits.signal);
    }
  }
}

function attemptOnce<Request, Response>(
  channel: RpcChannel,
  method: RpcMethod<Request, Response>,
  request: Request,
  limits: CallLimits,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    let broken: HashfedError | undefined;
    const decode = (bytes: Buffer): Response => {
      try {
        return method.responseDeserialize(bytes);
      } catch (cause) {
        broken = new HashfedError('MALFORMED', 'the response is no valid message', {
          field: 'response',
          cause,
        });
        throw broken;
      }
    };
    const options = callOptions(limits.deadlineMs);
    const call = channel
      .client()
      .makeUnaryRequest(
        method.path,
        method.requestSerialize,
        decode,
        request,
        new Metadata(),
        options,
        (error, value) => {
          release();
          if (broken !== undefined) reject(broken);
          else if (error !== null) reject(error);
          else if (value === undefined) reject(new HashfedError('MALFORMED', 'the response is empty'));
          else resolve(value);
        },
      );
    const release = cancelOn(limits.signal, call);
  });
}

/** Wait before retry number `attempt` (from 0), milliseconds: doubled each time, capped, the lower half kept. */
export function backoffMs(random: Random, attempt: number): number {
  const whole = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** attempt);
  const [high, low] = random.bytes(2);
  if (high === undefined || low === undefined) malformed('random', 'gave too few bytes');
  return whole / 2 + ((high * 256 + low) / 65_536) * (whole / 2);
}

/** Sleeps; throws CANCELLED when `signal` fires. */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  } catch (cause) {
    throw signal?.aborted ? cancelled() : cause;
  }
}

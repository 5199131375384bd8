import { type CallOptions, status as Grpc, Metadata, type ServiceError } from '@grpc/grpc-js';
import { HashfedError } from '../core/index.js';
import type { RpcChannel } from './channel.js';
import { DETAILS_KEY, fromStatus } from './errors.js';
import { MAX_DEADLINE_MS } from './limits.js';

/** One RPC as ts-proto describes it, for instance `ListServiceService.getCheckpoint`. */
export interface RpcMethod<Request, Response> {
  readonly path: string;
  readonly requestSerialize: (value: Request) => Buffer;
  readonly responseDeserialize: (value: Buffer) => Response;
}

/** What every call states. */
export interface CallLimits {
  /** The whole call, retries included, must end within this many milliseconds, 1 to MAX_DEADLINE_MS. */
  readonly deadlineMs: number;
  /** Cancels the call; it then fails with CANCELLED. */
  readonly signal?: AbortSignal | undefined;
}

/** Absolute deadline on the wall clock. Throws USAGE for one that is none. */
export function callOptions(deadlineMs: number): CallOptions {
  if (!(deadlineMs > 0 && deadlineMs <= MAX_DEADLINE_MS)) {
    throw new HashfedError('USAGE', `a deadline is 1 to ${MAX_DEADLINE_MS} ms`, { field: 'deadlineMs' });
  }
  return { deadline: new Date(Date.now() + deadlineMs) };
}

/** Throws CANCELLED for a signal that already fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw cancelled();
}

export function cancelled(): HashfedError {
  return new HashfedError('CANCELLED', 'the call was cancelled here');
}

/** Cancels `call` when `signal` fires. Returns what takes the listener off again. */
export function cancelOn(signal: AbortSignal | undefined, call: { cancel(): void }): () => void {
  if (signal === undefined) return () => {};
  const onAbort = () => call.cancel();
  signal.addEventListener('abort', onAbort, { once: true });
  return () => signal.removeEventListener('abort', onAbort);
}

/** True where the same call may succeed later: UNAVAILABLE, whoever said so. */
export function isRetryable(error: unknown): boolean {
  return isServiceError(error) && error.code === Grpc.UNAVAILABLE;
}

/** True where the transport failed, as opposed to a peer that answered with reasons (an overloaded one, say). */
export function isTransportFailure(error: unknown): boolean {
  return isRetryable(error) && isServiceError(error) && error.metadata.get(DETAILS_KEY).length === 0;
}

/** Our error for what grpc-js reports; a failed connection is our own certificate's fault where that is bad. */
export function asRpcError(error: unknown, channel?: Pick<RpcChannel, 'identityFault'>): HashfedError {
  if (error instanceof HashfedError) return error;
  const fault = isTransportFailure(error)
    ? channel?.identityFault((error as ServiceError).details)
    : undefined;
  if (fault !== undefined) return fault;
  if (isServiceError(error)) return fromStatus(error);
  return new HashfedError('INTERNAL', 'a call failed in an unexpected way', { cause: error });
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' && hasMetadata(error);
}

function hasMetadata(error: Error): boolean {
  return 'metadata' in error && error.metadata instanceof Metadata && 'details' in error;
}

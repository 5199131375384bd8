import { HashfedError } from '../../sdk/core/index.js';
import { toStatus, type WireStatus } from '../../sdk/rpc/index.js';

/** Metadata key of the request id, for the operator to find the call in the log. */
export const REQUEST_ID_KEY = 'hashfed-request-id';

/** Our error for anything thrown; what is not ours becomes INTERNAL, with the thrown thing as cause. */
export function asHashfedError(error: unknown): HashfedError {
  if (error instanceof HashfedError) return error;
  return new HashfedError('INTERNAL', 'unexpected error', { cause: error });
}

/** The gRPC status of an error and the id under which the log tells the rest. */
export function toWireStatus(error: HashfedError, requestId: string): WireStatus {
  const status = toStatus(error);
  status.metadata.set(REQUEST_ID_KEY, requestId);
  return status;
}

import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { Metadata } from '@grpc/grpc-js';
import { type ErrorCode, HashfedError } from '../../sdk/core/index.js';

/** What goes over the wire instead of an answer. */
export interface WireStatus {
  readonly code: number;
  readonly details: string;
  readonly metadata: Metadata;
}

const DOMAIN = 'hashfed';
/** Metadata key of the request id, for the operator to find the call in the log. */
export const REQUEST_ID_KEY = 'hashfed-request-id';

/** Codes whose message is never sent: it may come from storage or from anywhere in the program. */
const PRIVATE: Partial<Record<ErrorCode, string>> = {
  INTERNAL: 'internal error; the server logged it under this request id',
  STORAGE_FAILED: 'the server could not write; the outcome is unknown, repeat with the same idempotency key',
};
/** Codes that are a gRPC status and nothing else. */
const WITHOUT_REASON: readonly ErrorCode[] = [
  'INTERNAL',
  'UNIMPLEMENTED',
  'UNAVAILABLE',
  'DEADLINE',
  'CANCELLED',
  'USAGE',
];

/** Our error for anything thrown; what is not ours becomes INTERNAL, with the thrown thing as cause. */
export function asHashfedError(error: unknown): HashfedError {
  if (error instanceof HashfedError) return error;
  return new HashfedError('INTERNAL', 'unexpected error', { cause: error });
}

/**
 * The gRPC status of an error with `google.rpc` details (ErrorInfo, RetryInfo, BadRequest). Causes, stacks
 * and evidence stay here.
 */
export function toWireStatus(error: HashfedError, requestId: string): WireStatus {
  const details = PRIVATE[error.code] ?? error.message;
  const metadata = new Metadata();
  metadata.set(REQUEST_ID_KEY, requestId);
  metadata.set('grpc-status-details-bin', Buffer.from(encodeStatus(error, details)));
  return { code: error.status, details, metadata };
}

/** google.rpc.Status { int32 code = 1; string message = 2; repeated google.protobuf.Any details = 3; } */
function encodeStatus(error: HashfedError, message: string): Uint8Array {
  const writer = new BinaryWriter().uint32(8).int32(error.status).uint32(18).string(message);
  const { retryAfterMs, field } = error.detail;
  if (!WITHOUT_REASON.includes(error.code)) any(writer, 'ErrorInfo', encodeErrorInfo(error));
  if (retryAfterMs !== undefined) any(writer, 'RetryInfo', encodeRetryInfo(retryAfterMs));
  if (field !== undefined && error.code === 'MALFORMED')
    any(writer, 'BadRequest', encodeBadRequest(field, message));
  return writer.finish();
}

function any(writer: BinaryWriter, type: string, value: Uint8Array): void {
  writer
    .uint32(26)
    .fork()
    .uint32(10)
    .string(`type.googleapis.com/google.rpc.${type}`)
    .uint32(18)
    .bytes(value)
    .join();
}

/** { string reason = 1; string domain = 2; map<string, string> metadata = 3; } */
function encodeErrorInfo(error: HashfedError): Uint8Array {
  const writer = new BinaryWriter().uint32(10).string(error.code).uint32(18).string(DOMAIN);
  const { origin } = error.detail;
  if (origin !== undefined)
    writer.uint32(26).fork().uint32(10).string('origin').uint32(18).string(origin).join();
  return writer.finish();
}

/** { google.protobuf.Duration retry_delay = 1 { int64 seconds = 1; int32 nanos = 2; } } */
function encodeRetryInfo(ms: number): Uint8Array {
  const seconds = Math.floor(ms / 1000);
  const nanos = Math.round((ms - seconds * 1000) * 1e6);
  return new BinaryWriter()
    .uint32(10)
    .fork()
    .uint32(8)
    .int64(seconds)
    .uint32(16)
    .int32(nanos)
    .join()
    .finish();
}

/** { repeated FieldViolation field_violations = 1 { string field = 1; string description = 2; } } */
function encodeBadRequest(field: string, description: string): Uint8Array {
  return new BinaryWriter()
    .uint32(10)
    .fork()
    .uint32(10)
    .string(field)
    .uint32(18)
    .string(description)
    .join()
    .finish();
}

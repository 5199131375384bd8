/**
 * The one error class and its closed set of codes. Each code maps to one gRPC status and, when the code
 * may cross the network, to the `ErrorInfo.reason` of the same name (google.rpc.ErrorInfo, domain `hashfed`).
 */

/** gRPC status numbers (grpc/doc/statuscodes.md), kept here so that the core imports no gRPC. */
export const GrpcStatus = {
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

/** What kind of failure a code is: decides the exit code of a command and whether another source may help. */
export type ErrorClass = 'usage' | 'identity' | 'verification' | 'stale' | 'failed';

interface ErrorRow {
  readonly status: number;
  readonly class: ErrorClass;
}

const row = (status: number, kind: ErrorClass): ErrorRow => ({ status, class: kind });
const S = GrpcStatus;

/** The table. Codes are also the reasons on the wire; an unknown reason from a peer becomes `UNAVAILABLE`. */
export const ERROR_TABLE = {
  UNKNOWN_ORIGIN: row(S.NOT_FOUND, 'failed'),
  GENERATION_CLOSED: row(S.FAILED_PRECONDITION, 'failed'),
  SIZE_AHEAD: row(S.OUT_OF_RANGE, 'failed'),
  NOT_SEALED: row(S.FAILED_PRECONDITION, 'verification'),
  OLD_SIZE_MISMATCH: row(S.ABORTED, 'failed'),
  MISSING_ENTRY: row(S.DATA_LOSS, 'verification'),
  ROOT_MISMATCH: row(S.FAILED_PRECONDITION, 'verification'),
  ROLLBACK: row(S.FAILED_PRECONDITION, 'verification'),
  EQUIVOCATION: row(S.FAILED_PRECONDITION, 'verification'),
  PUBLISHER_INVALID: row(S.FAILED_PRECONDITION, 'verification'),
  UPGRADE_REQUIRED: row(S.FAILED_PRECONDITION, 'failed'),
  FUTURE: row(S.FAILED_PRECONDITION, 'verification'),
  KEY_REVOKED: row(S.FAILED_PRECONDITION, 'verification'),
  THRESHOLD_NOT_MET: row(S.FAILED_PRECONDITION, 'verification'),
  SIGNER_BEHIND: row(S.FAILED_PRECONDITION, 'failed'),
  ANOMALOUS_ENTRY: row(S.INVALID_ARGUMENT, 'failed'),
  KNOWN_GOOD: row(S.FAILED_PRECONDITION, 'failed'),
  TOO_EARLY: row(S.FAILED_PRECONDITION, 'failed'),
  WINDOW_CLOSED: row(S.FAILED_PRECONDITION, 'failed'),
  WINDOW_OVERLAP: row(S.ALREADY_EXISTS, 'failed'),
  TELEMETRY_CONFLICT: row(S.ALREADY_EXISTS, 'failed'),
  NOT_ENTITLED: row(S.PERMISSION_DENIED, 'identity'),
  NOT_AUTHENTICATED: row(S.UNAUTHENTICATED, 'identity'),
  UNKNOWN_MEMBER: row(S.PERMISSION_DENIED, 'identity'),
  BUDGET_EXCEEDED: row(S.RESOURCE_EXHAUSTED, 'failed'),
  OVERLOADED: row(S.UNAVAILABLE, 'failed'),
  RESET_REQUIRED: row(S.FAILED_PRECONDITION, 'failed'),
  MALFORMED: row(S.INVALID_ARGUMENT, 'failed'),
  DUPLICATE_RECORD: row(S.ALREADY_EXISTS, 'failed'),
  TARGET_ABSENT: row(S.FAILED_PRECONDITION, 'failed'),
  STORAGE_FAILED: row(S.INTERNAL, 'failed'),
  STALE: row(S.FAILED_PRECONDITION, 'stale'),
  /** A signature by a known key that does not verify, or a body that is not signed by whom it must be. */
  BAD_SIGNATURE: row(S.INVALID_ARGUMENT, 'verification'),
  /** The command line or the SDK was called wrongly. */
  USAGE: row(S.INVALID_ARGUMENT, 'usage'),
  NOT_FOUND: row(S.NOT_FOUND, 'failed'),
  UNIMPLEMENTED: row(S.UNIMPLEMENTED, 'failed'),
  UNAVAILABLE: row(S.UNAVAILABLE, 'failed'),
  DEADLINE: row(S.DEADLINE_EXCEEDED, 'failed'),
  CANCELLED: row(S.CANCELLED, 'failed'),
  INTERNAL: row(S.INTERNAL, 'failed'),
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERROR_TABLE;

/** Where the error is and what proves it. `field` names the bad input as its sender knows it. */
export interface ErrorDetail {
  readonly field?: string;
  readonly origin?: string;
  /** Milliseconds after which the same call may succeed. */
  readonly retryAfterMs?: number;
  /** True where a peer answered with this code and nothing here verified it. */
  readonly claimed?: boolean;
  /** Raw evidence (both notes of a fork, say), kept verbatim for offline verification. */
  readonly evidence?: readonly Uint8Array[];
  readonly cause?: unknown;
}

/**
 * Every failure that hashfed reports. `message` is one sentence that may cross the network: it never holds a
 * hash, URL, path or key. `cause` is for the local log only.
 */
export class HashfedError extends Error {
  readonly code: ErrorCode;
  readonly detail: ErrorDetail;

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = 'HashfedError';
    this.code = code;
    this.detail = detail;
  }

  get status(): number {
    return ERROR_TABLE[this.code].status;
  }

  get class(): ErrorClass {
    return ERROR_TABLE[this.code].class;
  }
}

/** True for text that is one of the codes; used on reasons that a peer sent. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERROR_TABLE, text);
}

/** Throws `MALFORMED` naming the field. */
export function malformed(field: string, why: string, cause?: unknown): never {
  throw new HashfedError('MALFORMED', `${field}: ${why}`, { field, cause });
}

import { status as Grpc, Metadata } from '@grpc/grpc-js';
import { BadRequest, ErrorInfo, RetryInfo } from '../../proto/gen/google/rpc/error_details.js';
import { Status } from '../../proto/gen/google/rpc/status.js';
import { ERROR_TABLE, type ErrorCode, type ErrorDetail, HashfedError, isErrorCode } from '../core/index.js';
import {
  MAX_RETRY_AFTER_MS,
  MAX_STATUS_DETAILS,
  MAX_STATUS_DETAILS_BYTES,
  MAX_STATUS_MESSAGE,
} from './limits.js';
import { unreachable } from './unreachable.js';

/** Codes that are a gRPC status and nothing else: they carry no reason, and are believed from no peer's reason. */
const WITHOUT_REASON: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'INTERNAL',
  'UNIMPLEMENTED',
  'UNAVAILABLE',
  'DEADLINE',
  'CANCELLED',
  'USAGE',
]);

/** What a status means that carries no reason: sent by a proxy, by grpc-js itself, or by a foreign server. */
const BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  [Grpc.CANCELLED]: 'CANCELLED',
  [Grpc.DEADLINE_EXCEEDED]: 'DEADLINE',
  [Grpc.INVALID_ARGUMENT]: 'MALFORMED',
  [Grpc.NOT_FOUND]: 'NOT_FOUND',
  [Grpc.PERMISSION_DENIED]: 'NOT_ENTITLED',
  [Grpc.UNAUTHENTICATED]: 'NOT_AUTHENTICATED',
  // grpc-js: a message over the size limit.
  [Grpc.RESOURCE_EXHAUSTED]: 'MALFORMED',
  [Grpc.UNIMPLEMENTED]: 'UNIMPLEMENTED',
  [Grpc.INTERNAL]: 'INTERNAL',
  [Grpc.UNKNOWN]: 'INTERNAL',
  [Grpc.DATA_LOSS]: 'INTERNAL',
};

const DOMAIN = 'hashfed';
const TYPE_PREFIX = 'type.googleapis.com/google.rpc.';
/** Metadata key of the serialised google.rpc.Status. */
export const DETAILS_KEY = 'grpc-status-details-bin';

/** What goes over the wire instead of an answer. */
export interface WireStatus {
  readonly code: number;
  readonly details: string;
  readonly metadata: Metadata;
}

/**
 * The gRPC status of anything thrown, with `google.rpc` details. What is not a HashfedError becomes INTERNAL with
 * a fixed text: its own could quote input, paths or keys. Causes, stacks and evidence never leave.
 */
export function toStatus(error: unknown): WireStatus {
  const known = error instanceof HashfedError ? error : new HashfedError('INTERNAL', '');
  const message = publicMessage(known);
  const details = [];
  if (!WITHOUT_REASON.has(known.code))
    details.push(any('ErrorInfo', ErrorInfo.encode(errorInfo(known)).finish()));
  const { retryAfterMs, field } = known.detail;
  if (retryAfterMs !== undefined)
    details.push(any('RetryInfo', RetryInfo.encode(retryInfo(retryAfterMs)).finish()));
  if (field !== undefined && known.code === 'MALFORMED') {
    const violation = { field, description: message, reason: '', localizedMessage: undefined };
    details.push(any('BadRequest', BadRequest.encode({ fieldViolations: [violation] }).finish()));
  }
  const metadata = new Metadata();
  metadata.set(DETAILS_KEY, Buffer.from(Status.encode({ code: known.status, message, details }).finish()));
  return { code: known.status, details: message, metadata };
}

function publicMessage(error: HashfedError): string {
  if (error.code === 'INTERNAL') return 'internal error';
  if (error.code === 'STORAGE_FAILED')
    return 'the server could not write; the outcome is unknown, repeat the call';
  return error.message;
}

const any = (type: string, value: Uint8Array) => ({ typeUrl: TYPE_PREFIX + type, value });

function errorInfo(error: HashfedError): ErrorInfo {
  const { origin } = error.detail;
  return { reason: error.code, domain: DOMAIN, metadata: origin === undefined ? {} : { origin } };
}

function retryInfo(ms: number): RetryInfo {
  const whole = Math.floor(ms / 1000);
  return { retryDelay: { seconds: BigInt(whole), nanos: Math.round((ms - whole * 1000) * 1e6) } };
}

/** What a failed call hands over; grpc-js's ServiceError fits. */
export interface PeerStatus {
  readonly code: number;
  readonly details: string;
  readonly metadata: Metadata;
}

/**
 * The error that a peer's status means. Everything in it is the peer's claim: a reason counts only where it is
 * one of ours and belongs to the status it came with, lengths are capped, control characters are dropped.
 * A reason of ours that this version does not know becomes UNAVAILABLE.
 */
export function fromStatus(peer: PeerStatus): HashfedError {
  const found = readDetails(peer);
  const code = codeOf(peer.code, found.reason);
  const text = cleanText(peer.details);
  const told = peer.code === Grpc.UNAVAILABLE && found.reason === undefined ? unreachable(text) : text;
  return new HashfedError(code, told || `the peer answered with status ${peer.code}`, {
    ...found.detail,
    claimed: true,
  });
}

function codeOf(status: number, reason: string | undefined): ErrorCode {
  if (reason === undefined) return BY_STATUS[status] ?? 'UNAVAILABLE';
  if (!isErrorCode(reason) || WITHOUT_REASON.has(reason)) return 'UNAVAILABLE';
  return ERROR_TABLE[reason].status === status ? reason : (BY_STATUS[status] ?? 'UNAVAILABLE');
}

interface Found {
  readonly reason?: string;
  readonly detail: ErrorDetail;
}

function readDetails(peer: PeerStatus): Found {
  const raw = peer.metadata.get(DETAILS_KEY)[0];
  if (raw === undefined || typeof raw === 'string' || raw.length > MAX_STATUS_DETAILS_BYTES)
    return { detail: {} };
  try {
    return collect(Status.decode(raw).details.slice(0, MAX_STATUS_DETAILS));
  } catch {
    // A peer's broken details change nothing about its status.
    return { detail: {} };
  }
}

function collect(details: readonly { readonly typeUrl: string; readonly value: Uint8Array }[]): Found {
  let reason: string | undefined;
  let detail: ErrorDetail = {};
  for (const { typeUrl, value } of details) {
    if (typeUrl === `${TYPE_PREFIX}ErrorInfo`) {
      const info = ErrorInfo.decode(value);
      if (info.domain !== DOMAIN) continue;
      reason = info.reason;
      const origin = info.metadata['origin'];
      if (typeof origin === 'string') detail = { ...detail, origin: cleanText(origin) };
    } else if (typeUrl === `${TYPE_PREFIX}RetryInfo`) {
      const delay = RetryInfo.decode(value).retryDelay;
      if (delay !== undefined) detail = { ...detail, retryAfterMs: delayMs(delay.seconds, delay.nanos) };
    } else if (typeUrl === `${TYPE_PREFIX}BadRequest`) {
      const field = BadRequest.decode(value).fieldViolations[0]?.field;
      if (field !== undefined) detail = { ...detail, field: cleanText(field) };
    }
  }
  return reason === undefined ? { detail } : { reason, detail };
}

function delayMs(seconds: bigint, nanos: number): number {
  const ms = Number(seconds) * 1000 + Math.ceil(nanos / 1e6);
  return Math.min(MAX_RETRY_AFTER_MS, Math.max(0, ms));
}

/** A peer's text as it may be shown: one line, capped, without control or direction-changing characters. */
function cleanText(text: string): string {
  return text
    .slice(0, MAX_STATUS_MESSAGE)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim();
}

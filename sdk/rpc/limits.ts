/** Limits of the client side of every call, with unit and reason. */

/** HTTP/2 window, bytes. The default of 64 KiB allows 64 KiB a round trip. */
export const FLOW_CONTROL_WINDOW_BYTES = 16 * 1024 * 1024;
/** Ping an idle connection this often, milliseconds, so that a dead peer shows. */
export const KEEPALIVE_MS = 30_000;
/** A ping unanswered for this long ends the connection, milliseconds. */
export const KEEPALIVE_TIMEOUT_MS = 10_000;
/** First and longest wait between connection attempts, milliseconds. */
export const RECONNECT_MIN_MS = 200;
export const RECONNECT_MAX_MS = 10_000;
/** Longest deadline of any call, milliseconds; watch streams are opened again after it. */
export const MAX_DEADLINE_MS = 24 * 3_600_000;
/** Retries of one unary call when nothing else is asked for, and at most. */
export const DEFAULT_RETRIES = 2;
export const MAX_RETRIES = 5;
/** First and longest wait before a retry, milliseconds; the wait itself is drawn from [half, whole]. */
export const BACKOFF_MIN_MS = 100;
export const BACKOFF_MAX_MS = 5_000;
/** Transport failures in a row after which the connection is made anew: long-lived ones can degrade. */
export const FAILURES_BEFORE_RENEWAL = 4;
/** Bytes of `grpc-status-details-bin` that are looked at; what a peer sends beyond is ignored. */
export const MAX_STATUS_DETAILS_BYTES = 8 * 1024;
/** Details in one status that are looked at. */
export const MAX_STATUS_DETAILS = 16;
/** Characters of a peer's message that are kept. */
export const MAX_STATUS_MESSAGE = 512;
/** Longest wait that a peer can ask for, milliseconds. */
export const MAX_RETRY_AFTER_MS = 24 * 3_600_000;

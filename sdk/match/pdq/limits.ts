/** Limits of the PDQ index, with unit and reason. */

/** Bytes of a hash. */
export const HASH_BYTES = 32;
/** Rows of one index: a row takes three bytes in a band, and 2^24 rows fill most of a 4 GiB memory. */
export const MAX_ROWS = 2 ** 24;
/** The distance at which PDQ values are said to match (PDQ paper). */
export const MATCH_DISTANCE = 31;
/** Beyond this, distances are those of unrelated pictures. */
export const MAX_DISTANCE = 63;
/** Matches returned unless the caller asks for fewer or more: more means "very many" to any policy. */
export const DEFAULT_CAP = 1_000;
/** Matches that the scratch area holds. */
export const MAX_CAP = 4_096;
/** Longest time that an update holds the thread, milliseconds. */
export const MAX_SLICE_MS = 1;
/** Slice unless told otherwise, milliseconds: a query that arrives meanwhile waits for about this long. */
export const DEFAULT_SLICE_MS = 0.05;

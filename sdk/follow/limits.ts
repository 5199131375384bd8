/** Limits of following a list, with unit and reason. */

/** Longest that a unary answer may take, milliseconds. */
export const UNARY_MS = 30_000;
/** Longest that one pull may take, and the longest silence in it, milliseconds: a byte a second must not hold us. */
export const PULL_MS = 3_600_000;
export const PULL_IDLE_MS = 30_000;
/** Bytes of one entry on the wire at most: its length, the leaf, and its share of the message around it. */
export const ENTRY_BYTES = 1_024 + 2 + 64;
/** Attempts at one pull; each goes on at the cursor of the one before, and must bring something. */
export const PULL_ATTEMPTS = 5;
/** Publisher root versions fetched in one walk: a hostile server cannot make us walk for ever. */
export const MAX_ROOT_STEPS = 1_024;
/** Bytes of a list's own notes about itself in the store. */
export const MAX_EXTRA_BYTES = 4_096;
/** A delta of more entries than this is stored as a new base. */
export const REBUILD_ABOVE = 100_000;
/** Longest wait between looks in watch mode, and the first after an error, milliseconds. */
export const WATCH_MAX_WAIT_MS = 60_000;
export const WATCH_ERROR_MS = 1_000;
/** Entries stored as deltas above a base after which the next commit writes a new base. */
export const FOLD_ABOVE = 200_000;

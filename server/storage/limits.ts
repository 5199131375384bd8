/** Limits of the server's storage, with unit and reason. */

/** Bytes of a key: tables, two names and numbers. */
export const MAX_KEY_BYTES = 1024;
/** Bytes of a name inside a key (origin, member, window, document name). */
export const MAX_NAME_BYTES = 256;
/** Bytes of one value: a snapshot part or a DSSE body and its frame. */
export const MAX_VALUE_BYTES = 4 * 1024 * 1024 + 64 * 1024;
/** Bytes of a caller's own part of a record (state of a head, body of a batch). */
export const MAX_BODY_PART_BYTES = 1024 * 1024;
/** Bytes a bundle is cut to: half way between the smallest and the largest on the wire. */
export const BUNDLE_TARGET_BYTES = 128 * 1024;
/** Bytes gathered before a stager writes: large enough that a sync is cheap, small beside the 2 GiB budget. */
export const STAGE_FLUSH_BYTES = 8 * 1024 * 1024;
/** Hashes of one tile (8 levels of the tree). */
export const TILE_HASHES = 256;
/** Keys deleted in one transaction when a segment or a set of parts goes. */
export const DELETE_CHUNK = 1_000;
/** A segment that was never finished is dropped after this many milliseconds: its upload was cut off. */
export const UNFINISHED_KEEP_MS = 86_400_000;
export const DEFAULT_PAGE_SIZE = 100;
export const MAX_PAGE_SIZE = 1_000;
/** Times a compare-and-swap is tried again before it is OVERLOADED: others keep winning. */
export const MAX_ATTEMPTS = 100;

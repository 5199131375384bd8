/** Limits of the exact index, with unit and reason. */

/** Key lengths of the exact types: md5, sha1, sha256. */
export type KeyBytes = 16 | 20 | 32;
/** Directory bits: at least 16, because keys are stored without their first two bytes; at most 256 MiB of slots. */
export const MIN_DIRECTORY_BITS = 16;
export const MAX_DIRECTORY_BITS = 26;
/** Rows a directory slot holds on average: one look covers 31, and the directory stays in cache. */
export const ROWS_PER_SLOT = 16;
/** Longer slots are searched by halves: uniform hashes never get here, chosen ones cost a logarithm. */
export const LINEAR_ROWS = 48;
/** Rows of one table: it lies in one WebAssembly memory of at most 4 GiB. */
export const MAX_ROWS = 2 ** 27;
/** Keys and records one overlay can hold: an entry number is 24 bits of a slot. */
export const MAX_OVERLAY = 2 ** 24 - 2;
/** Keys an overlay starts with. */
export const OVERLAY_KEYS = 1024;
/** A merge pays for itself from this many changed records, or this share of the table, whichever is more. */
export const MERGE_RECORDS = 65_536;
export const MERGE_SHARE = 1 / 8;
/** Queries handled together, so that their cache misses overlap. */
export const BATCH = 512;
/** True where a Uint32Array reads bytes in the order that the table stores. */
export const LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

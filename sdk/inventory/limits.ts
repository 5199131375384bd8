/** Limits and fixed sizes of the inventory, with unit and reason (docs/hosters.md, "The inventory on disk"). */

/** Format version in every file; a reader refuses what is newer with `UPGRADE_REQUIRED`. */
export const INVENTORY_FORMAT = 1;
/** Plaintext bytes of a block: large enough that the cipher, not the call, is the cost. */
export const BLOCK_BYTES = 256 * 1024;
/** Bytes of one object reference. */
export const MAX_REF_BYTES = 4096;
/** PDQ values kept of one object: frames of one animation. */
export const MAX_PDQ = 64;
/** Bytes of one entry: reference, numbers, hashes and PDQ values at their most. */
export const MAX_ENTRY_BYTES = MAX_REF_BYTES + 64 + 68 + 1 + MAX_PDQ * 33;
/** Plaintext bytes of a block that a reader accepts. */
export const MAX_BLOCK_BYTES = BLOCK_BYTES + MAX_ENTRY_BYTES;
/** Bytes of a shelf's head: thousands of segments and hundreds of lists. */
export const MAX_HEAD_BYTES = 4 * 1024 * 1024;
/** Segments of one generation, at most: an interrupted scan adds one at each save. */
export const MAX_SEGMENTS = 10_000;
export const FILE_ID_BYTES = 16;
export const NONCE_BYTES = 12;
export const TAG_BYTES = 16;
/** Bits of the filter for each hash looked for: about one false hit in sixteen objects costs a look at the list. */
export const FILTER_BITS_PER_HASH = 64;
export const MIN_FILTER_BITS = 16;
export const MAX_FILTER_BITS = 30;

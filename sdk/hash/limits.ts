/** Limits of hashing files and streams, with unit and reason. */

/** Files up to this size are read whole and hashed in one call: below it, calls cost more than bytes. */
export const SMALL_FILE_BYTES = 64 * 1024;
/** Bytes read at once from larger files: two such buffers a file, one being read while the other is hashed. */
export const READ_BYTES = 1024 * 1024;
/** Bytes that all hashes see before the next piece, so that it is still in cache. */
export const PIECE_BYTES = 256 * 1024;

/** Limits of signed bodies, with unit and reason. */

/** Bytes of a publisher root: 64 keys, 256 origins and 1,024 former keys fit, with room. */
export const MAX_ROOT_BYTES = 512 * 1024;
/** Bytes of a member directory of 10,000 members at about 200 bytes. */
export const MAX_DIRECTORY_BYTES = 4 * 1024 * 1024;
/** Bytes of a freshness or liveness body, which have a handful of small fields. */
export const MAX_STATEMENT_BYTES = 1024;
/** Bytes of a public key of an algorithm this version does not know; ML-DSA-87 has 2,592. */
export const MAX_FOREIGN_KEY_BYTES = 4096;
/** Origins in one root, and former keys. */
export const MAX_ROOT_ORIGINS = 256;
export const MAX_FORMER_KEYS = 1024;
/** Bytes of a root or directory that is parsed before anybody's signature on it was verified: each can become a hundred. */
export const MAX_UNSIGNED_BYTES = 64 * 1024;

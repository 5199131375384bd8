/** Limits and fixed sizes of the hoster's store, with unit and reason (docs/spec/hoster-store.md). */

/** Format version in every file; a reader refuses what is newer with `UPGRADE_REQUIRED`. */
export const STORE_FORMAT = 1;
/** Bytes of the store key and of every derived key: AES-256. */
export const KEY_BYTES = 32;
/** Bytes of a key id: enough to name a key, far too few to attack it. */
export const KEY_ID_BYTES = 8;
/** Bytes of a random file id: the HKDF salt of that file's data key. */
export const FILE_ID_BYTES = 16;
export const NONCE_BYTES = 12;
export const TAG_BYTES = 16;
/** Plaintext bytes of one segment block: large enough that the cipher, not the call, is the cost. */
export const BLOCK_BYTES = 1024 * 1024;
/** Smallest and largest block a reader accepts from a header, bytes. */
export const MIN_BLOCK_BYTES = 4 * 1024;
export const MAX_BLOCK_BYTES = 16 * 1024 * 1024;
/** Plaintext bytes of a sealed small file (heads, statements, documents): four notes and bodies with room. */
export const MAX_SEALED_BYTES = 24 * 1024 * 1024;
/** Bytes of one delta record: 100,000 leaves of 1,026 bytes, and the head. */
export const MAX_DELTA_BYTES = 128 * 1024 * 1024;
/** Pending delta entries and bytes after which a rebuild pays for itself at the next opening. */
export const REBUILD_ENTRIES = 200_000;
export const REBUILD_BYTES = 64 * 1024 * 1024;
/** Fixed bytes of a canonical record beside hash and meta (list format §3). */
export const RECORD_FIXED_BYTES = 8 + 8 + 8 + 16 + 1 + 1 + 1 + 2;
/** Bytes of one object reference in the journal; a longer one is the integrator's mistake. */
export const MAX_REF_BYTES = 4096;
/** Bytes of one value in the ledger: a telemetry report and its receipts. */
export const MAX_VALUE_BYTES = 4 * 1024 * 1024;
/** Bytes of all settings together: the file is replaced whole at each change. */
export const MAX_SETTINGS_BYTES = 4 * 1024 * 1024;
/** Distinct counter names, and members of one distinct set, in one window: bounds memory. */
export const MAX_COUNTER_NAMES = 65_536;
export const MAX_DISTINCT = 1_000_000;
/** Counters reach the disk at most this long after they were counted, milliseconds: the most a crash can lose. */
export const COUNTER_FLUSH_MS = 1_000;
/** A reader hands its counts over this often, milliseconds: one small file each time. */
export const COUNTER_HANDOVER_MS = 2_000;

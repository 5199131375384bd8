/** Every limit in one place, with unit and reason. Section numbers refer to docs/spec/list-format.md. */

/** Sizes, indexes and every u64 in a leaf stay below 2^53 so that they are exact in a double (§1). */
export const MAX_U53 = 2 ** 53;
/** Bytes of one leaf (§2). */
export const MAX_LEAF_BYTES = 1024;
/** Bytes of a leaf's meta (§2). */
export const MAX_META_BYTES = 512;
/** Bytes of an origin (§1). */
export const MAX_ORIGIN_BYTES = 128;
/** Bytes of a signed note (§5). */
export const MAX_NOTE_BYTES = 64 * 1024;
/** Signature lines considered in one note, so that a hostile note cannot buy unbounded verification. */
export const MAX_NOTE_SIGNATURES = 64;
/** Bytes of a DSSE body and signatures in one envelope (§9). */
export const MAX_BODY_BYTES = 4 * 1024 * 1024;
export const MAX_ENVELOPE_SIGNATURES = 64;
/** Bytes of a bundle of leaves: target and cap on the wire (§8). */
export const MIN_BUNDLE_BYTES = 64 * 1024;
export const MAX_BUNDLE_BYTES = 256 * 1024;
/** Bytes of any one gRPC message, either way: a bundle and its frame. */
export const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
/** Deltas up to this many entries commit in one synced batch (§8). */
export const MAX_DELTA_ENTRIES = 100_000;
/** bucket_bits of a set digest (§3). */
export const MAX_BUCKET_BITS = 16;
/** How far ahead of our clock a statement may be (§2, §5), milliseconds. */
export const MAX_AHEAD_MS = 10 * 60_000;
/** A HOLD lasts at most this long (§2), milliseconds. */
export const MAX_HOLD_MS = 72 * 3_600_000;
/** Records older than seven days that one-key HOLDs may cover since the anchor (§5). */
export const MAX_HELD_OLD_RECORDS = 1_000;
export const HELD_OLD_MS = 7 * 86_400_000;
/** Indexes in one GetProof. */
export const MAX_PROOF_INDEXES = 1_000;
/** Hashes in one LookupHashes call. */
export const MAX_LOOKUP_HASHES = 10_000;
/** FRESH means: newest freshness at most this old (design: client verification), milliseconds. */
export const FRESH_MS = 15 * 60_000;
/** Prepared bytes are kept this long unless a commit passes them (§6), milliseconds. */
export const PREPARED_KEEP_MS = 30 * 86_400_000;

/**
 * Additions (+ amendments), and likewise withdrawals (+ amendments), that one key alone may make above an
 * anchor whose set holds `count` records (§5).
 */
export function oneKeyLimit(count: number): number {
  return Math.max(Math.floor(count / 100), Math.min(1_000, Math.max(20, Math.floor(count / 10))));
}

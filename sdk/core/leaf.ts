/** Leaves, version 1 (docs/spec/list-format.md §2). Numbers are exact; bytes are kept as they came. */

export const LEAF_VERSION = 1;
/** Numbers of the kinds on the wire. COMMIT appears in `events` logs only. */
export const LEAF_KIND = { ADD: 1, WITHDRAW: 2, AMEND: 3, SEAL: 4, HOLD: 5, COMMIT: 16 } as const;
/** ADD flag bit 0: re-adds a hash last withdrawn as wrong or not illegal. */
export const FLAG_READD = 1;
/** `version | kind | flags | time_ms`. */
export const COMMON_BYTES = 11;
/** Offset of an ADD's hash: common, four u8, item_id, blind, hash_len. */
export const ADD_HASH_AT = 48;
export const SEAL_BYTES = 85;
export const HOLD_BYTES = 36;
export const COMMIT_BYTES = 44;
export const ID_BYTES = 16;
export const DIGEST_ALG_SHA256 = 1;
/** `prevSealIndex` of the first SEAL; 2^64−1 on the wire. */
export const NO_PREVIOUS_SEAL = -1;

interface Common {
  /** Unix milliseconds, set by the publisher. */
  readonly timeMs: number;
}

export interface AddLeaf extends Common {
  readonly kind: 'add';
  readonly readd: boolean;
  /** 1 md5, 2 sha1, 3 sha256, 4 pdq, 5 photodna. */
  readonly hashType: number;
  /** 1–255, as the other u8 numbers; unknown ones are kept. */
  readonly scheme: number;
  readonly code: number;
  /** 0–255: how many other analysts agreed. */
  readonly verifications: number;
  /** 16 random bytes, shared by an item's hashes of all types. */
  readonly itemId: Uint8Array;
  /** 16 random bytes that blind the leaf hash; never kept in records. */
  readonly blind: Uint8Array;
  readonly hash: Uint8Array;
  readonly meta: Uint8Array;
}

export interface WithdrawLeaf extends Common {
  readonly kind: 'withdraw';
  readonly targetIndex: number;
  readonly reason: number;
  readonly meta: Uint8Array;
}

export interface AmendLeaf extends Common {
  readonly kind: 'amend';
  readonly targetIndex: number;
  readonly reason: number;
  readonly scheme: number;
  readonly code: number;
  readonly verifications: number;
  readonly meta: Uint8Array;
}

export interface HoldLeaf extends Common {
  readonly kind: 'hold';
  /** Log indexes [from, to). */
  readonly from: number;
  readonly to: number;
  readonly reason: number;
  readonly untilMs: number;
}

/** Decoded u64 fields of 2^53 or more are rounded to a double: such a SEAL never matches. */
export interface SealLeaf extends Common {
  readonly kind: 'seal';
  readonly batchNo: number;
  readonly publishId: Uint8Array;
  /** `NO_PREVIOUS_SEAL` in the first. */
  readonly prevSealIndex: number;
  readonly setCount: number;
  readonly digestAlg: number;
  readonly bucketBits: number;
  readonly setDigest: Uint8Array;
}

export interface CommitLeaf extends Common {
  readonly kind: 'commit';
  readonly what: number;
  readonly commitment: Uint8Array;
}

export type Leaf = AddLeaf | WithdrawLeaf | AmendLeaf | SealLeaf | HoldLeaf | CommitLeaf;

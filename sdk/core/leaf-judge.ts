import { readU16, readU64 } from './bytes.js';
import {
  ADD_HASH_AT,
  COMMIT_BYTES,
  COMMON_BYTES,
  FLAG_READD,
  HOLD_BYTES,
  LEAF_KIND,
  LEAF_VERSION,
  SEAL_BYTES,
} from './leaf.js';
import { MAX_HOLD_MS, MAX_LEAF_BYTES, MAX_U53 } from './limits.js';
import { metaIsFramed } from './meta.js';

/**
 * Judges a leaf in place, in the order that two replayers must share (docs/spec/list-format.md §4): version,
 * kind, flags, each as soon as its byte exists, then length and layout. What depends on the log (origin, own
 * index, live targets) is judged where the leaf is applied.
 */
export const JUDGED = { OK: 0, MALFORMED: 1, UPGRADE: 2 } as const;
export type Judged = (typeof JUDGED)[keyof typeof JUDGED];

/** Bytes of a hash by hash_type; 0 where there is no such type. */
const HASH_BYTES = Uint8Array.of(0, 16, 20, 32, 32, 144);

function knownKind(kind: number): boolean {
  return (kind >= LEAF_KIND.ADD && kind <= LEAF_KIND.HOLD) || kind === LEAF_KIND.COMMIT;
}

/** `b[at, at + length)` is the leaf; `length` ≥ 1 lies within `b`. */
export function judgeLeaf(b: Uint8Array, at: number, length: number): Judged {
  if (b[at] !== LEAF_VERSION) return JUDGED.UPGRADE;
  if (length < 2) return JUDGED.MALFORMED;
  const kind = b[at + 1]!;
  if (!knownKind(kind)) return JUDGED.UPGRADE;
  if (length < 3) return JUDGED.MALFORMED;
  const assigned = kind === LEAF_KIND.ADD ? FLAG_READD : 0;
  if ((b[at + 2]! & ~assigned) !== 0) return JUDGED.UPGRADE;
  if (length < COMMON_BYTES || length > MAX_LEAF_BYTES) return JUDGED.MALFORMED;
  if (kind !== LEAF_KIND.SEAL && readU64(b, at + 3) >= MAX_U53) return JUDGED.MALFORMED;
  return layoutFits(kind, b, at, length) ? JUDGED.OK : JUDGED.MALFORMED;
}

function layoutFits(kind: number, b: Uint8Array, at: number, length: number): boolean {
  switch (kind) {
    case LEAF_KIND.ADD:
      return addFits(b, at, length);
    case LEAF_KIND.WITHDRAW:
      return length >= 22 && targetFits(b, at) && metaFits(b, at, 20, length);
    case LEAF_KIND.AMEND:
      return length >= 25 && targetFits(b, at) && amendFits(b, at) && metaFits(b, at, 23, length);
    case LEAF_KIND.SEAL:
      return length === SEAL_BYTES;
    case LEAF_KIND.HOLD:
      return length === HOLD_BYTES && holdFits(b, at);
    default:
      return length === COMMIT_BYTES;
  }
}

/** `u16 meta_len | meta` at `offset` fills the leaf exactly. */
function metaFits(b: Uint8Array, at: number, offset: number, length: number): boolean {
  const from = at + offset + 2;
  const end = at + length;
  if (from + readU16(b, at + offset) !== end) return false;
  return from === end || metaIsFramed(b, from, end);
}

function addFits(b: Uint8Array, at: number, length: number): boolean {
  if (length < ADD_HASH_AT) return false;
  const bytes = HASH_BYTES[b[at + 11]!] ?? 0;
  if (bytes === 0 || b[at + 47] !== bytes || b[at + 12] === 0 || b[at + 13] === 0) return false;
  return length >= ADD_HASH_AT + bytes + 2 && metaFits(b, at, ADD_HASH_AT + bytes, length);
}

/** `target_index` in range and `reason` not 0: the same place in WITHDRAW and AMEND. */
function targetFits(b: Uint8Array, at: number): boolean {
  return readU64(b, at + COMMON_BYTES) < MAX_U53 && b[at + 19] !== 0;
}

function amendFits(b: Uint8Array, at: number): boolean {
  return b[at + 20] !== 0 && b[at + 21] !== 0;
}

function holdFits(b: Uint8Array, at: number): boolean {
  const time = readU64(b, at + 3);
  const from = readU64(b, at + 11);
  const to = readU64(b, at + 19);
  const until = readU64(b, at + 28);
  if (to >= MAX_U53 || until >= MAX_U53 || b[at + 27] === 0) return false;
  return from < to && time < until && until <= time + MAX_HOLD_MS;
}

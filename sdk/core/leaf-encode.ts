import { writeU16, writeU64 } from './bytes.js';
import { malformed } from './errors.js';
import type { AddLeaf, AmendLeaf, HoldLeaf, Leaf, SealLeaf, WithdrawLeaf } from './leaf.js';
import {
  ADD_HASH_AT,
  COMMIT_BYTES,
  FLAG_READD,
  HOLD_BYTES,
  LEAF_KIND,
  LEAF_VERSION,
  NO_PREVIOUS_SEAL,
  SEAL_BYTES,
} from './leaf.js';
import { JUDGED, judgeLeaf } from './leaf-judge.js';
import { MAX_META_BYTES, MAX_U53 } from './limits.js';

/** The bytes of a leaf. Throws `MALFORMED` where `decodeLeaf` would not give the same leaf back. */
export function encodeLeaf(leaf: Leaf): Uint8Array {
  const bytes = layOut(leaf);
  if (judgeLeaf(bytes, 0, bytes.length) !== JUDGED.OK) malformed('leaf', 'has a value out of its range');
  return bytes;
}

function layOut(leaf: Leaf): Uint8Array {
  switch (leaf.kind) {
    case 'add':
      return layOutAdd(leaf);
    case 'withdraw':
      return layOutWithdraw(leaf);
    case 'amend':
      return layOutAmend(leaf);
    case 'seal':
      return layOutSeal(leaf);
    case 'hold':
      return layOutHold(leaf);
    case 'commit': {
      const b = start(LEAF_KIND.COMMIT, 0, leaf.timeMs, COMMIT_BYTES);
      put8(b, 11, leaf.what);
      putBytes(b, 12, leaf.commitment, 32);
      return b;
    }
  }
}

function start(kind: number, flags: number, timeMs: number, length: number): Uint8Array {
  const b = new Uint8Array(length);
  b[0] = LEAF_VERSION;
  b[1] = kind;
  b[2] = flags;
  put64(b, 3, timeMs);
  return b;
}

function put8(b: Uint8Array, at: number, value: number): void {
  if (!Number.isInteger(value) || value < 0 || value > 255) malformed('leaf', 'a u8 is out of range');
  b[at] = value;
}

function put64(b: Uint8Array, at: number, value: number): void {
  if (!Number.isInteger(value) || value < 0 || value >= MAX_U53) malformed('leaf', 'a u64 is out of range');
  writeU64(b, at, value);
}

function putBytes(b: Uint8Array, at: number, value: Uint8Array, length: number): void {
  if (value.length !== length) malformed('leaf', 'a byte field has the wrong length');
  b.set(value, at);
}

function putMeta(b: Uint8Array, at: number, meta: Uint8Array): void {
  writeU16(b, at, meta.length);
  b.set(meta, at + 2);
}

function metaLength(meta: Uint8Array): number {
  if (meta.length > MAX_META_BYTES) malformed('meta', 'is too long');
  return meta.length;
}

function layOutAdd(leaf: AddLeaf): Uint8Array {
  const end = ADD_HASH_AT + leaf.hash.length;
  const length = end + 2 + metaLength(leaf.meta);
  const b = start(LEAF_KIND.ADD, leaf.readd ? FLAG_READD : 0, leaf.timeMs, length);
  put8(b, 11, leaf.hashType);
  put8(b, 12, leaf.scheme);
  put8(b, 13, leaf.code);
  put8(b, 14, leaf.verifications);
  putBytes(b, 15, leaf.itemId, 16);
  putBytes(b, 31, leaf.blind, 16);
  put8(b, 47, leaf.hash.length);
  b.set(leaf.hash, ADD_HASH_AT);
  putMeta(b, end, leaf.meta);
  return b;
}

function layOutWithdraw(leaf: WithdrawLeaf): Uint8Array {
  const b = start(LEAF_KIND.WITHDRAW, 0, leaf.timeMs, 22 + metaLength(leaf.meta));
  put64(b, 11, leaf.targetIndex);
  put8(b, 19, leaf.reason);
  putMeta(b, 20, leaf.meta);
  return b;
}

function layOutAmend(leaf: AmendLeaf): Uint8Array {
  const b = start(LEAF_KIND.AMEND, 0, leaf.timeMs, 25 + metaLength(leaf.meta));
  put64(b, 11, leaf.targetIndex);
  put8(b, 19, leaf.reason);
  put8(b, 20, leaf.scheme);
  put8(b, 21, leaf.code);
  put8(b, 22, leaf.verifications);
  putMeta(b, 23, leaf.meta);
  return b;
}

function layOutHold(leaf: HoldLeaf): Uint8Array {
  const b = start(LEAF_KIND.HOLD, 0, leaf.timeMs, HOLD_BYTES);
  put64(b, 11, leaf.from);
  put64(b, 19, leaf.to);
  put8(b, 27, leaf.reason);
  put64(b, 28, leaf.untilMs);
  return b;
}

function layOutSeal(leaf: SealLeaf): Uint8Array {
  const b = start(LEAF_KIND.SEAL, 0, leaf.timeMs, SEAL_BYTES);
  put64(b, 11, leaf.batchNo);
  putBytes(b, 19, leaf.publishId, 16);
  if (leaf.prevSealIndex === NO_PREVIOUS_SEAL) b.fill(0xff, 35, 43);
  else put64(b, 35, leaf.prevSealIndex);
  put64(b, 43, leaf.setCount);
  put8(b, 51, leaf.digestAlg);
  put8(b, 52, leaf.bucketBits);
  putBytes(b, 53, leaf.setDigest, 32);
  return b;
}

import { readU16, readU64 } from './bytes.js';
import { HashfedError, malformed } from './errors.js';
import type { AddLeaf, AmendLeaf, Leaf, SealLeaf, WithdrawLeaf } from './leaf.js';
import { ADD_HASH_AT, LEAF_KIND, NO_PREVIOUS_SEAL } from './leaf.js';
import { JUDGED, judgeLeaf } from './leaf-judge.js';

/**
 * One leaf, strictly. Throws `UPGRADE_REQUIRED` on an unknown version, kind or flag, `MALFORMED` on anything
 * else that the layout forbids. Origin, own index and live targets are judged where the leaf is applied.
 */
export function decodeLeaf(bytes: Uint8Array): Leaf {
  if (bytes.length === 0) malformed('leaf', 'is empty');
  const judged = judgeLeaf(bytes, 0, bytes.length);
  if (judged === JUDGED.UPGRADE) throw new HashfedError('UPGRADE_REQUIRED', 'leaf: of a newer format');
  if (judged === JUDGED.MALFORMED) malformed('leaf', 'does not fit its layout');
  return readJudged(bytes);
}

/** Reads a leaf that `judgeLeaf` accepted. */
export function readJudged(b: Uint8Array): Leaf {
  const timeMs = readU64(b, 3);
  switch (b[1]) {
    case LEAF_KIND.ADD:
      return readAdd(b, timeMs);
    case LEAF_KIND.WITHDRAW:
      return readWithdraw(b, timeMs);
    case LEAF_KIND.AMEND:
      return readAmend(b, timeMs);
    case LEAF_KIND.SEAL:
      return readSeal(b, timeMs);
    case LEAF_KIND.HOLD: {
      const range = { from: readU64(b, 11), to: readU64(b, 19) };
      return { kind: 'hold', timeMs, ...range, reason: b[27]!, untilMs: readU64(b, 28) };
    }
    default:
      return { kind: 'commit', timeMs, what: b[11]!, commitment: b.slice(12, 44) };
  }
}

function metaAt(b: Uint8Array, at: number): Uint8Array {
  return b.slice(at + 2, at + 2 + readU16(b, at));
}

function readAdd(b: Uint8Array, timeMs: number): AddLeaf {
  const end = ADD_HASH_AT + b[47]!;
  return {
    kind: 'add',
    timeMs,
    readd: b[2] !== 0,
    hashType: b[11]!,
    scheme: b[12]!,
    code: b[13]!,
    verifications: b[14]!,
    itemId: b.slice(15, 31),
    blind: b.slice(31, 47),
    hash: b.slice(ADD_HASH_AT, end),
    meta: metaAt(b, end),
  };
}

function readWithdraw(b: Uint8Array, timeMs: number): WithdrawLeaf {
  return { kind: 'withdraw', timeMs, targetIndex: readU64(b, 11), reason: b[19]!, meta: metaAt(b, 20) };
}

function readAmend(b: Uint8Array, timeMs: number): AmendLeaf {
  const target = { targetIndex: readU64(b, 11), reason: b[19]! };
  const now = { scheme: b[20]!, code: b[21]!, verifications: b[22]!, meta: metaAt(b, 23) };
  return { kind: 'amend', timeMs, ...target, ...now };
}

/** 2^64−1, told apart from its neighbours, which round to the same double. */
function isAllOnes(b: Uint8Array, at: number): boolean {
  for (let i = at; i < at + 8; i++) if (b[i] !== 0xff) return false;
  return true;
}

function readSeal(b: Uint8Array, timeMs: number): SealLeaf {
  return {
    kind: 'seal',
    timeMs,
    batchNo: readU64(b, 11),
    publishId: b.slice(19, 35),
    prevSealIndex: isAllOnes(b, 35) ? NO_PREVIOUS_SEAL : readU64(b, 35),
    setCount: readU64(b, 43),
    digestAlg: b[51]!,
    bucketBits: b[52]!,
    setDigest: b.slice(53, 85),
  };
}

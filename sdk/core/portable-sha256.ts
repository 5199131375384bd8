import { sha256 } from '@noble/hashes/sha2.js';
import type { Sha256 } from './sha256.js';

const LEAF_PREFIX = Uint8Array.of(0x00);
const NODE_PREFIX = Uint8Array.of(0x01);
const HASH_BYTES = 32;

function digest(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = sha256.create();
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function hashLeaves(bundle: Uint8Array, count: number): Uint8Array {
  const out = new Uint8Array(count * HASH_BYTES);
  let at = 0;
  for (let i = 0; i < count; i += 1) {
    const length = (bundle[at]! << 8) | bundle[at + 1]!;
    const end = at + 2 + (length === 0 ? HASH_BYTES : length);
    const bytes = bundle.subarray(at + 2, end);
    out.set(length === 0 ? bytes : digest(LEAF_PREFIX, bytes), i * HASH_BYTES);
    at = end;
  }
  return out;
}

function hashPairs(nodes: Uint8Array): Uint8Array {
  const out = new Uint8Array(nodes.length / 2);
  for (let at = 0; at < out.length; at += HASH_BYTES) {
    out.set(digest(NODE_PREFIX, nodes.subarray(2 * at, 2 * at + 2 * HASH_BYTES)), at);
  }
  return out;
}

/** SHA-256 in JavaScript alone: the default backend, which runs wherever the core runs. */
export const portableSha256: Sha256 = { digest, hashLeaves, hashPairs };

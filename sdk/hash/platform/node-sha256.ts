import * as crypto from 'node:crypto';
import type { Sha256 } from '../../core/index.js';

const HASH_BYTES = 32;
/** Messages up to this many bytes are joined and hashed in one call; longer ones are streamed. */
const ONE_SHOT_BYTES = 65_536;

/** `crypto.hash` (Node ≥ 20.12) costs a third of a hash object on short messages. */
const oneShot: (message: Uint8Array) => Uint8Array =
  typeof crypto.hash === 'function'
    ? (message) => crypto.hash('sha256', message, 'buffer')
    : (message) => crypto.createHash('sha256').update(message).digest();

const scratch = new Uint8Array(ONE_SHOT_BYTES);

function digest(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  if (length > ONE_SHOT_BYTES) return stream(parts);
  let at = 0;
  for (const part of parts) {
    scratch.set(part, at);
    at += part.length;
  }
  return new Uint8Array(oneShot(scratch.subarray(0, length)));
}

function stream(parts: readonly Uint8Array[]): Uint8Array {
  const hash = crypto.createHash('sha256');
  for (const part of parts) hash.update(part);
  return Uint8Array.from(hash.digest());
}

function hashLeaves(bundle: Uint8Array, count: number): Uint8Array {
  const out = new Uint8Array(count * HASH_BYTES);
  const message = new Uint8Array(1 + 0xffff);
  let at = 0;
  for (let i = 0; i < count; i += 1) {
    const length = (bundle[at]! << 8) | bundle[at + 1]!;
    const end = at + 2 + (length === 0 ? HASH_BYTES : length);
    const bytes = bundle.subarray(at + 2, end);
    message.set(bytes, 1);
    out.set(length === 0 ? bytes : oneShot(message.subarray(0, 1 + length)), i * HASH_BYTES);
    at = end;
  }
  return out;
}

function hashPairs(nodes: Uint8Array): Uint8Array {
  const out = new Uint8Array(nodes.length / 2);
  const message = new Uint8Array(1 + 2 * HASH_BYTES).fill(0x01, 0, 1);
  for (let at = 0; at < out.length; at += HASH_BYTES) {
    message.set(nodes.subarray(2 * at, 2 * at + 2 * HASH_BYTES), 1);
    out.set(oneShot(message), at);
  }
  return out;
}

/** SHA-256 by the platform's crypto. */
export const nodeSha256: Sha256 = { digest, hashLeaves, hashPairs };

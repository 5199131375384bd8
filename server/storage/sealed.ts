/**
 * What stands in the database behind every key: `u8 format=1 | value | 16 B checksum`, the checksum being the
 * first half of SHA-256(u16 key length ‖ key ‖ format ‖ value). The key is covered, so that a good value in the
 * wrong place is found too. No secret is involved: this finds damage, the Merkle roots find malice.
 */
import { createHash } from 'node:crypto';
import { plain } from './codec.js';
import { damaged } from './failure.js';
import { tableOf } from './keys.js';

export const SEAL_FORMAT = 1;
export const CHECKSUM_BYTES = 16;

function checksum(key: Uint8Array, body: Uint8Array): Buffer {
  const length = Uint8Array.of(key.length >> 8, key.length & 0xff);
  return createHash('sha256').update(length).update(key).update(body).digest().subarray(0, CHECKSUM_BYTES);
}

export function seal(key: Uint8Array, value: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(1 + value.length + CHECKSUM_BYTES);
  out[0] = SEAL_FORMAT;
  out.set(value, 1);
  const end = 1 + value.length;
  out.set(checksum(key, out.subarray(0, end)), end);
  return out;
}

/** The value, or `STORAGE_FAILED` naming the kind of key. */
export function unseal(key: Uint8Array, sealed: Uint8Array): Uint8Array {
  const end = sealed.length - CHECKSUM_BYTES;
  const kind = tableOf(key);
  if (end < 1) damaged(kind, 'is cut short');
  if (!checksum(key, sealed.subarray(0, end)).equals(sealed.subarray(end))) damaged(kind, 'is damaged');
  if (sealed[0] !== SEAL_FORMAT) damaged(kind, 'has a newer format than this program knows');
  return plain(sealed).subarray(1, end);
}

/** The checksum of a sealed value, for multiset sums; not verified here. */
export function sealOf(sealed: Uint8Array): Uint8Array {
  return sealed.subarray(Math.max(0, sealed.length - CHECKSUM_BYTES));
}

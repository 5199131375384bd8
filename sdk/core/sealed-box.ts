/**
 * X25519-XSalsa20-Poly1305 to one recipient: `32 B ephemeral key ‖ 24 B nonce ‖ box`. The sender is not
 * authenticated; whoever needs that signs the statement that carries the box.
 */
import nacl from 'tweetnacl';
import { concat } from './bytes.js';
import type { Random } from './environment.js';
import { malformed } from './errors.js';

export const BOX_KEY_BYTES = 32;
const NONCE_BYTES = 24;
const TAG_BYTES = 16;
/** Bytes that a sealed box is longer than what it holds. */
export const SEALED_BOX_OVERHEAD = BOX_KEY_BYTES + NONCE_BYTES + TAG_BYTES;

/** The X25519 public key of a 32-byte secret. */
export function boxPublicKey(secretKey: Uint8Array): Uint8Array {
  return nacl.box.keyPair.fromSecretKey(secretKey).publicKey;
}

/** A low-order key makes the shared secret zero, so that anybody could open the box: refused. */
function checkExchange(secretKey: Uint8Array, publicKey: Uint8Array, field: string): void {
  if (publicKey.length !== BOX_KEY_BYTES) malformed(field, 'a box key has 32 bytes');
  if (nacl.scalarMult(secretKey, publicKey).every((byte) => byte === 0))
    malformed(field, 'is a weak box key');
}

/** Seals `plaintext` to `recipient`. Throws `MALFORMED` for a key of wrong size or low order. */
export function sealBox(random: Random, recipient: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const secret = random.bytes(BOX_KEY_BYTES);
  checkExchange(secret, recipient, 'recipient');
  const nonce = random.bytes(NONCE_BYTES);
  return concat(boxPublicKey(secret), nonce, nacl.box(plaintext, nonce, recipient, secret));
}

/** Opens a sealed box. Throws `MALFORMED` if it is not for this key or was changed. */
export function openBox(secretKey: Uint8Array, sealed: Uint8Array): Uint8Array {
  if (sealed.length < SEALED_BOX_OVERHEAD) malformed('sealed_box', 'is too short');
  const ephemeral = sealed.subarray(0, BOX_KEY_BYTES);
  checkExchange(secretKey, ephemeral, 'sealed_box');
  const nonce = sealed.subarray(BOX_KEY_BYTES, BOX_KEY_BYTES + NONCE_BYTES);
  const plaintext = nacl.box.open(sealed.subarray(BOX_KEY_BYTES + NONCE_BYTES), nonce, ephemeral, secretKey);
  return plaintext ?? malformed('sealed_box', 'does not open with this key');
}

import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto';
import { KEY_BYTES, NONCE_BYTES, TAG_BYTES } from './limits.js';

/** What a derived key is for. A key of one purpose never opens or authenticates another's bytes. */
export type KeyPurpose =
  | 'wrap'
  | 'file'
  | 'record'
  | 'ledger-value'
  | 'ledger-key'
  | 'ledger-digest'
  | 'member'
  | 'inventory';

/** HKDF-SHA256 (RFC 5869) of `secret`, salted with the random id of the file or record. 32 bytes. */
export function deriveKey(secret: Uint8Array, purpose: KeyPurpose, salt: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, salt, `hashfed-store/1 ${purpose}`, KEY_BYTES));
}

export function hmac(key: Uint8Array, ...parts: readonly (Uint8Array | string)[]): Buffer {
  const mac = createHmac('sha256', key);
  for (const part of parts) mac.update(part);
  return mac.digest();
}

/** The nonce of block `n`. Sound only because every key it is used with belongs to one immutable file. */
export function blockNonce(n: number): Uint8Array {
  const nonce = new Uint8Array(NONCE_BYTES);
  new DataView(nonce.buffer).setBigUint64(4, BigInt(n));
  return nonce;
}

/** AES-256-GCM: ciphertext ‖ 16-byte tag. */
export function seal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plain: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(aad);
  const head = cipher.update(plain);
  const tail = cipher.final();
  const sealed = new Uint8Array(head.length + tail.length + TAG_BYTES);
  sealed.set(head);
  sealed.set(tail, head.length);
  sealed.set(cipher.getAuthTag(), head.length + tail.length);
  return sealed;
}

/** undefined when the bytes are not what `seal` made under this key, nonce and aad. */
export function unseal(
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  if (sealed.length < TAG_BYTES) return undefined;
  const cut = sealed.length - TAG_BYTES;
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(cut));
  const plain = decipher.update(sealed.subarray(0, cut));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  // Not a Buffer: its slice would be a view.
  return new Uint8Array(plain.buffer, plain.byteOffset, plain.length);
}

/** Bytes opened at a time: what the cipher allocates for each part is then cheap to get. */
const PART_BYTES = 128 * 1024;

/**
 * As `unseal`, to `target`, which is as long as the plaintext: no memory of that size is asked for. False when the bytes
 * are not what `seal` made; `target` is not to be used then.
 */
export function unsealInto(
  target: Uint8Array,
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  sealed: Uint8Array,
): boolean {
  const cut = sealed.length - TAG_BYTES;
  if (cut !== target.length) return false;
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(cut));
  for (let at = 0; at < cut; at += PART_BYTES)
    target.set(decipher.update(sealed.subarray(at, Math.min(cut, at + PART_BYTES))), at);
  try {
    decipher.final();
    return true;
  } catch {
    return false;
  }
}

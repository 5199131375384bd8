import { createCipheriv, createDecipheriv, scryptSync } from 'node:crypto';
import { fromHex, type Random, toHex } from '../../../sdk/core/index.js';

/** scrypt with N = 2^17, r = 8, p = 1: 128 MiB and about half a second a guess (RFC 7914; OWASP's first choice). */
const LOG_N = 17;
const TAG_BYTES = 16;

export interface SealedSeed {
  readonly kdf: 'scrypt';
  readonly log_n: number;
  readonly salt: string;
  readonly nonce: string;
  /** AES-256-GCM ciphertext and tag. */
  readonly box: string;
}

/** Encrypts a seed under a passphrase. */
export function sealSeed(seed: Uint8Array, passphrase: string, random: Random): SealedSeed {
  const salt = random.bytes(16);
  const nonce = random.bytes(12);
  const cipher = createCipheriv('aes-256-gcm', derive(passphrase, salt, LOG_N), nonce);
  const box = Buffer.concat([cipher.update(seed), cipher.final(), cipher.getAuthTag()]);
  return { kdf: 'scrypt', log_n: LOG_N, salt: toHex(salt), nonce: toHex(nonce), box: toHex(box) };
}

/** The seed, or undefined where the passphrase is wrong or the box damaged. */
export function openSeed(sealed: SealedSeed, passphrase: string): Uint8Array | undefined {
  const box = fromHex(sealed.box);
  const key = derive(passphrase, fromHex(sealed.salt), sealed.log_n);
  const decipher = createDecipheriv('aes-256-gcm', key, fromHex(sealed.nonce));
  decipher.setAuthTag(box.subarray(box.length - TAG_BYTES));
  try {
    const seed = Buffer.concat([decipher.update(box.subarray(0, box.length - TAG_BYTES)), decipher.final()]);
    return new Uint8Array(seed);
  } catch {
    return undefined;
  }
}

function derive(passphrase: string, salt: Uint8Array, logN: number): Buffer {
  const N = 2 ** logN;
  return scryptSync(passphrase.normalize('NFKC'), salt, 32, { N, r: 8, p: 1, maxmem: 129 * 8 * N * 2 });
}

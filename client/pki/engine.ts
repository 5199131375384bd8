import { webcrypto } from 'node:crypto';
import type { Random } from '../../sdk/core/index.js';
import * as x509 from './x509.js';

x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0]);

export type Key = webcrypto.CryptoKey;
export type KeyPair = webcrypto.CryptoKeyPair;

/** ECDSA P-256 with SHA-256 throughout: what every TLS 1.3 stack verifies. */
export const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
/** Certificates start this long before they are made, for peers whose clock is behind; milliseconds. */
const BACKDATE_MS = 5 * 60_000;
const SERIAL_BYTES = 16;

export function generateKeys(): Promise<KeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

/** PKCS#8 PEM of a private key. */
export async function keyToPem(key: Key): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
}

export async function keyFromPem(pem: string): Promise<Key> {
  const der = x509.PemConverter.decodeFirst(pem);
  return webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, true, ['sign']);
}

/** A positive random serial number of 127 bits (RFC 5280 §4.1.2.2), hex. */
export function makeSerial(random: Random): string {
  const bytes = random.bytes(SERIAL_BYTES);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return Buffer.from(bytes).toString('hex');
}

/** Validity of `days` from now; whole seconds, as certificates count. */
export function validity(nowMs: number, days: number): { notBefore: Date; notAfter: Date } {
  const second = Math.floor(nowMs / 1000) * 1000;
  return { notBefore: new Date(second - BACKDATE_MS), notAfter: new Date(second + days * 86_400_000) };
}

/** A distinguished name of one common name; the library escapes it. */
export function commonName(text: string): x509.JsonName {
  return [{ CN: [text] }];
}

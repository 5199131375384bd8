/** Standard base64 (RFC 4648 §4) without slack, so that equal meaning is equal bytes. */
import { malformed } from './errors.js';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const VALUE = new Map([...ALPHABET].map((letter, i) => [letter, i]));

/** RFC 4648 §4 with padding. */
export function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const left = bytes.length - at;
    const group = (bytes[at]! << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    text += ALPHABET[group >> 18]! + ALPHABET[(group >> 12) & 63]!;
    text += (left > 1 ? ALPHABET[(group >> 6) & 63]! : '=') + (left > 2 ? ALPHABET[group & 63]! : '=');
  }
  return text;
}

/** The inverse of `toBase64` and of nothing else: padding due, spare bits zero. Throws `MALFORMED`. */
export function fromBase64(text: string, field: string): Uint8Array {
  const pad = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const out = new Uint8Array(Math.max(0, Math.floor(text.length / 4) * 3 - pad));
  let [bits, value, at] = [0, 0, 0];
  for (const letter of text.slice(0, text.length - pad)) {
    value = ((value << 6) | (VALUE.get(letter) ?? malformed(field, 'is not base64'))) & 0xffffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out[at] = (value >> bits) & 0xff;
      at += 1;
    }
  }
  if (text.length % 4 !== 0 || toBase64(out) !== text) malformed(field, 'is not canonical base64');
  return out;
}

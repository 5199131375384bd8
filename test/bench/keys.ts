import { createCipheriv } from 'node:crypto';

const PIECE = 1 << 26;

/** Deterministic bytes that look random: AES-256-CTR of zeros under a key made of the seed. */
export function noise(bytes: number, seed: number): Uint8Array {
  const cipher = createCipheriv('aes-256-ctr', Buffer.alloc(32, seed), Buffer.alloc(16, seed));
  const out = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += PIECE) {
    out.set(cipher.update(new Uint8Array(Math.min(PIECE, bytes - at))), at);
  }
  return out;
}

/** `count` distinct 32-byte keys in ascending order, flat: the first 52 bits are sorted, the rest is noise. */
export function sortedKeys(count: number, seed: number): Uint8Array {
  const keys = noise(count * 32, seed);
  const view = new DataView(keys.buffer);
  const heads = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    heads[i] = view.getUint32(i * 32) * 2 ** 20 + (view.getUint32(i * 32 + 4) >>> 12);
  }
  heads.sort();
  for (let i = 0; i < count; i++) {
    if (i > 0 && heads[i]! <= heads[i - 1]!) heads[i] = heads[i - 1]! + 1;
    view.setUint32(i * 32, Math.floor(heads[i]! / 2 ** 20));
    view.setUint32(i * 32 + 4, (((heads[i]! % 2 ** 20) << 12) | (view.getUint32(i * 32 + 4) & 0xfff)) >>> 0);
  }
  return keys;
}

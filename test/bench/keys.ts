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

/** Keys that share their first six bytes. */
const CLUSTER = 2_000;

/** As `sortedKeys`, in clusters of 2,000 that differ from their seventh byte on. */
export function clusteredKeys(count: number, seed: number): Uint8Array {
  const keys = sortedKeys(count, seed);
  // The order of bytes 0 to 6 goes to bytes 6 to 12: within a cluster it is the order that was.
  for (let i = 0; i < count; i++) {
    keys.copyWithin(i * 32 + 6, i * 32, i * 32 + 7);
    writeCluster(keys, i * 32, Math.floor(i / CLUSTER), Math.ceil(count / CLUSTER));
  }
  return keys;
}

/** Moves keys into the clusters of `clusteredKeys`, so that they are missed only at their end. */
export function intoClusters(keys: Uint8Array, count: number): void {
  const clusters = Math.ceil(count / CLUSTER);
  for (let at = 0; at < keys.length; at += 32) {
    const which = ((keys[at]! << 16) | (keys[at + 1]! << 8) | keys[at + 2]!) % clusters;
    writeCluster(keys, at, which, clusters);
  }
}

/** The first six bytes: spread evenly over the clusters, ascending with them. */
function writeCluster(keys: Uint8Array, at: number, which: number, clusters: number): void {
  const head = Math.floor((which / clusters) * 2 ** 32);
  new DataView(keys.buffer, keys.byteOffset).setUint32(at, head);
  keys[at + 4] = 0;
  keys[at + 5] = 0;
}

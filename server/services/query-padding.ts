import type { Random } from '../../sdk/core/index.js';

/** Answers are multiples of this many bytes. */
export const PAD_TO = 512;

/** Random bytes that bring a message of `length` bytes to a multiple of 512, their own tag and length included. */
export function paddingFor(length: number, random: Random): Uint8Array {
  for (let pad = 0; pad < PAD_TO + 4; pad += 1) {
    const frame = pad === 0 ? 0 : pad < 128 ? 2 : 3;
    if ((length + frame + pad) % PAD_TO === 0) return random.bytes(pad);
  }
  // A pad of 128 skips one total; one block more always has room for it.
  return random.bytes(2 * PAD_TO - 3 - (length % PAD_TO));
}

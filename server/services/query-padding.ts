import type { Random } from '../../sdk/core/index.js';

/** Answers are multiples of this many bytes. */
export const PAD_TO = 512;
/** Room for records that an answer without any has too, bytes: four or five. */
const RESERVED = 512;

/**
 * Random bytes that bring a message of `length` bytes to a multiple of 512, their own tag and length included. `least`:
 * its length without what was found. Whatever fits into the room reserved beside it does not show in the total.
 */
export function paddingFor(length: number, least: number, random: Random): Uint8Array {
  let total = Math.ceil((least + RESERVED) / PAD_TO) * PAD_TO;
  while (total < length) total += PAD_TO;
  for (;;) {
    const pad = padOf(total - length);
    if (pad !== undefined) return random.bytes(pad);
    total += PAD_TO;
  }
}

/** How many bytes of padding make `room` bytes with tag and length; a few numbers cannot be made. */
function padOf(room: number): number | undefined {
  if (room === 0) return 0;
  if (room >= 3 && room < 130) return room - 2;
  return room >= 131 && room < 16_384 ? room - 3 : undefined;
}

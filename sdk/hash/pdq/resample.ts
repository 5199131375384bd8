/**
 * The resize to 512×512 that precedes the core for larger pictures: nearest neighbour, source index
 * floor(i · side / 512), as the reference tool has it (docs/perceptual.md, "Which resize").
 */

import type { Pixels } from './decode.js';
import { MAX_CORE_SIDE } from './limits.js';

/** Reduces `pixels` to 512×512 if a side is larger; otherwise returns them. */
export function reduce(pixels: Pixels): Pixels {
  const { rgb, width, height } = pixels;
  if (width <= MAX_CORE_SIDE && height <= MAX_CORE_SIDE) return pixels;
  const out = new Uint8Array(MAX_CORE_SIDE * MAX_CORE_SIDE * 3);
  const columns = Uint32Array.from(
    { length: MAX_CORE_SIDE },
    (_, x) => 3 * Math.floor((x * width) / MAX_CORE_SIDE),
  );
  let to = 0;
  for (let y = 0; y < MAX_CORE_SIDE; y++) {
    const row = Math.floor((y * height) / MAX_CORE_SIDE) * width * 3;
    for (let x = 0; x < MAX_CORE_SIDE; x++) {
      const from = row + columns[x]!;
      out[to++] = rgb[from]!;
      out[to++] = rgb[from + 1]!;
      out[to++] = rgb[from + 2]!;
    }
  }
  return { rgb: out, width: MAX_CORE_SIDE, height: MAX_CORE_SIDE };
}

/** Pixels to luma: .299 R + .587 G + .114 B in float32, left to right. */

const { fround } = Math;
const R = fround(0.299);
const G = fround(0.587);
const B = fround(0.114);

/** Writes `count` floats from interleaved 8-bit RGB (3 bytes a pixel). */
export function rgbToLuma(rgb: Uint8Array, count: number, out: Float32Array): void {
  for (let i = 0, p = 0; i < count; i++, p += 3) {
    out[i] = fround(fround(fround(R * rgb[p]!) + fround(G * rgb[p + 1]!)) + fround(B * rgb[p + 2]!));
  }
}

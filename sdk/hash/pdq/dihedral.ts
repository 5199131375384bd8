/** Hashes of the eight symmetries of the square, from one transform: transposes and sign changes of its block. */

/** Order in which the eight hashes are given; rotations are counterclockwise. */
export const DIHEDRALS = [
  'original',
  'rotate90',
  'rotate180',
  'rotate270',
  'flipX',
  'flipY',
  'flipPlus',
  'flipMinus',
] as const;

export type Dihedral = (typeof DIHEDRALS)[number];

interface Symmetry {
  readonly transpose: boolean;
  /** Negate where the output row (bit 0) or column (bit 1) has an even index, that is an odd frequency. */
  readonly negate: 0 | 1 | 2 | 3;
}

const SYMMETRIES: Record<Dihedral, Symmetry> = {
  original: { transpose: false, negate: 0 },
  rotate90: { transpose: true, negate: 1 },
  rotate180: { transpose: false, negate: 3 },
  rotate270: { transpose: true, negate: 2 },
  flipX: { transpose: false, negate: 1 },
  flipY: { transpose: false, negate: 2 },
  flipPlus: { transpose: true, negate: 0 },
  flipMinus: { transpose: true, negate: 3 },
};

/** Writes the 16×16 block of the transformed image to `out`. */
export function transformBlock(block: Float32Array, which: Dihedral, out: Float32Array): void {
  const { transpose, negate } = SYMMETRIES[which];
  for (let i = 0; i < 16; i++) {
    for (let j = 0; j < 16; j++) {
      const value = block[transpose ? j * 16 + i : i * 16 + j]!;
      const flips = (negate & 1 & ~i) ^ ((negate >> 1) & 1 & ~j);
      out[i * 16 + j] = flips === 1 ? -value : value;
    }
  }
}

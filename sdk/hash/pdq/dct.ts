/** The 16×16 low-frequency block of a 64×64 cosine transform without its constant row and column (PDQ paper). */

const BLOCK = 16;
const SIDE = 64;
const { fround } = Math;

/** D[i][j] = √(2/64)·cos(π/128·(i+1)(2j+1)), 16 rows of 64, float32. */
const MATRIX = ((): Float32Array => {
  const matrix = new Float32Array(BLOCK * SIDE);
  const scale = fround(Math.sqrt(2 / SIDE));
  for (let i = 0; i < BLOCK; i++) {
    for (let j = 0; j < SIDE; j++) {
      matrix[i * SIDE + j] = scale * Math.cos((Math.PI / 2 / SIDE) * (i + 1) * (2 * j + 1));
    }
  }
  return matrix;
})();

/** `out` (16×16) = D·`input` (64×64)·Dᵀ, float32 sums over rising k; `half` is 16×64 scratch. */
export function dct64To16(input: Float32Array, half: Float32Array, out: Float32Array): void {
  half.fill(0);
  for (let i = 0; i < BLOCK; i++) {
    const row = i * SIDE;
    for (let k = 0; k < SIDE; k++) {
      const d = MATRIX[row + k]!;
      const from = k * SIDE;
      for (let j = 0; j < SIDE; j++) half[row + j] = fround(half[row + j]! + fround(d * input[from + j]!));
    }
  }
  for (let i = 0; i < BLOCK; i++) {
    for (let j = 0; j < BLOCK; j++) {
      let sum = 0;
      for (let k = 0; k < SIDE; k++) {
        sum = fround(sum + fround(half[i * SIDE + k]! * MATRIX[j * SIDE + k]!));
      }
      out[i * BLOCK + j] = sum;
    }
  }
}

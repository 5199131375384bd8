/**
 * Two box-filter passes in each direction, sampled to 64×64 (PDQ paper, "downsampling").
 * All sums are float32 in the order of the published algorithm, since bits depend on the rounding.
 * The third pass keeps only the 64 sampled columns: the fourth reads nothing else.
 */

export const SIDE = 64;
const { fround } = Math;

/** Window of one pass along a dimension of `dim` pixels. */
export function windowSize(dim: number): number {
  return Math.floor((dim + 2 * SIDE - 1) / (2 * SIDE));
}

/** Source index of each of the 64 samples along `dim` pixels. */
export function sampleIndexes(dim: number, out: Uint32Array): void {
  for (let k = 0; k < SIDE; k++) out[k] = Math.floor(((k + 0.5) * dim) / SIDE);
}

/** Scratch that one hasher owns and reuses; it grows to the largest image seen. */
export class JaroszScratch {
  a = new Float32Array(0);
  b = new Float32Array(0);
  narrow = new Float32Array(0);
  sums = new Float32Array(0);
  line = new Float32Array(0);
  readonly xs = new Uint32Array(SIDE);
  readonly ys = new Uint32Array(SIDE);

  reserve(width: number, height: number): void {
    const pixels = Math.max(width, SIDE) * height;
    if (this.a.length < pixels) {
      this.a = new Float32Array(pixels);
      this.b = new Float32Array(pixels);
    }
    if (this.narrow.length < height * SIDE) this.narrow = new Float32Array(height * SIDE);
    const side = Math.max(width, SIDE);
    if (this.sums.length < side) this.sums = new Float32Array(side);
    if (this.line.length < side) this.line = new Float32Array(side);
  }
}

/** One running-sum pass over a row: `out[o…]` from `input[i…]`, both of `length` floats. */
function boxRow(
  input: Float32Array,
  i: number,
  out: Float32Array,
  o: number,
  length: number,
  win: number,
): void {
  const half = (win + 2) >> 1;
  let right = i;
  let left = i;
  let to = o;
  let sum = 0;
  let size = 0;
  for (; size < half - 1; size++) sum = fround(sum + input[right++]!);
  while (size < win) {
    sum = fround(sum + input[right++]!);
    size++;
    out[to++] = fround(sum / size);
  }
  for (let n = length - win; n > 0; n--) {
    sum = fround(sum + input[right++]!);
    sum = fround(sum - input[left++]!);
    out[to++] = fround(sum / win);
  }
  for (let n = half - 1; n > 0; n--) {
    sum = fround(sum - input[left++]!);
    size--;
    out[to++] = fround(sum / size);
  }
}

function addRow(sums: Float32Array, input: Float32Array, at: number, width: number): void {
  for (let x = 0; x < width; x++) sums[x] = fround(sums[x]! + input[at + x]!);
}

function subRow(sums: Float32Array, input: Float32Array, at: number, width: number): void {
  for (let x = 0; x < width; x++) sums[x] = fround(sums[x]! - input[at + x]!);
}

function divRow(sums: Float32Array, size: number, out: Float32Array, at: number, width: number): void {
  for (let x = 0; x < width; x++) out[at + x] = fround(sums[x]! / size);
}

/** The same pass down every column at once, a row at a time, so that memory is read in order. */
function boxColumns(
  input: Float32Array,
  out: Float32Array,
  sums: Float32Array,
  width: number,
  height: number,
  win: number,
): void {
  const half = (win + 2) >> 1;
  const growing = win - half + 1;
  const shrinking = height - half + 1;
  sums.fill(0, 0, width);
  let right = 0;
  let left = 0;
  for (; right < half - 1; right++) addRow(sums, input, right * width, width);
  for (let y = 0; y < height; y++) {
    if (y < shrinking) addRow(sums, input, width * right++, width);
    if (y >= growing) subRow(sums, input, width * left++, width);
    divRow(sums, right - left, out, y * width, width);
  }
}

/**
 * Filters `luma` (row-major, `width * height` floats) and writes 64×64 samples to `out`.
 * `luma` is not changed.
 */
export function filterAndSample(
  scratch: JaroszScratch,
  luma: Float32Array,
  width: number,
  height: number,
  out: Float32Array,
): void {
  scratch.reserve(width, height);
  const { a, b, narrow, sums, line, xs, ys } = scratch;
  const winX = windowSize(width);
  const winY = windowSize(height);
  sampleIndexes(width, xs);
  sampleIndexes(height, ys);
  for (let y = 0; y < height; y++) boxRow(luma, y * width, a, y * width, width, winX);
  boxColumns(a, b, sums, width, height, winY);
  for (let y = 0; y < height; y++) {
    boxRow(b, y * width, line, 0, width, winX);
    for (let k = 0; k < SIDE; k++) narrow[y * SIDE + k] = line[xs[k]!]!;
  }
  boxColumns(narrow, a, sums, SIDE, height, winY);
  for (let k = 0; k < SIDE; k++) {
    const from = ys[k]! * SIDE;
    for (let x = 0; x < SIDE; x++) out[k * SIDE + x] = a[from + x]!;
  }
}

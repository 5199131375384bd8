/**
 * RGB to 64×64 samples, the same float32 operations in the same order as luma.ts and jarosz.ts, for sides up to 512.
 * Rows of floats are padded to a multiple of four; what the padding holds is never sampled.
 */

export const RGB: usize = 0x10000;
const LUMA: usize = 0xd0000;
const A: usize = 0x1d0000;
const B: usize = 0x2d0000;
const NARROW: usize = 0x3d0000;
const FILTERED: usize = 0x3f0000;
const LINES: usize = 0x410000;
const SUMS: usize = 0x414000;
export const SAMPLES: usize = 0x418000;

const R: f32 = 0.299;
const G: f32 = 0.587;
const BLUE: f32 = 0.114;

function lumaRows(width: u32, height: u32, stride: usize): void {
  let p = RGB;
  for (let y: u32 = 0; y < height; y++) {
    let o = LUMA + <usize>y * stride;
    for (let x: u32 = 0; x < width; x++, p += 3, o += 4) {
      store<f32>(o, R * <f32>load<u8>(p) + G * <f32>load<u8>(p, 1) + BLUE * <f32>load<u8>(p, 2));
    }
  }
}

/** One running-sum pass over four rows at once, so that their additions overlap. */
function boxRows4(i0: usize, i1: usize, i2: usize, i3: usize, o0: usize, o1: usize, o2: usize, o3: usize, length: u32, win: u32): void {
  const half = (win + 2) >> 1;
  let s0: f32 = 0;
  let s1: f32 = 0;
  let s2: f32 = 0;
  let s3: f32 = 0;
  let right: usize = 0;
  let left: usize = 0;
  let to: usize = 0;
  let size: u32 = 0;
  for (; size < half - 1; size++, right += 4) {
    s0 += load<f32>(i0 + right); s1 += load<f32>(i1 + right); s2 += load<f32>(i2 + right); s3 += load<f32>(i3 + right);
  }
  while (size < win) {
    s0 += load<f32>(i0 + right); s1 += load<f32>(i1 + right); s2 += load<f32>(i2 + right); s3 += load<f32>(i3 + right);
    right += 4;
    size++;
    const n = <f32>size;
    store<f32>(o0 + to, s0 / n); store<f32>(o1 + to, s1 / n); store<f32>(o2 + to, s2 / n); store<f32>(o3 + to, s3 / n);
    to += 4;
  }
  const full = <f32>win;
  for (let n = length - win; n > 0; n--) {
    s0 += load<f32>(i0 + right); s1 += load<f32>(i1 + right); s2 += load<f32>(i2 + right); s3 += load<f32>(i3 + right);
    s0 -= load<f32>(i0 + left); s1 -= load<f32>(i1 + left); s2 -= load<f32>(i2 + left); s3 -= load<f32>(i3 + left);
    store<f32>(o0 + to, s0 / full); store<f32>(o1 + to, s1 / full); store<f32>(o2 + to, s2 / full); store<f32>(o3 + to, s3 / full);
    right += 4;
    left += 4;
    to += 4;
  }
  for (let n = half - 1; n > 0; n--) {
    s0 -= load<f32>(i0 + left); s1 -= load<f32>(i1 + left); s2 -= load<f32>(i2 + left); s3 -= load<f32>(i3 + left);
    left += 4;
    size--;
    const n = <f32>size;
    store<f32>(o0 + to, s0 / n); store<f32>(o1 + to, s1 / n); store<f32>(o2 + to, s2 / n); store<f32>(o3 + to, s3 / n);
    to += 4;
  }
}

/** The row below `y` by `by`, or the last one, which is then done twice with the same outcome. */
function below(base: usize, y: u32, by: u32, height: u32, stride: usize): usize {
  const row = y + by < height ? y + by : height - 1;
  return base + <usize>row * stride;
}

function boxRows(from: usize, to: usize, width: u32, height: u32, stride: usize, win: u32): void {
  for (let y: u32 = 0; y < height; y += 4) {
    boxRows4(
      below(from, y, 0, height, stride), below(from, y, 1, height, stride), below(from, y, 2, height, stride), below(from, y, 3, height, stride),
      below(to, y, 0, height, stride), below(to, y, 1, height, stride), below(to, y, 2, height, stride), below(to, y, 3, height, stride),
      width, win,
    );
  }
}

function sampleAt(k: u32, dim: u32): u32 {
  return <u32>(((<f64>k + 0.5) * <f64>dim) / 64.0);
}

/** The same, keeping only the 64 sampled columns. */
function boxRowsSampled(from: usize, width: u32, height: u32, stride: usize, win: u32): void {
  for (let y: u32 = 0; y < height; y += 4) {
    boxRows4(
      below(from, y, 0, height, stride), below(from, y, 1, height, stride), below(from, y, 2, height, stride), below(from, y, 3, height, stride),
      LINES, LINES + 0x1000, LINES + 0x2000, LINES + 0x3000, width, win,
    );
    for (let j: u32 = 0; j < 4 && y + j < height; j++) {
      const line = LINES + (<usize>j << 12);
      const out = NARROW + (<usize>(y + j) << 8);
      for (let k: u32 = 0; k < 64; k++) {
        store<f32>(out + (<usize>k << 2), load<f32>(line + (<usize>sampleAt(k, width) << 2)));
      }
    }
  }
}

function addRow(at: usize, stride: usize): void {
  for (let x: usize = 0; x < stride; x += 16) {
    v128.store(SUMS + x, f32x4.add(v128.load(SUMS + x), v128.load(at + x)));
  }
}

function subRow(at: usize, stride: usize): void {
  for (let x: usize = 0; x < stride; x += 16) {
    v128.store(SUMS + x, f32x4.sub(v128.load(SUMS + x), v128.load(at + x)));
  }
}

function divRow(size: u32, at: usize, stride: usize): void {
  const n = f32x4.splat(<f32>size);
  for (let x: usize = 0; x < stride; x += 16) v128.store(at + x, f32x4.div(v128.load(SUMS + x), n));
}

function boxColumns(from: usize, to: usize, height: u32, stride: usize, win: u32): void {
  const half = (win + 2) >> 1;
  const growing = win - half + 1;
  const shrinking = height - half + 1;
  memory.fill(SUMS, 0, stride);
  let right: u32 = 0;
  let left: u32 = 0;
  for (; right < half - 1; right++) addRow(from + <usize>right * stride, stride);
  for (let y: u32 = 0; y < height; y++) {
    if (y < shrinking) addRow(from + <usize>(right++) * stride, stride);
    if (y >= growing) subRow(from + <usize>(left++) * stride, stride);
    divRow(right - left, to + <usize>y * stride, stride);
  }
}

/** Samples of the picture at RGB. */
export function sample(width: u32, height: u32): void {
  const stride = <usize>((width + 3) & ~3) << 2;
  const winX = (width + 127) >> 7;
  const winY = (height + 127) >> 7;
  lumaRows(width, height, stride);
  boxRows(LUMA, A, width, height, stride, winX);
  boxColumns(A, B, height, stride, winY);
  boxRowsSampled(B, width, height, stride, winX);
  boxColumns(NARROW, FILTERED, height, 256, winY);
  for (let k: u32 = 0; k < 64; k++) {
    memory.copy(SAMPLES + (<usize>k << 8), FILTERED + (<usize>sampleAt(k, height) << 8), 256);
  }
}

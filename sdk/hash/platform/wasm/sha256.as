// SHA-256 (FIPS 180-4) of many short messages at once, four to a SIMD register: the leaf hashes and the levels of
// an RFC 6962 tree. Messages wait in lanes by their number of 64-byte blocks, so that the four of a register are
// always of one length. AssemblyScript; built by build.mjs into ../sha256-wasm.ts.

const WINDOW: i32 = 262144;
const MAX_LEAF: i32 = 1024;
const HASH: i32 = 32;
// A leaf has at most 1 + 1,024 bytes and 9 of padding: 17 blocks.
const MAX_BLOCKS: i32 = 17;
const LANE: i32 = MAX_BLOCKS * 64;
const GROUP: i32 = 4 * LANE;

const INPUT = memory.data(WINDOW, 16);
const OUTPUT = memory.data(WINDOW, 16);
const LANES = memory.data((MAX_BLOCKS + 1) * GROUP, 16);
const FILLED = memory.data((MAX_BLOCKS + 1) * 4, 16);
const TARGET = memory.data((MAX_BLOCKS + 1) * 4 * 4, 16);
const SCHEDULE = memory.data(64 * 16, 16);
const STATE = memory.data(8 * 16, 16);

const K = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);

export function input(): usize { return INPUT; }
export function output(): usize { return OUTPUT; }
export function window(): i32 { return WINDOW; }

// @ts-ignore: decorator
@inline function rotr(x: v128, n: i32): v128 {
  return v128.or(i32x4.shr_u(x, n), i32x4.shl(x, 32 - n));
}
// @ts-ignore: decorator
@inline function sum0(x: v128): v128 { return v128.xor(v128.xor(rotr(x, 2), rotr(x, 13)), rotr(x, 22)); }
// @ts-ignore: decorator
@inline function sum1(x: v128): v128 { return v128.xor(v128.xor(rotr(x, 6), rotr(x, 11)), rotr(x, 25)); }
// @ts-ignore: decorator
@inline function mix0(x: v128): v128 { return v128.xor(v128.xor(rotr(x, 7), rotr(x, 18)), i32x4.shr_u(x, 3)); }
// @ts-ignore: decorator
@inline function mix1(x: v128): v128 { return v128.xor(v128.xor(rotr(x, 17), rotr(x, 19)), i32x4.shr_u(x, 10)); }
// @ts-ignore: decorator
@inline function maj(a: v128, b: v128, c: v128): v128 { return v128.bitselect(c, a, v128.xor(a, b)); }
// @ts-ignore: decorator
@inline function swap(x: v128): v128 {
  return i8x16.shuffle(x, x, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
}
// @ts-ignore: decorator
@inline function add(x: v128, y: v128): v128 { return i32x4.add(x, y); }
// @ts-ignore: decorator
@inline function half1(e: v128, f: v128, g: v128, h: v128, t: i32): v128 {
  return add(add(h, sum1(e)), add(v128.bitselect(f, g, e), v128.load(SCHEDULE + (t << 4))));
}
// @ts-ignore: decorator
@inline function half2(a: v128, b: v128, c: v128): v128 { return add(sum0(a), maj(a, b, c)); }

/** Writes four big-endian words of four lanes as four registers of one word each. */
function spread(from: usize, to: usize): void {
  const a = swap(v128.load(from));
  const b = swap(v128.load(from + LANE));
  const c = swap(v128.load(from + 2 * LANE));
  const d = swap(v128.load(from + 3 * LANE));
  const ab = i32x4.shuffle(a, b, 0, 4, 1, 5);
  const cd = i32x4.shuffle(c, d, 0, 4, 1, 5);
  const ef = i32x4.shuffle(a, b, 2, 6, 3, 7);
  const gh = i32x4.shuffle(c, d, 2, 6, 3, 7);
  v128.store(to, i32x4.shuffle(ab, cd, 0, 1, 4, 5));
  v128.store(to + 16, i32x4.shuffle(ab, cd, 2, 3, 6, 7));
  v128.store(to + 32, i32x4.shuffle(ef, gh, 0, 1, 4, 5));
  v128.store(to + 48, i32x4.shuffle(ef, gh, 2, 3, 6, 7));
}

/** The message schedule of one block of four lanes, round constants added in. */
function schedule(block: usize): void {
  for (let i = 0; i < 4; i++) spread(block + (i << 4), SCHEDULE + (i << 6));
  for (let t = 16; t < 64; t++) {
    const at = SCHEDULE + (t << 4);
    const far = add(v128.load(at - 256), mix0(v128.load(at - 240)));
    v128.store(at, add(far, add(v128.load(at - 112), mix1(v128.load(at - 32)))));
  }
  for (let t = 0; t < 64; t++) {
    const at = SCHEDULE + (t << 4);
    v128.store(at, add(v128.load(at), i32x4.splat(load<i32>(K + (t << 2)))));
  }
}

function compress(block: usize): void {
  schedule(block);
  let a = v128.load(STATE), b = v128.load(STATE, 16), c = v128.load(STATE, 32), d = v128.load(STATE, 48);
  let e = v128.load(STATE, 64), f = v128.load(STATE, 80), g = v128.load(STATE, 96), h = v128.load(STATE, 112);
  for (let t = 0; t < 64; t += 8) {
    let x = half1(e, f, g, h, t);
    d = add(d, x); h = add(x, half2(a, b, c));
    x = half1(d, e, f, g, t + 1);
    c = add(c, x); g = add(x, half2(h, a, b));
    x = half1(c, d, e, f, t + 2);
    b = add(b, x); f = add(x, half2(g, h, a));
    x = half1(b, c, d, e, t + 3);
    a = add(a, x); e = add(x, half2(f, g, h));
    x = half1(a, b, c, d, t + 4);
    h = add(h, x); d = add(x, half2(e, f, g));
    x = half1(h, a, b, c, t + 5);
    g = add(g, x); c = add(x, half2(d, e, f));
    x = half1(g, h, a, b, t + 6);
    f = add(f, x); b = add(x, half2(c, d, e));
    x = half1(f, g, h, a, t + 7);
    e = add(e, x); a = add(x, half2(b, c, d));
  }
  v128.store(STATE, add(v128.load(STATE), a), 0);
  v128.store(STATE, add(v128.load(STATE, 16), b), 16);
  v128.store(STATE, add(v128.load(STATE, 32), c), 32);
  v128.store(STATE, add(v128.load(STATE, 48), d), 48);
  v128.store(STATE, add(v128.load(STATE, 64), e), 64);
  v128.store(STATE, add(v128.load(STATE, 80), f), 80);
  v128.store(STATE, add(v128.load(STATE, 96), g), 96);
  v128.store(STATE, add(v128.load(STATE, 112), h), 112);
}

function start(): void {
  v128.store(STATE, i32x4.splat(0x6a09e667), 0);
  v128.store(STATE, i32x4.splat(<i32>0xbb67ae85), 16);
  v128.store(STATE, i32x4.splat(0x3c6ef372), 32);
  v128.store(STATE, i32x4.splat(<i32>0xa54ff53a), 48);
  v128.store(STATE, i32x4.splat(0x510e527f), 64);
  v128.store(STATE, i32x4.splat(<i32>0x9b05688c), 80);
  v128.store(STATE, i32x4.splat(0x1f83d9ab), 96);
  v128.store(STATE, i32x4.splat(0x5be0cd19), 112);
}

/** Hashes the lanes that wait for `blocks` and writes each result where its message asked for it. */
function flush(blocks: i32): void {
  const filled = load<i32>(FILLED + (blocks << 2));
  if (filled == 0) return;
  const lanes = LANES + blocks * GROUP;
  start();
  for (let i = 0; i < blocks; i++) compress(lanes + (i << 6));
  for (let lane = 0; lane < filled; lane++) {
    const to = load<i32>(TARGET + (blocks << 4) + (lane << 2));
    for (let word = 0; word < 8; word++) {
      store<u32>(to + (word << 2), bswap(load<u32>(STATE + (word << 4) + (lane << 2))));
    }
  }
  store<i32>(FILLED + (blocks << 2), 0);
}

/** Puts `prefix ‖ length bytes` into a lane, padded; hashes when four wait. */
function enqueue(prefix: u8, from: usize, length: i32, to: usize): void {
  const blocks = (length + 1 + 9 + 63) >> 6;
  const slot = FILLED + (blocks << 2);
  const filled = load<i32>(slot);
  const lane = LANES + blocks * GROUP + filled * LANE;
  const end = blocks << 6;
  store<u8>(lane, prefix);
  memory.copy(lane + 1, from, length);
  store<u8>(lane + 1 + length, 0x80);
  memory.fill(lane + 2 + length, 0, end - 6 - length);
  store<u32>(lane + end - 4, bswap(<u32>(length + 1) << 3));
  store<i32>(TARGET + (blocks << 4) + (filled << 2), <i32>to);
  store<i32>(slot, filled + 1);
  if (filled == 3) flush(blocks);
}

/**
 * Hashes `count` packed leaves from the input area into the output area; the caller has checked that they lie
 * inside, have at most 1,024 bytes each, and that the answers fit. Returns the bytes read.
 */
export function hashLeaves(count: i32): i32 {
  let at = INPUT;
  for (let i = 0; i < count; i++) {
    const length = (<i32>load<u8>(at) << 8) | <i32>load<u8>(at, 1);
    const to = OUTPUT + i * HASH;
    if (length == 0) {
      memory.copy(to, at + 2, HASH);
      at += 2 + HASH;
    } else {
      enqueue(0x00, at + 2, min(length, MAX_LEAF), to);
      at += 2 + length;
    }
  }
  for (let blocks = 1; blocks <= MAX_BLOCKS; blocks++) flush(blocks);
  return <i32>(at - INPUT);
}

/** Hashes `pairs` pairs of 32-byte nodes from the input area into the output area. */
export function hashPairs(pairs: i32): void {
  for (let i = 0; i < pairs; i++) enqueue(0x01, INPUT + (i << 6), 64, OUTPUT + i * HASH);
  flush(2);
}

/**
 * One look at a table's directory and tags (see ../../table.ts). What is read decides few branches, and few
 * instructions wait for memory, so that the processor works on several queries at once.
 */

/** 32 − directory bits; byte at which the tags start. */
declare const shift: i32;
declare const tagsAt: i32;

/** Rows that one look covers. The memory goes on for at least as many tags behind the last one. */
const WINDOW: u32 = 32;

/** First row of the key's slot with the key's tag, from the first four bytes of the key; −1 none, −2 too many rows. */
export function candidate(head: i32): i32 {
  const bounds = load<u64>((<u32>head >>> shift) << 2);
  const low = <u32>bounds;
  const rows = <u32>(bounds >>> 32) - low;
  if (rows >= WINDOW) return -2;
  const wanted = i16x8.splat(<i16>head);
  const at = tagsAt + (low << 1);
  const a = i16x8.eq(v128.load(at), wanted);
  const b = i16x8.eq(v128.load(at, 16), wanted);
  const c = i16x8.eq(v128.load(at, 32), wanted);
  const d = i16x8.eq(v128.load(at, 48), wanted);
  const front = i8x16.bitmask(i8x16.narrow_i16x8_s(a, b));
  const back = i8x16.bitmask(i8x16.narrow_i16x8_s(c, d));
  const found = (front | (back << 16)) & ((1 << rows) - 1);
  return found === 0 ? -1 : low + ctz(found);
}

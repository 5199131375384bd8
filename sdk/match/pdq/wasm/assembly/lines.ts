/**
 * Lines: 64 bytes with up to 12 entries. Tags of 2 bytes lie from 0, a header at 24, rows of 3 bytes from 28. The
 * header has the count in bits 0–3 and above it a reference to the next line of the bucket, 0 for none.
 * A head (a bucket's first line, in the band's table) that is empty can be lent to another bucket of its set
 * (heads.ts). Whoever comes through its own bucket still finds a header of 0; as a lent line it holds 10 entries,
 * has a reference to the line before it at 20 and its other header at 60.
 * A reference is the line's address / 64, with bit 26 set when the line is a lent head.
 */

export const LINE_ENTRIES: u32 = 12;
const LENT_ENTRIES: u32 = 10;
const LENT: u32 = 1 << 26;

/** Without bit 26, which the shift moves out. */
export function lineOf(ref: u32): usize {
  return (<usize>ref) << 6;
}

export function refOf(line: usize): u32 {
  return <u32>(line >> 6);
}

export function lentRefOf(line: usize): u32 {
  return refOf(line) | LENT;
}

export function isLent(ref: u32): bool {
  return (ref & LENT) !== 0;
}

/** Address of the header. */
export function headerOf(ref: u32): usize {
  return lineOf(ref) + 24 + <usize>((ref >>> 26) * 36);
}

export function capacityOf(ref: u32): u32 {
  return isLent(ref) ? LENT_ENTRIES : LINE_ENTRIES;
}

/** Address of the reference that a lent line has to the line before it. */
export function backOf(ref: u32): usize {
  return lineOf(ref) + 20;
}

export function putEntry(line: usize, lane: u32, tag: u32, row: u32): void {
  store<u16>(line + ((<usize>lane) << 1), tag);
  const at = line + 28 + <usize>lane * 3;
  store<u16>(at, row);
  store<u8>(at + 2, row >>> 16);
}

export function tagIn(line: usize, lane: u32): u32 {
  return load<u16>(line + ((<usize>lane) << 1));
}

export function rowIn(line: usize, lane: u32): u32 {
  return load<u32>(line + 27 + <usize>lane * 3) >>> 8;
}

/** The lane of `row` among the first `count`, or 12. */
export function laneOf(line: usize, count: u32, row: u32): u32 {
  for (let lane: u32 = 0; lane < count; lane++) {
    if (rowIn(line, lane) === row) return lane;
  }
  return LINE_ENTRIES;
}

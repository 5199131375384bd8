/**
 * Where everything lies in linear memory, and the allocators. Below HEAP are fixed scratch areas that the host
 * reads and writes by the same constants (../../memory.ts); above it grow row blocks, band tables and lines.
 */

/** The query, 32 bytes, then its first 8 again so that a band can wrap. */
export const QUERY: usize = 0x400;
/** The same for a row whose bands are taken. */
export const ROW: usize = 0x440;
/** Two band sets, 16 bytes each: bands, bits of a bucket number, vacant heads, where to look for one next. */
export const SETS: usize = 0x5c0;
/** Their bands, 16 each of 16 bytes: table address, bit offset, width, unused. */
export const BANDS: usize = 0x600;
export const BAND_SET_BYTES: usize = 0x100;
/** Per band of the query, 16 bytes: radius + 1, bound on band and tag together, lines and candidates expected. */
export const RADII: usize = 0x800;
/** Takes what is read only to bring it into the cache, so that the compiler keeps the reads. */
export const SINK: usize = 0x900;
/** Regions that allocators may carve up: address and end, 32 pairs. */
const SPARES: usize = 0xa00;
const MAX_SPARES: u32 = 32;
/** Probes within each radius, u32 each: filled by the host with MASKS. */
export const BALLS: usize = 0xc00;
/** Addresses of row blocks. */
export const BLOCKS: usize = 0x1000;
/** Lines with lanes that passed the tag filter: address and lane mask, 256 pairs. */
export const HITS: usize = 0x3000;
/** Overflow lines still to visit: reference and bound, 256 pairs. */
export const QUEUE: usize = 0x3800;
export const RESULT_ROWS: usize = 0x4000;
export const RESULT_DISTANCES: usize = 0x8000;
export const BATCH_ROWS: usize = 0x9000;
/** Candidate rows of up to 256 lines. */
export const CANDIDATES: usize = 0xa000;
export const BATCH_HASHES: usize = 0xe000;
/** Bucket masks by rising weight: mask in bits 0–23, weight in bits 24–31; 32768 of them. */
export const MASKS: usize = 0x16000;
export const HEAP: usize = 0x36000;

/** Rows of a block, as a power of two: small, since on average half a block is empty. */
export const BLOCK_SHIFT: u32 = 13;
export const BLOCK_MASK: u32 = (1 << BLOCK_SHIFT) - 1;
/** A block: first halves, second halves, live bits, seen bits. */
export const BLOCK_HIGH: usize = 0x20000;
export const BLOCK_LIVE: usize = 0x40000;
export const BLOCK_SEEN: usize = 0x40400;
export const BLOCK_BYTES: usize = 0x40800;

/** Memory grows by 1/256: a call takes about 0.1 ms, and what is not used yet counts as well. */
const GROWTH_SHIFT: i32 = 8;

let top: usize = HEAP;
/** Freed lines, linked through their header; 0 ends the list. */
let freeLine: u32 = 0;
/** Regions left of dropped band tables. */
let spares: u32 = 0;

/** `bytes` (a multiple of 64) of zeroed memory at a multiple of 64, or 0 when memory is exhausted. */
function allocate(bytes: usize): usize {
  const end = <u64>top + <u64>bytes;
  const pages = <i32>((end + 0xffff) >> 16) - memory.size();
  if (pages > 0) {
    if (end > 0xffff0000) return 0;
    const step = max(pages, memory.size() >> GROWTH_SHIFT);
    if (memory.grow(step) < 0 && memory.grow(pages) < 0) return 0;
  }
  const at = top;
  top = <usize>end;
  return at;
}

/** Bytes of the memory, what it has in reserve among them. */
export function memoryBytes(): usize {
  return (<usize>memory.size()) << 16;
}

/** Address of a line of 64 bytes that was given back, its content undefined, or 0. */
export function reuseLine(): usize {
  const at = (<usize>freeLine) << 6;
  if (at !== 0) freeLine = load<u32>(at + 24);
  return at;
}

/**
 * Address of `bytes`, a multiple of 64, of a dropped table or of new memory, or 0. Bytes 20 to 27 of each 64 are 0.
 */
export function allocateLines(bytes: usize): usize {
  const carved = carve(bytes);
  return carved !== 0 ? carved : allocate(bytes);
}

function carve(bytes: usize): usize {
  for (let i: u32 = 0; i < spares; i++) {
    const region = SPARES + ((<usize>i) << 3);
    const at = <usize>load<u32>(region);
    if (<usize>load<u32>(region, 4) - at < bytes) continue;
    store<u32>(region, <u32>(at + bytes));
    if (at + bytes === <usize>load<u32>(region, 4)) forget(region);
    return at;
  }
  return 0;
}

function forget(region: usize): void {
  spares--;
  store<u64>(region, load<u64>(SPARES + ((<usize>spares) << 3)));
}

export function releaseLine(at: usize): void {
  store<u32>(at + 24, freeLine);
  freeLine = <u32>(at >> 6);
}

/** Gives back a table in whose lines bytes 20 to 27 are 0. */
export function releaseTable(at: usize, bytes: usize): void {
  if (spares === MAX_SPARES) return;
  const region = SPARES + ((<usize>spares) << 3);
  store<u32>(region, <u32>at);
  store<u32>(region, <u32>(at + bytes), 4);
  spares++;
}

/**
 * Band sets. A band's first `bits` bits name a bucket, the next 16 (into the following band) are its tag.
 * Two sets exist, so that one can be built while the other serves.
 */

import { allocateLines, BAND_SET_BYTES, BANDS, SETS } from './layout';

export function bandCount(set: u32): u32 {
  return load<u32>(SETS + ((<usize>set) << 4));
}

export function bucketBits(set: u32): u32 {
  return load<u32>(SETS + ((<usize>set) << 4), 4);
}

export function bandAt(set: u32, band: u32): usize {
  return BANDS + <usize>set * BAND_SET_BYTES + ((<usize>band) << 4);
}

function setShape(set: u32, count: u32, bits: u32): void {
  store<u32>(SETS + ((<usize>set) << 4), count);
  store<u32>(SETS + ((<usize>set) << 4), bits, 4);
}

/** Lays out `count` bands over 256 bits and allocates their tables; false when memory is exhausted. */
export function createSet(set: u32, count: u32, bits: u32): bool {
  const tableBytes = (<usize>64) << bits;
  const wide: u32 = 256 % count;
  let offset: u32 = 0;
  const tables = allocateLines(tableBytes * <usize>count);
  if (tables === 0) return false;
  for (let band: u32 = 0; band < count; band++) {
    const width: u32 = 256 / count + (band < wide ? 1 : 0);
    const at = bandAt(set, band);
    store<u32>(at, <u32>(tables + tableBytes * <usize>band));
    store<u32>(at + 4, offset);
    store<u32>(at + 8, width);
    offset += width;
  }
  setShape(set, count, bits);
  return true;
}

export function forgetSet(set: u32): void {
  setShape(set, 0, 0);
}

/** Bits from the band's first on, of the wrapped hash at `hash`; at least 57 of them. */
export function bandBits(hash: usize, band: usize): u64 {
  const offset = load<u32>(band + 4);
  return load<u64>(hash + <usize>(offset >> 3)) >> <u64>(offset & 7);
}

import {
  type KeyBytes,
  LINEAR_ROWS,
  MAX_DIRECTORY_BITS,
  MIN_DIRECTORY_BITS,
  ROWS_PER_SLOT,
} from './limits.js';
import { allocateMemory, layout, type Probe, type TableMemory } from './probe.js';

/**
 * An immutable sorted table of keys. The first `bits` bits of a key choose a directory slot: rows
 * `directory[s] … directory[s + 1]`. Bytes 0–1 follow from the slot and are not stored, bytes 2–3 are the row's
 * tag, the others its rest. A miss is nearly always decided by the tags, which are small enough to stay in cache.
 * Everything lies in SharedArrayBuffers, so that a structured clone shares it.
 */
export interface Table {
  readonly keyBytes: KeyBytes;
  readonly count: number;
  readonly bits: number;
  /** Holds directory, tags and rests. */
  readonly memory: TableMemory;
  /** 2^bits + 1 row numbers. */
  readonly directory: Int32Array;
  /** Big-endian value of bytes 2–3, so that tags ascend within a slot. */
  readonly tags: Uint16Array;
  /** (keyBytes − 4) / 4 words a row, each the little-endian value of four bytes. Signed: compared without conversion. */
  readonly rest: Int32Array;
  /** add_index of each row; undefined where the table was built from bare keys. */
  readonly ids: Uint32Array | Float64Array | undefined;
}

export type IdWidth = 0 | 4 | 8;

export function directoryBits(count: number): number {
  const wanted = Math.round(Math.log2(Math.max(1, count / ROWS_PER_SLOT)));
  return Math.min(MAX_DIRECTORY_BITS, Math.max(MIN_DIRECTORY_BITS, wanted));
}

/** An empty table with room for `count` rows; `idWidth` bytes for each add_index. */
export function allocateTable(keyBytes: KeyBytes, count: number, idWidth: IdWidth): Table {
  const bits = directoryBits(count);
  const shape = { keyBytes, count, bits };
  const memory = allocateMemory(shape);
  const { tagsAt, restAt } = layout(shape);
  return {
    ...shape,
    memory,
    directory: new Int32Array(memory.buffer, 0, (1 << bits) + 1),
    tags: new Uint16Array(memory.buffer, tagsAt, count),
    rest: new Int32Array(memory.buffer, restAt, count * ((keyBytes - 4) / 4)),
    ids: allocateIds(count, idWidth),
  };
}

function allocateIds(count: number, idWidth: IdWidth): Table['ids'] {
  if (idWidth === 0) return undefined;
  const buffer = new SharedArrayBuffer(count * idWidth);
  return idWidth === 4 ? new Uint32Array(buffer) : new Float64Array(buffer);
}

/** First row whose key is `h` (of the table's length), or −1; one look by the table's probe decides nearly always. */
export function probeRow(t: Table, probe: Probe, h: Uint8Array): number {
  const row = probe((h[0]! << 24) | (h[1]! << 16) | (h[2]! << 8) | h[3]!);
  if (row === -1) return -1;
  return row >= 0 && sameRest(t, row, h) ? row : findRow(t, h);
}

/** The same without a probe, for callers that seldom ask. */
export function findRow(t: Table, h: Uint8Array): number {
  const head = (h[0]! << 24) | (h[1]! << 16) | (h[2]! << 8) | h[3]!;
  const slot = head >>> (32 - t.bits);
  const tag = head & 0xffff;
  const low = t.directory[slot]!;
  const high = t.directory[slot + 1]!;
  if (high - low > LINEAR_ROWS) return findByHalves(t, h, tag, high);
  const tags = t.tags;
  for (let row = low; row < high; row++) if (tags[row] === tag && sameRest(t, row, h)) return row;
  return -1;
}

/** One past the last row that has the key of `row`. */
export function endOfKey(t: Table, row: number): number {
  let low = row + 1;
  let high = t.count;
  for (let step = 1; low < t.count; step *= 2) {
    const probe = row + step;
    if (probe >= t.count || !sameKey(t, row, probe)) {
      high = Math.min(high, probe);
      break;
    }
    low = probe + 1;
  }
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sameKey(t, row, middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Rows a and b hold the same key. Slots differ only where tags or rest do, or the first two bytes do. */
function sameKey(t: Table, a: number, b: number): boolean {
  if (t.tags[a] !== t.tags[b]) return false;
  const words = (t.keyBytes - 4) >>> 2;
  for (let i = 0; i < words; i++) if (t.rest[a * words + i] !== t.rest[b * words + i]) return false;
  return slotOf(t, a) >>> (t.bits - 16) === slotOf(t, b) >>> (t.bits - 16);
}

/** The slot that holds `row`: the last one that starts at or before it. */
export function slotOf(t: Table, row: number): number {
  let low = 0;
  let high = 1 << t.bits;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (t.directory[middle]! <= row) low = middle;
    else high = middle;
  }
  return low;
}

const word = (h: Uint8Array, at: number): number =>
  h[at]! | (h[at + 1]! << 8) | (h[at + 2]! << 16) | (h[at + 3]! << 24);

/**
 * Row `row` has the rest of `h`. Written out, a word at a time: after a tag that fits the words nearly always do, so
 * that the branches cost nothing, and few instructions leave room for the next query in the processor's window.
 */
export function sameRest(t: Table, row: number, h: Uint8Array): boolean {
  if (t.keyBytes === 32) return same28(t.rest, row * 7, h);
  return t.keyBytes === 20 ? same16(t.rest, row * 4, h) : same12(t.rest, row * 3, h);
}

function same28(r: Int32Array, o: number, h: Uint8Array): boolean {
  return (
    r[o] === (h[4]! | (h[5]! << 8) | (h[6]! << 16) | (h[7]! << 24)) &&
    r[(o + 1) | 0] === (h[8]! | (h[9]! << 8) | (h[10]! << 16) | (h[11]! << 24)) &&
    r[(o + 2) | 0] === (h[12]! | (h[13]! << 8) | (h[14]! << 16) | (h[15]! << 24)) &&
    r[(o + 3) | 0] === (h[16]! | (h[17]! << 8) | (h[18]! << 16) | (h[19]! << 24)) &&
    r[(o + 4) | 0] === (h[20]! | (h[21]! << 8) | (h[22]! << 16) | (h[23]! << 24)) &&
    r[(o + 5) | 0] === (h[24]! | (h[25]! << 8) | (h[26]! << 16) | (h[27]! << 24)) &&
    r[(o + 6) | 0] === (h[28]! | (h[29]! << 8) | (h[30]! << 16) | (h[31]! << 24))
  );
}

function same16(r: Int32Array, o: number, h: Uint8Array): boolean {
  return (
    r[o] === (h[4]! | (h[5]! << 8) | (h[6]! << 16) | (h[7]! << 24)) &&
    r[(o + 1) | 0] === (h[8]! | (h[9]! << 8) | (h[10]! << 16) | (h[11]! << 24)) &&
    r[(o + 2) | 0] === (h[12]! | (h[13]! << 8) | (h[14]! << 16) | (h[15]! << 24)) &&
    r[(o + 3) | 0] === (h[16]! | (h[17]! << 8) | (h[18]! << 16) | (h[19]! << 24))
  );
}

function same12(r: Int32Array, o: number, h: Uint8Array): boolean {
  return (
    r[o] === (h[4]! | (h[5]! << 8) | (h[6]! << 16) | (h[7]! << 24)) &&
    r[(o + 1) | 0] === (h[8]! | (h[9]! << 8) | (h[10]! << 16) | (h[11]! << 24)) &&
    r[(o + 2) | 0] === (h[12]! | (h[13]! << 8) | (h[14]! << 16) | (h[15]! << 24))
  );
}

/** First row whose key is not below `h`; rows are searched by halves. */
export function lowerBound(t: Table, h: Uint8Array): number {
  const head = (h[0]! << 24) | (h[1]! << 16) | (h[2]! << 8) | h[3]!;
  const slot = head >>> (32 - t.bits);
  let low = t.directory[slot]!;
  let high = t.directory[slot + 1]!;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareRow(t, middle, head & 0xffff, h) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** For slots that somebody filled on purpose. */
function findByHalves(t: Table, h: Uint8Array, tag: number, high: number): number {
  const row = lowerBound(t, h);
  return row < high && t.tags[row] === tag && sameRest(t, row, h) ? row : -1;
}

/** Order of the row's key against `h`, both in the same slot. */
function compareRow(t: Table, row: number, tag: number, h: Uint8Array): number {
  const byTag = t.tags[row]! - tag;
  if (byTag !== 0) return byTag;
  const words = (t.keyBytes - 4) >>> 2;
  for (let i = 0; i < words; i++) {
    const at = 4 + 4 * i;
    const mine = swap(t.rest[row * words + i]!);
    const theirs = swap(word(h, at));
    if (mine !== theirs) return mine - theirs;
  }
  return 0;
}

/** The four bytes of a word the other way round, unsigned. */
export function swap(w: number): number {
  return (((w & 0xff) << 24) | ((w & 0xff00) << 8) | ((w >>> 8) & 0xff00) | (w >>> 24)) >>> 0;
}

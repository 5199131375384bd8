import { EMPTY_BYTES, readU16, readU64, writeU16, writeU64 } from './bytes.js';
import { malformed } from './errors.js';
import { MAX_META_BYTES } from './limits.js';
import { metaIsFramed } from './meta.js';

/**
 * A record is one live ADD (docs/spec/list-format.md §3):
 * `hash | u64 add_index | u64 last_index | u64 listed_ms | 16 B item_id | u8 scheme | u8 code |
 * u8 verifications | u16 meta_len | meta`, sorted by (hash, add_index).
 */
export interface RecordView {
  readonly hash: Uint8Array;
  readonly addIndex: number;
  /** The ADD, or its latest effective AMEND. */
  readonly lastIndex: number;
  /** The ADD's time, Unix milliseconds. */
  readonly listedMs: number;
  readonly itemId: Uint8Array;
  readonly scheme: number;
  readonly code: number;
  readonly verifications: number;
  readonly meta: Uint8Array;
}

/** Offsets behind the hash. */
export const REC = {
  ADD: 0,
  LAST: 8,
  LISTED: 16,
  ITEM: 24,
  SCHEME: 40,
  CODE: 41,
  CHECKS: 42,
  META: 43,
} as const;
/** Bytes of a record without its hash and its meta. */
export const RECORD_TAIL_BYTES = 45;
/** High words of u64 from here on are 2^53 or more. */
const U53_HIGH = 2 ** 21;

export function encodeRecord(record: RecordView): Uint8Array {
  const h = record.hash.length;
  const out = new Uint8Array(h + RECORD_TAIL_BYTES + record.meta.length);
  out.set(record.hash);
  writeU64(out, h + REC.ADD, record.addIndex);
  writeU64(out, h + REC.LAST, record.lastIndex);
  writeU64(out, h + REC.LISTED, record.listedMs);
  out.set(record.itemId, h + REC.ITEM);
  out[h + REC.SCHEME] = record.scheme;
  out[h + REC.CODE] = record.code;
  out[h + REC.CHECKS] = record.verifications;
  writeU16(out, h + REC.META, record.meta.length);
  out.set(record.meta, h + RECORD_TAIL_BYTES);
  return out;
}

/**
 * Bytes of the record at `at`, checked: whole, add_index ≤ last_index, u64 below 2^53, scheme and code not 0,
 * meta well framed. `view` is of the same bytes as `b`. Throws `MALFORMED`.
 */
export function checkRecord(b: Uint8Array, view: DataView, at: number, hashLength: number): number {
  const tail = at + hashLength;
  const meta = tail + RECORD_TAIL_BYTES;
  if (meta > b.length) malformed('records', 'a record is cut short');
  const metaLength = view.getUint16(tail + REC.META);
  if (metaLength > MAX_META_BYTES || meta + metaLength > b.length) malformed('records', 'meta is cut short');
  const addHigh = view.getUint32(tail + REC.ADD);
  const lastHigh = view.getUint32(tail + REC.LAST);
  const ordered =
    addHigh < lastHigh ||
    (addHigh === lastHigh && view.getUint32(tail + REC.ADD + 4) <= view.getUint32(tail + REC.LAST + 4));
  if (!ordered || lastHigh >= U53_HIGH || view.getUint32(tail + REC.LISTED) >= U53_HIGH)
    malformed('records', 'a number is out of range');
  if (b[tail + REC.SCHEME] === 0 || b[tail + REC.CODE] === 0) malformed('records', 'a code is 0');
  if (metaLength > 0 && !metaIsFramed(b, meta, meta + metaLength)) malformed('records', 'meta is not framed');
  return hashLength + RECORD_TAIL_BYTES + metaLength;
}

/** Reads a checked record; copies. */
export function readRecord(b: Uint8Array, at: number, hashLength: number): RecordView {
  const tail = at + hashLength;
  const meta = tail + RECORD_TAIL_BYTES;
  const metaLength = readU16(b, tail + REC.META);
  return {
    hash: b.slice(at, tail),
    addIndex: readU64(b, tail + REC.ADD),
    lastIndex: readU64(b, tail + REC.LAST),
    listedMs: readU64(b, tail + REC.LISTED),
    itemId: b.slice(tail + REC.ITEM, tail + REC.SCHEME),
    scheme: b[tail + REC.SCHEME]!,
    code: b[tail + REC.CODE]!,
    verifications: b[tail + REC.CHECKS]!,
    meta: metaLength === 0 ? EMPTY_BYTES : b.slice(meta, meta + metaLength),
  };
}

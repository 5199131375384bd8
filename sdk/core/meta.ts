import { concat, EMPTY_BYTES } from './bytes.js';
import { malformed } from './errors.js';
import { MAX_META_BYTES } from './limits.js';

/** meta = `(u8 field | u8 len | bytes)*`, fields ascending, unique, non-zero (docs/spec/list-format.md §2). */

export const META_FIELD = {
  SERIES: 1,
  ASSESSED_BY: 2,
  PDQ_QUALITY: 3,
  SCHEME_COUNTRY: 4,
  LABEL: 5,
} as const;

export interface MetaField {
  /** 1–255; unknown fields are kept. */
  readonly field: number;
  /** 0–255 bytes. */
  readonly value: Uint8Array;
}

/** True if `b[at, end)` is well framed; contents are nobody's business here. */
export function metaIsFramed(b: Uint8Array, at: number, end: number): boolean {
  if (end - at > MAX_META_BYTES) return false;
  let last = 0;
  let i = at;
  while (i < end) {
    if (i + 2 > end || b[i]! <= last) return false;
    last = b[i]!;
    i += 2 + b[i + 1]!;
  }
  return i === end;
}

/** Throws `MALFORMED` on bad framing. The values are views of `meta`. */
export function decodeMeta(meta: Uint8Array): MetaField[] {
  if (!metaIsFramed(meta, 0, meta.length)) malformed('meta', 'is not well framed');
  const fields: MetaField[] = [];
  for (let i = 0; i < meta.length; ) {
    const end = i + 2 + meta[i + 1]!;
    fields.push({ field: meta[i]!, value: meta.subarray(i + 2, end) });
    i = end;
  }
  return fields;
}

/** Sorts by field. Throws `MALFORMED` on a duplicate, a zero or oversized field, or more than 512 bytes. */
export function encodeMeta(fields: readonly MetaField[]): Uint8Array {
  if (fields.length === 0) return EMPTY_BYTES;
  const parts = [...fields].sort((a, b) => a.field - b.field).map(encodeField);
  const meta = concat(...parts);
  if (!metaIsFramed(meta, 0, meta.length)) malformed('meta', 'has a duplicate field or is too long');
  return meta;
}

function encodeField({ field, value }: MetaField): Uint8Array {
  if (!Number.isInteger(field) || field < 1 || field > 255) malformed('meta', 'field is 1–255');
  if (value.length > 255) malformed('meta', 'a value is at most 255 bytes');
  return concat(Uint8Array.of(field, value.length), value);
}

/** The value of one field, or undefined. Throws `MALFORMED` on bad framing. */
export function metaValue(meta: Uint8Array, field: number): Uint8Array | undefined {
  return decodeMeta(meta).find((f) => f.field === field)?.value;
}

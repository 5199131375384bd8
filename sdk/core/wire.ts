/**
 * How often field `number` stands in a protobuf message, at its top level; undefined where the bytes are none in
 * canonical form. A decoder makes an object of every two bytes of a repeated field; this makes none.
 */
export function countField(bytes: Uint8Array, number: number): number | undefined {
  let count = 0;
  for (let at = 0; at < bytes.length; ) {
    const tag = readVarint(bytes, at);
    if (tag === undefined) return undefined;
    const next = skipValue(bytes, tag.end, tag.value & 7);
    if (next === undefined || next > bytes.length) return undefined;
    if (tag.value >>> 3 === number) count += 1;
    at = next;
  }
  return count;
}

interface Varint {
  readonly value: number;
  readonly end: number;
}

/** A varint below 2^32; undefined for a larger or a cut one. */
function readVarint(bytes: Uint8Array, at: number): Varint | undefined {
  let value = 0;
  for (let i = 0; i < 5; i += 1) {
    const byte = bytes[at + i];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return value < 2 ** 32 ? { value, end: at + i + 1 } : undefined;
  }
  return undefined;
}

/** Where the value of this wire type ends; undefined for groups and what is no wire type. */
function skipValue(bytes: Uint8Array, at: number, type: number): number | undefined {
  if (type === 1) return at + 8;
  if (type === 5) return at + 4;
  if (type === 2) {
    const length = readVarint(bytes, at);
    return length && length.end + length.value;
  }
  if (type !== 0) return undefined;
  let end = at;
  while ((bytes[end] ?? 0) >= 0x80) end += 1;
  return end + 1;
}

import { malformed } from './errors.js';

/** UTF-8 without a platform: strict both ways (RFC 3629). */

function push(out: number[], point: number): void {
  if (point < 0x80) out.push(point);
  else if (point < 0x800) out.push(0xc0 | (point >> 6), 0x80 | (point & 63));
  else if (point < 0x1_0000) out.push(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63));
  else
    out.push(
      0xf0 | (point >> 18),
      0x80 | ((point >> 12) & 63),
      0x80 | ((point >> 6) & 63),
      0x80 | (point & 63),
    );
}

/** Throws `MALFORMED` on a lone surrogate. */
export function utf8(text: string): Uint8Array {
  const out: number[] = [];
  for (const char of text) {
    const point = char.codePointAt(0) ?? 0;
    if (point >= 0xd800 && point < 0xe000) malformed('text', 'has a lone surrogate');
    push(out, point);
  }
  return Uint8Array.from(out);
}

/** [continuation bytes, smallest code point of that length] by first byte, or undefined. */
function shape(first: number): readonly [number, number] | undefined {
  if (first < 0x80) return [0, 0];
  if (first >= 0xc2 && first < 0xe0) return [1, 0x80];
  if (first >= 0xe0 && first < 0xf0) return [2, 0x800];
  if (first >= 0xf0 && first < 0xf5) return [3, 0x1_0000];
  return undefined;
}

function pointAt(bytes: Uint8Array, at: number, more: number, least: number, field: string): number {
  let point = more === 0 ? bytes[at]! : bytes[at]! & (0x3f >> more);
  for (let k = 1; k <= more; k++) {
    const next = bytes[at + k];
    if (next === undefined || (next & 0xc0) !== 0x80) malformed(field, 'is not valid UTF-8');
    point = (point << 6) | (next & 63);
  }
  const surrogate = point >= 0xd800 && point < 0xe000;
  if (point < least || point > 0x10_ffff || surrogate) malformed(field, 'is not valid UTF-8');
  return point;
}

/** Throws `MALFORMED` on anything that is not valid UTF-8; a byte order mark is kept as a character. */
export function fromUtf8(bytes: Uint8Array, field = 'text'): string {
  const parts: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    const known = shape(bytes[at]!);
    if (known === undefined) malformed(field, 'is not valid UTF-8');
    parts.push(String.fromCodePoint(pointAt(bytes, at, known[0], known[1], field)));
    at += 1 + known[0];
  }
  return parts.join('');
}

/** From coefficients to bits, and from bits to text. */

import { HashfedError } from '../../core/index.js';

/** Bytes of a hash. */
export const HASH_BYTES = 32;
const COUNT = 256;

/** The lower median of 256 floats; reorders `values`. */
function lowerMedian(values: Float32Array): number {
  const target = COUNT / 2 - 1;
  let low = 0;
  let high = COUNT - 1;
  while (low < high) {
    const pivot = values[(low + high) >> 1]!;
    let i = low;
    let j = high;
    while (i <= j) {
      while (values[i]! < pivot) i++;
      while (values[j]! > pivot) j--;
      if (i <= j) {
        const swap = values[i]!;
        values[i++] = values[j]!;
        values[j--] = swap;
      }
    }
    if (target <= j) high = j;
    else if (target >= i) low = i;
    else break;
  }
  return values[target]!;
}

/**
 * Bit 16i + j is set where coefficient (i, j) exceeds the median. Bytes are those of the published text form:
 * the first byte holds bits 255…248. `scratch` holds 256 floats.
 */
export function coefficientsToHash(
  block: Float32Array,
  scratch: Float32Array,
  out: Uint8Array,
  at: number,
): void {
  scratch.set(block);
  const median = lowerMedian(scratch);
  for (let byte = 0; byte < HASH_BYTES; byte++) {
    let value = 0;
    for (let bit = 7; bit >= 0; bit--) value = (value << 1) | (block[byte * 8 + bit]! > median ? 1 : 0);
    out[at + HASH_BYTES - 1 - byte] = value;
  }
}

/** Lower-case text of a hash, 64 hex digits. */
export function formatPdq(hash: Uint8Array): string {
  let text = '';
  for (const byte of hash) text += byte.toString(16).padStart(2, '0');
  return text;
}

/** Parses 64 hex digits of either case; throws `MALFORMED`. */
export function parsePdq(text: string): Uint8Array {
  if (!/^[0-9a-fA-F]{64}$/.test(text)) throw new HashfedError('MALFORMED', 'pdq: 64 hex digits expected');
  return Uint8Array.from({ length: HASH_BYTES }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16));
}

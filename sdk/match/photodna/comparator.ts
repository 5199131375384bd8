import { HashfedError } from '../../core/index.js';

/** Bytes of one value. */
export const PHOTODNA_BYTES = 144;

/** How alike two values are. A licensee whose terms say otherwise puts another one in its place. */
export interface PhotoDnaComparator {
  /** Distances up to this one are matches; in the comparator's own unit. */
  readonly maxDistance: number;
  /**
   * Distance of `query` (144 bytes) from the value at `values[at…at + 144)`. MUST be exact up to `limit`; beyond it any
   * number above `limit` will do, so that it can stop early. Called for every record of a list.
   */
  distance(query: Uint8Array, values: Uint8Array, at: number, limit: number): number;
}

/** The sum of squared differences of the 144 bytes. The threshold is the licensee's to choose. Throws `USAGE`. */
export function squaredEuclidean(maxDistance: number): PhotoDnaComparator {
  if (!(maxDistance >= 0 && maxDistance <= PHOTODNA_BYTES * 255 * 255)) {
    throw new HashfedError('USAGE', 'photodna: the largest distance must be 0 to 9363600');
  }
  return { maxDistance, distance };
}

const PART = 16;

function distance(query: Uint8Array, values: Uint8Array, at: number, limit: number): number {
  let sum = 0;
  for (let from = 0; from < PHOTODNA_BYTES && sum <= limit; from += PART) {
    for (let i = from; i < from + PART; i++) {
      const difference = query[i]! - values[at + i]!;
      sum += difference * difference;
    }
  }
  return sum;
}

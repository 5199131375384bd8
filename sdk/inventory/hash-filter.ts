import { FILTER_BITS_PER_HASH, MAX_FILTER_BITS, MIN_FILTER_BITS } from './limits.js';

/**
 * Tells quickly that a hash is none of those looked for: two bits for each, from its first eight bytes. Publishers choose
 * hashes, so that a filter may be full of false hits; each costs a look at the list and no wrong answer.
 */
export class HashFilter {
  readonly #words: Uint32Array;
  readonly #shift: number;

  constructor(expected: number) {
    const bits = Math.ceil(Math.log2(Math.max(1, expected) * FILTER_BITS_PER_HASH));
    const used = Math.min(MAX_FILTER_BITS, Math.max(MIN_FILTER_BITS, bits));
    this.#shift = 32 - used;
    this.#words = new Uint32Array(2 ** (used - 5));
  }

  add(hash: Uint8Array): void {
    for (const from of [0, 4]) {
      const bit = wordAt(hash, from) >>> this.#shift;
      this.#words[bit >>> 5]! |= 1 << (bit & 31);
    }
  }

  /** False: certainly none of them. */
  mayHave(bytes: Uint8Array, at: number): boolean {
    const first = wordAt(bytes, at) >>> this.#shift;
    if ((this.#words[first >>> 5]! & (1 << (first & 31))) === 0) return false;
    const second = wordAt(bytes, at + 4) >>> this.#shift;
    return (this.#words[second >>> 5]! & (1 << (second & 31))) !== 0;
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

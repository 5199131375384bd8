import { HashfedError } from '../../../sdk/core/index.js';

const FIRST = 'bdfghjklmnprstvz';
const VOWEL = 'aiou';
const LAST = 'ao';
const WORDS = 6;
const BITS_PER_WORD = 11;

/** Word `n` of 2,048: consonant, vowel, consonant, vowel; every one can be said and spelled in any language. */
function word(n: number): string {
  return `${FIRST[n >> 7]}${VOWEL[(n >> 5) & 3]}${FIRST[(n >> 1) & 15]}${LAST[n & 1]}`;
}

/** The first 66 bits of a digest as six words, for two people to compare on the telephone. */
export function sixWords(digest: Uint8Array): string {
  if (digest.length * 8 < WORDS * BITS_PER_WORD)
    throw new HashfedError('INTERNAL', 'the digest is too short');
  let bits = 0n;
  for (const byte of digest.subarray(0, 9)) bits = bits * 256n + BigInt(byte);
  bits >>= BigInt(72 - WORDS * BITS_PER_WORD);
  const words: string[] = [];
  for (let i = 0; i < WORDS; i += 1, bits >>= BigInt(BITS_PER_WORD))
    words.unshift(word(Number(bits & 2047n)));
  return words.join(' ');
}

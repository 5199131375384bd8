import { forEachLeaf } from './bundle.js';
import { ADD_HASH_AT, LEAF_KIND } from './leaf.js';

/**
 * Hashes of `hashLength` bytes that the ADDs of a checked bundle name, whether or not they had an effect: what is not
 * among them, the bundle did not add. Views.
 */
export function addedHashes(bundle: Uint8Array, hashLength: number): Uint8Array[] {
  const hashes: Uint8Array[] = [];
  forEachLeaf(bundle, (at, length, erased) => {
    const end = at + ADD_HASH_AT + hashLength;
    const named = !erased && end <= at + length && bundle[at + 1] === LEAF_KIND.ADD;
    if (named && bundle[at + ADD_HASH_AT - 1] === hashLength)
      hashes.push(bundle.subarray(at + ADD_HASH_AT, end));
  });
  return hashes;
}

import { readU16, writeU16 } from './bytes.js';
import { HashfedError, malformed } from './errors.js';
import { MAX_LEAF_BYTES } from './limits.js';

/**
 * A bundle is `(u16 len | leaf)*`; an erased leaf is `u16 0 | 32 B leaf hash` (docs/spec/list-format.md §7, §8).
 * A length over 1,024 is a leaf all the same: it counts in the tree, and is judged malformed where applied.
 */

export const ERASED_BYTES = 32;
const MAX_U16 = 0xffff;

/** Throws `MALFORMED` on an empty leaf or one that no bundle can carry. */
export function encodeBundle(leaves: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const leaf of leaves) {
    if (leaf.length === 0 || leaf.length > MAX_U16) malformed('bundle', 'a leaf has an impossible length');
    length += 2 + leaf.length;
  }
  const out = new Uint8Array(length);
  let at = 0;
  for (const leaf of leaves) {
    writeU16(out, at, leaf.length);
    out.set(leaf, at + 2);
    at += 2 + leaf.length;
  }
  return out;
}

/** How an erased leaf is carried. `leafHash` is 32 bytes. */
export function encodeErased(leafHash: Uint8Array): Uint8Array {
  if (leafHash.length !== ERASED_BYTES) malformed('bundle', 'a leaf hash is 32 bytes');
  const out = new Uint8Array(2 + ERASED_BYTES);
  out.set(leafHash, 2);
  return out;
}

/** Bytes from `at` to the next entry; the two length bytes exist. */
function entryBytes(bundle: Uint8Array, at: number): number {
  const length = readU16(bundle, at);
  return 2 + (length === 0 ? ERASED_BYTES : length);
}

/**
 * How many entries the bundle holds. Throws `MALFORMED` if one is cut short, if there are more than
 * `maxLeaves`, or if there is none. Cap the bytes before calling.
 */
export function checkBundle(bundle: Uint8Array, maxLeaves: number): number {
  let count = 0;
  let at = 0;
  while (at < bundle.length) {
    if (at + 2 > bundle.length) malformed('bundle', 'is cut short');
    at += entryBytes(bundle, at);
    if (++count > maxLeaves) malformed('bundle', 'holds more leaves than asked for');
  }
  if (at !== bundle.length || count === 0) malformed('bundle', 'is cut short');
  return count;
}

/**
 * Calls `visit` for every entry of a checked bundle, in order: `offset` and `length` are those of the leaf
 * itself, or of the 32-byte leaf hash where `erased`.
 */
export function forEachLeaf(
  bundle: Uint8Array,
  visit: (offset: number, length: number, erased: boolean) => void,
): void {
  for (let at = 0; at < bundle.length; ) {
    const next = at + entryBytes(bundle, at);
    if (next > bundle.length) malformed('bundle', 'is cut short');
    visit(at + 2, next - at - 2, next - at === 2 + ERASED_BYTES && readU16(bundle, at) === 0);
    at = next;
  }
}

/** Byte offset at which entry `n` of a checked bundle starts; its length if `n` is the count. Throws `INTERNAL`. */
export function bundleOffset(bundle: Uint8Array, n: number): number {
  let at = 0;
  for (let i = 0; i < n; i++) {
    if (at + 2 > bundle.length) throw new HashfedError('INTERNAL', 'bundle: there is no such entry');
    at += entryBytes(bundle, at);
  }
  return at;
}

/** True for a leaf that every reader accepts by length: 1–1,024 bytes. */
export function leafLengthFits(length: number): boolean {
  return length >= 1 && length <= MAX_LEAF_BYTES;
}

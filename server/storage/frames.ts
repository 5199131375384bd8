/** Framing of packed leaves `(u16 len | leaf)*`; length 0 announces the 32-byte hash of an erased leaf. */
import { MAX_LEAF_BYTES, malformed } from '../../sdk/core/index.js';

const ERASED_BYTES = 32;

/** Offset behind the frame at `at`. Throws `MALFORMED` when it is cut off or too long. */
export function nextFrame(bytes: Uint8Array, at: number): number {
  if (at + 2 > bytes.length) malformed('bundle', 'ends inside a length');
  const length = (bytes[at]! << 8) | bytes[at + 1]!;
  if (length > MAX_LEAF_BYTES) malformed('bundle', 'has a leaf over 1,024 bytes');
  const end = at + 2 + (length === 0 ? ERASED_BYTES : length);
  return end <= bytes.length ? end : malformed('bundle', 'ends inside a leaf');
}

export const isErased = (bytes: Uint8Array, at: number): boolean => bytes[at] === 0 && bytes[at + 1] === 0;

/** Number of leaves. Throws `MALFORMED`. */
export function countFrames(bytes: Uint8Array): number {
  let count = 0;
  for (let at = 0; at < bytes.length; at = nextFrame(bytes, at)) count += 1;
  return count;
}

/** Offset of the n-th frame (n = count gives the end). Throws `MALFORMED` beyond that. */
export function frameOffset(bytes: Uint8Array, n: number): number {
  let at = 0;
  for (let i = 0; i < n; i += 1) at = nextFrame(bytes, at);
  return at;
}

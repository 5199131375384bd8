import { ADD_HASH_AT, encodeBundle, encodeLeaf } from '../../../sdk/core/index.js';
import { random } from './federation.js';

/** Offsets in a packed leaf: two length bytes before it. */
const ITEM_AT = 2 + 15;
const HASH_AT = 2 + ADD_HASH_AT;

/** Packed ADDs of random sha256 hashes, made in place: a million in a second. */
export function bulkAdds(count: number, timeMs: number): Uint8Array {
  const template = encodeLeaf({
    kind: 'add',
    timeMs,
    hashType: 3,
    scheme: 1,
    code: 1,
    verifications: 1,
    itemId: new Uint8Array(16),
    blind: new Uint8Array(16),
    hash: new Uint8Array(32),
    meta: new Uint8Array(),
    readd: false,
  });
  const packed = encodeBundle([template]);
  const out = new Uint8Array(count * packed.length);
  const bytes = random.bytes(64 * count);
  for (let i = 0; i < count; i += 1) {
    const at = i * packed.length;
    out.set(packed, at);
    out.set(bytes.subarray(64 * i, 64 * i + 32), at + ITEM_AT);
    out.set(bytes.subarray(64 * i + 32, 64 * i + 64), at + HASH_AT);
  }
  return out;
}

import { createHash } from 'node:crypto';
import type { Sha256 } from '../../sdk/core/index.js';
import { forEachLeaf } from '../../sdk/core/index.js';

function digest(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

/** The platform's SHA-256, for tests that are about something else. */
export const testSha256: Sha256 = {
  digest,
  hashLeaves(bundle, count) {
    const out = new Uint8Array(32 * count);
    let n = 0;
    forEachLeaf(bundle, (at, length, erased) => {
      const leaf = bundle.subarray(at, at + length);
      out.set(erased ? leaf : digest(Uint8Array.of(0), leaf), 32 * n++);
    });
    return out;
  },
  hashPairs(nodes) {
    const out = new Uint8Array(nodes.length / 2);
    for (let i = 0; i < out.length; i += 32)
      out.set(digest(Uint8Array.of(1), nodes.subarray(2 * i, 2 * i + 64)), i);
    return out;
  },
};

/** RFC 6962 §2.1 by its recursive definition: slow, and nobody's code but the text's. `hashes` is n × 32 bytes. */
export function naiveRoot(hashes: Uint8Array): Uint8Array {
  const n = hashes.length / 32;
  if (n === 0) return digest();
  if (n === 1) return hashes;
  let k = 1;
  while (2 * k < n) k *= 2;
  const left = naiveRoot(hashes.subarray(0, 32 * k));
  return digest(Uint8Array.of(1), left, naiveRoot(hashes.subarray(32 * k)));
}

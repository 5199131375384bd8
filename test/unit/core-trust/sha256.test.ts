import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { portableSha256, type Sha256 } from '../../../sdk/core/index.js';
import { bulkSha256, loadWasmSha256, nodeSha256 } from '../../../sdk/hash/platform/index.js';

const wasm = loadWasmSha256();
const backends: [string, Sha256][] = [
  ['portable', portableSha256],
  ['node', nodeSha256],
  ['bulk', bulkSha256()],
];
const plain = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** `(u16 len | leaf)*`; an empty part stands for an erased leaf. */
function pack(leaves: readonly Uint8Array[]): Uint8Array {
  const parts = leaves.map((leaf) => {
    const head = Buffer.alloc(2);
    head.writeUInt16BE(leaf.length);
    return Buffer.concat([head, leaf.length === 0 ? plain(head) : leaf]);
  });
  return Uint8Array.from(Buffer.concat(parts));
}
const leafHash = (leaf: Uint8Array): Buffer =>
  leaf.length === 0 ? plain(Buffer.alloc(2)) : plain(Uint8Array.of(0), leaf);

describe.each(backends)('SHA-256, %s', (_name, sha) => {
  it('hashes parts of any length', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 4 }), (parts) => {
        expect(Buffer.from(sha.digest(...parts))).toEqual(plain(...parts));
      }),
      { numRuns: 60 },
    );
    expect(Buffer.from(sha.digest())).toEqual(plain());
  });

  it('hashes leaves of every length from 0 (erased) to 1,024', () => {
    const leaves = Array.from({ length: 1025 }, (_, n) => new Uint8Array(n).fill(n));
    const out = Buffer.from(sha.hashLeaves(pack(leaves), leaves.length));
    expect(out).toEqual(Buffer.concat(leaves.map(leafHash)));
  });

  it('hashes leaves over 1,024 bytes, which the caller is to refuse, like the others', () => {
    const leaves = [Uint8Array.of(1), new Uint8Array(1025).fill(7), Uint8Array.of(2)];
    expect(Buffer.from(sha.hashLeaves(pack(leaves), 3))).toEqual(Buffer.concat(leaves.map(leafHash)));
  });

  it('hashes bundles larger than any buffer inside', () => {
    const leaves = Array.from({ length: 20_000 }, (_, n) => new Uint8Array(1 + (n % 97)).fill(n));
    const out = Buffer.from(sha.hashLeaves(pack(leaves), leaves.length));
    expect(out.equals(Buffer.concat(leaves.map(leafHash)))).toBe(true);
  });

  it('hashes pairs of any number', () => {
    for (const pairs of [0, 1, 2, 3, 4, 5, 4095, 4096, 4097, 9000]) {
      const nodes = new Uint8Array(64 * pairs).map((_, i) => (i * 2654435761) >>> 24);
      const want = Array.from({ length: pairs }, (_, i) =>
        plain(Uint8Array.of(1), nodes.subarray(64 * i, 64 * i + 64)),
      );
      expect(Buffer.from(sha.hashPairs(nodes)).equals(Buffer.concat(want))).toBe(true);
    }
  });
});

describe('the WebAssembly module', () => {
  it('loads here', () => {
    expect(wasm).toBeDefined();
  });

  it('is the one that its source gives', () => {
    const script = fileURLToPath(new URL('../../../sdk/hash/platform/wasm/build.mjs', import.meta.url));
    const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});

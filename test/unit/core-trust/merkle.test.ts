import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CompactRange,
  consistencyProof,
  emptyRoot,
  hashLeaf,
  hashNode,
  inclusionProof,
  type NodeReader,
  verifyConsistency,
  verifyInclusion,
} from '../../../sdk/core/index.js';
import { bulkSha256 } from '../../../sdk/hash/platform/index.js';
import { refusal } from '../../support/trust/refusal.js';

const sha = bulkSha256();
const MOST = 200;
const leaves = Array.from({ length: MOST }, (_, i) => hashLeaf(sha, Uint8Array.of(i, i >> 8)));
const pack = (hashes: readonly Uint8Array[]): Uint8Array =>
  Uint8Array.from(hashes.flatMap((hash) => [...hash]));

/** MTH of RFC 6962 §2.1, word for word. */
function rootOf(hashes: readonly Uint8Array[]): Uint8Array {
  if (hashes.length === 0) return emptyRoot(sha);
  if (hashes.length === 1) return hashes[0]!;
  let k = 1;
  while (k * 2 < hashes.length) k *= 2;
  return hashNode(sha, rootOf(hashes.slice(0, k)), rootOf(hashes.slice(k)));
}

const roots = Array.from({ length: MOST + 1 }, (_, n) => rootOf(leaves.slice(0, n)));
const read: NodeReader = (level, index) => {
  const width = 2 ** level;
  if ((index + 1) * width > MOST) throw new Error('the node is not complete');
  return rootOf(leaves.slice(index * width, (index + 1) * width));
};

describe('CompactRange', () => {
  it('has the full root for every size and every split', () => {
    const heads = [CompactRange.empty(sha)];
    for (const leaf of leaves) {
      const next = heads.at(-1)!.clone();
      next.append(leaf);
      heads.push(next);
    }
    for (let size = 0; size <= MOST; size += 1) {
      for (let cut = 0; cut <= size; cut += 1) {
        const range = CompactRange.from(sha, cut, heads[cut]!.hashes);
        range.append(pack(leaves.slice(cut, size)));
        if (Buffer.compare(range.root(), roots[size]!) !== 0) expect.fail(`split ${cut} of ${size}`);
      }
    }
  });

  it('has the full root for any sequence of batches', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(23), { maxLength: 12 }), (sizes) => {
        const range = CompactRange.empty(sha);
        for (const size of sizes)
          range.append(pack(leaves.slice(0, MOST).slice(range.size, range.size + size)));
        expect(range.root()).toEqual(roots[range.size]);
      }),
    );
  });

  it('reports every complete node once', () => {
    const seen = new Map<string, string>();
    const range = CompactRange.empty(sha);
    for (let at = 0, step = 1; at < MOST; at += step, step = (step % 13) + 1) {
      range.append(pack(leaves.slice(at, at + step)), (level, index, nodes) => {
        for (let i = 0; i < nodes.length / 32; i += 1) {
          const id = `${level}/${index + i}`;
          expect(seen.has(id)).toBe(false);
          seen.set(id, Buffer.from(nodes.subarray(32 * i, 32 * i + 32)).toString('hex'));
        }
      });
    }
    let nodes = 0;
    for (let level = 0; 2 ** level <= MOST; level += 1) nodes += Math.floor(MOST / 2 ** level);
    expect(seen.size).toBe(nodes);
    for (const [id, hash] of seen) {
      const [level, index] = id.split('/').map(Number);
      expect(hash).toBe(Buffer.from(read(level!, index!)).toString('hex'));
    }
  });

  it('goes on from a clone without touching the original', () => {
    const range = CompactRange.empty(sha);
    range.append(pack(leaves.slice(0, 7)));
    const fork = range.clone();
    fork.append(pack(leaves.slice(7, 9)));
    expect(range.root()).toEqual(roots[7]);
    expect(fork.root()).toEqual(roots[9]);
  });

  it('refuses hashes that do not fit the size, and sizes past 2^53', () => {
    const hash = leaves[0]!;
    expect(refusal(() => CompactRange.from(sha, 3, [hash])).code).toBe('MALFORMED');
    expect(refusal(() => CompactRange.from(sha, 1, [hash.slice(1)])).code).toBe('MALFORMED');
    expect(refusal(() => CompactRange.from(sha, -1, [])).code).toBe('MALFORMED');
    expect(refusal(() => CompactRange.from(sha, 2 ** 53, [hash])).code).toBe('MALFORMED');
    const full = CompactRange.from(
      sha,
      2 ** 53 - 1,
      Array.from({ length: 53 }, () => hash),
    );
    expect(refusal(() => full.append(hash)).code).toBe('MALFORMED');
    expect(refusal(() => full.append(hash.slice(1))).code).toBe('MALFORMED');
  });
});

describe('proofs', () => {
  it('verify for every index of every size', () => {
    for (let size = 1; size <= MOST; size += size < 70 ? 1 : 13) {
      for (let index = 0; index < size; index += 1) {
        const proof = inclusionProof(sha, index, size, read);
        verifyInclusion(sha, { leafHash: leaves[index]!, index, size, proof, root: roots[size]! });
      }
    }
  });

  it('verify for every pair of sizes', () => {
    for (let to = 0; to <= MOST; to += to < 70 ? 1 : 13) {
      for (let from = 0; from <= to; from += 1) {
        const proof = consistencyProof(sha, from, to, read);
        verifyConsistency(sha, { from, fromRoot: roots[from]!, to, toRoot: roots[to]!, proof });
      }
    }
  });

  const size = fc.integer({ min: 2, max: MOST });
  const mutation = fc.record({
    at: fc.nat(),
    bit: fc.nat(7),
    how: fc.constantFrom('flip', 'drop', 'add', 'swap'),
  });
  type Mutation = { at: number; bit: number; how: string };

  function mutate(proof: readonly Uint8Array[], { at, bit, how }: Mutation): Uint8Array[] {
    const out: Uint8Array[] = proof.map((hash) => hash.slice());
    const i = out.length === 0 ? 0 : at % out.length;
    if (how === 'drop') out.splice(i, 1);
    else if (how === 'add' || out.length === 0) out.splice(i, 0, leaves[at % MOST]!);
    else if (how === 'swap' && out.length > 1) out.reverse();
    else out[i]![at % 32]! ^= 1 << bit;
    return out;
  }
  const differs = (a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean =>
    Buffer.compare(pack(a), pack(b)) !== 0;

  it('never verify mutated: inclusion', () => {
    fc.assert(
      fc.property(size, fc.nat(), mutation, (n, at, how) => {
        const index = at % n;
        const good = inclusionProof(sha, index, n, read);
        const proof = mutate(good, how);
        fc.pre(differs(good, proof));
        const claim = { leafHash: leaves[index]!, index, size: n, root: roots[n]! };
        expect(refusal(() => verifyInclusion(sha, { ...claim, proof })).code).not.toBe('accepted');
        const other = (index + 1) % n;
        expect(refusal(() => verifyInclusion(sha, { ...claim, index: other, proof: good })).code).not.toBe(
          'accepted',
        );
        const wrong = { ...claim, leafHash: leaves[other]!, proof: good };
        expect(refusal(() => verifyInclusion(sha, wrong)).code).not.toBe('accepted');
      }),
      { numRuns: 400 },
    );
  });

  it('never verify mutated: consistency', () => {
    fc.assert(
      fc.property(size, fc.nat(), mutation, (to, at, how) => {
        const from = 1 + (at % to);
        const good = consistencyProof(sha, from, to, read);
        const proof = mutate(good, how);
        fc.pre(differs(good, proof));
        const claim = { from, fromRoot: roots[from]!, to, toRoot: roots[to]! };
        expect(refusal(() => verifyConsistency(sha, { ...claim, proof })).code).not.toBe('accepted');
        const otherOld = { ...claim, fromRoot: roots[from - 1]!, proof: good };
        expect(refusal(() => verifyConsistency(sha, otherOld)).code).not.toBe('accepted');
        const otherNew = { ...claim, toRoot: roots[to - 1]!, proof: good };
        expect(refusal(() => verifyConsistency(sha, otherNew)).code).not.toBe('accepted');
      }),
      { numRuns: 400 },
    );
  });

  it('refuse shapes before hashing', () => {
    const root = roots[8]!;
    const claim = { leafHash: leaves[0]!, size: 8, proof: [], root };
    expect(refusal(() => verifyInclusion(sha, { ...claim, index: 8 }))).toEqual({
      code: 'MALFORMED',
      field: 'index',
    });
    expect(refusal(() => verifyInclusion(sha, { ...claim, index: 0 }))).toEqual({
      code: 'MALFORMED',
      field: 'proof',
    });
    const huge = { from: 2 ** 53, fromRoot: root, to: 2 ** 53, toRoot: root, proof: [] };
    expect(refusal(() => verifyConsistency(sha, huge))).toEqual({ code: 'MALFORMED', field: 'from' });
    const back = { from: 9, fromRoot: root, to: 8, toRoot: root, proof: [] };
    expect(refusal(() => verifyConsistency(sha, back)).code).toBe('MALFORMED');
    const fork = { from: 8, fromRoot: roots[7]!, to: 8, toRoot: root, proof: [] };
    expect(refusal(() => verifyConsistency(sha, fork)).code).toBe('ROOT_MISMATCH');
    const fake = { from: 0, fromRoot: root, to: 8, toRoot: root, proof: [] };
    expect(refusal(() => verifyConsistency(sha, fake)).code).toBe('ROOT_MISMATCH');
  });
});

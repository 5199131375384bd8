import { describe, expect, it } from 'vitest';
import { CompactRange, hashLeaf, verifyConsistency, verifyInclusion } from '../../../sdk/core/index.js';
import { suite } from '../../support/trust/keys.js';
import { refusal } from '../../support/trust/refusal.js';
import { hex, readVectors, unhex } from '../../support/trust/vectors.js';

interface Inclusion {
  readonly index: number;
  readonly size: number;
  readonly proof: string[];
}
interface File {
  readonly leaves: string[];
  readonly roots: string[];
  readonly inclusion: Inclusion[];
  readonly consistency: { from: number; to: number; proof: string[] }[];
  readonly invalid: (Inclusion & { why: string; code: string })[];
}
const { leaves, roots, inclusion, consistency, invalid } = readVectors<File>('merkle/rfc6962');
const sha = suite.sha256;

/** Root of the eight leaves in the Certificate Transparency reference tests, and of the empty tree. */
const PUBLISHED = {
  0: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  3: 'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  8: '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
};

describe('test/vectors/merkle/rfc6962.json', () => {
  it('holds the published roots', () => {
    for (const [size, published] of Object.entries(PUBLISHED)) expect(roots[Number(size)]).toBe(published);
  });

  it('holds for roots, inclusion and consistency', () => {
    const range = CompactRange.empty(sha);
    leaves.forEach((leaf, i) => {
      expect(hex(range.root())).toBe(roots[i]);
      range.append(hashLeaf(sha, unhex(leaf)));
    });
    expect(hex(range.root())).toBe(roots[8]);
    expect([inclusion.length, consistency.length]).toEqual([36, 44]);
    for (const one of inclusion) verifyInclusion(sha, claim(one));
    for (const { from, to, proof } of consistency) {
      const [fromRoot, toRoot] = [unhex(roots[from]!), unhex(roots[to]!)];
      verifyConsistency(sha, { from, fromRoot, to, toRoot, proof: proof.map(unhex) });
    }
  });

  it.each(invalid)('refuses: $why', (one) => {
    expect(refusal(() => verifyInclusion(sha, claim(one))).code).toBe(one.code);
  });
});

function claim({ index, size, proof }: Inclusion) {
  const leafHash = hashLeaf(sha, unhex(leaves[index] ?? ''));
  return { leafHash, index, size, proof: proof.map(unhex), root: unhex(roots[size]!) };
}

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  bucketDigest,
  checkBundle,
  concat,
  decodeLeaf,
  decodeStateHead,
  encodeBundle,
  encodeHolds,
  encodeLeaf,
  encodeStateHead,
  fromHex,
  ListState,
  parseOrigin,
  toHex,
} from '../../../sdk/core/index.js';
import { naiveRoot, testSha256 } from '../../support/sha256.js';

const text = readFileSync(new URL('../../../docs/spec/list-format.md', import.meta.url), 'utf8');

/** Every fenced block ```` ```hex name ````, without commentary and space. */
const blocks = new Map(
  [...text.matchAll(/^```hex (\S+)\n([\s\S]*?)^```$/gm)].map(([, name, body]) => [
    name,
    body!.replace(/#.*$/gm, '').replace(/\s+/g, ''),
  ]),
);

const hex = (name: string): string => {
  const found = blocks.get(name);
  if (found === undefined) throw new Error(`docs/spec/list-format.md has no block ${name}`);
  return found;
};
const bytes = (name: string) => fromHex(hex(name));

function replayed(): ListState {
  const state = ListState.empty(parseOrigin('police.example/selftest/md5/g1'), testSha256);
  const staging = state.stage();
  staging.append(bytes('bundle'), 0);
  staging.finish();
  staging.commit();
  return state;
}

describe('the worked examples of the list format', () => {
  it('are sixteen', () => {
    expect(blocks.size).toBe(16);
  });

  it.each(['add', 'withdraw', 'amend', 'hold', 'seal', 'commit'])('show a %s leaf', (kind) => {
    const leaf = decodeLeaf(bytes(`leaf-${kind}`));
    expect(leaf.kind).toBe(kind);
    expect(toHex(encodeLeaf(leaf))).toBe(hex(`leaf-${kind}`));
  });

  it('show the bundle of four leaves, the first leaf hash, the erased form and the root', () => {
    const leaves = ['leaf-add', 'leaf-hold', 'leaf-amend', 'leaf-seal'].map(bytes);
    expect(toHex(encodeBundle(leaves))).toBe(hex('bundle'));
    const hashes = testSha256.hashLeaves(bytes('bundle'), checkBundle(bytes('bundle'), 4));
    expect(toHex(hashes.subarray(0, 32))).toBe(hex('leaf-hash'));
    expect(`0000${hex('leaf-hash')}`).toBe(hex('bundle-erased'));
    expect(toHex(naiveRoot(hashes))).toBe(hex('root'));
  });

  it('show the record, the buckets, the holds and the set digest that replaying gives', () => {
    const state = replayed();
    expect(toHex(state.bytesOfBucket(0))).toBe(hex('record'));
    expect(toHex(bucketDigest(testSha256, 0, bytes('record')))).toBe(hex('bucket-0'));
    expect(toHex(bucketDigest(testSha256, 1, new Uint8Array(0)))).toBe(hex('bucket-1'));
    expect(toHex(encodeHolds(state.holds))).toBe(hex('holds'));
    const label = concat(new TextEncoder().encode('hashfed-set/1\n'), Uint8Array.of(1));
    const digest = testSha256.digest(label, bytes('bucket-0'), bytes('bucket-1'), bytes('holds'));
    expect(toHex(digest)).toBe(hex('set-digest'));
    expect(toHex(state.setDigest())).toBe(hex('set-digest'));
    expect(hex('leaf-seal').endsWith(hex('set-digest'))).toBe(true);
  });

  it('show the state head', () => {
    expect(toHex(encodeStateHead(replayed().head))).toBe(hex('state-head'));
    expect(decodeStateHead(bytes('state-head')).size).toBe(4);
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeLeaf, encodeLeaf, fromHex, HashfedError, type Leaf, toHex } from '../../sdk/core/index.js';

const read = (name: string) => JSON.parse(readFileSync(new URL(`./leaf/${name}.json`, import.meta.url), 'utf8'));
const valid = read('valid') as { name: string; hex: string; leaf: Record<string, unknown> }[];
const invalid = read('invalid') as { name: string; hex: string; code: string }[];

/** A leaf as JSON has it: byte fields in hex. */
const plain = (leaf: Leaf) =>
  Object.fromEntries(
    Object.entries(leaf).map(([key, value]) => [key, value instanceof Uint8Array ? toHex(value) : value]),
  );

describe('leaf vectors', () => {
  it.each(valid)('reads and writes $name', ({ hex, leaf }) => {
    const decoded = decodeLeaf(fromHex(hex));
    expect(plain(decoded)).toEqual(leaf);
    expect(toHex(encodeLeaf(decoded))).toBe(hex);
  });

  it.each(invalid)('refuses $name', ({ hex, code }) => {
    const attempt = () => decodeLeaf(fromHex(hex));
    expect(attempt).toThrow(HashfedError);
    expect(attempt).toThrow(expect.objectContaining({ code }));
  });
});

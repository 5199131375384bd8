import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatPdq, PdqHasher } from '../../../sdk/hash/pdq/index.js';
import { checksum, draw } from './patterns.js';

interface Case {
  readonly pattern: string;
  readonly seed: number;
  readonly width: number;
  readonly height: number;
  readonly rgb_checksum: number;
  readonly hash: string;
  readonly quality: number;
  readonly dihedral: readonly string[];
  readonly ties: boolean;
}

const folder = process.env['HASHFED_EXTERNAL_VECTORS'];

/** Vectors of another implementation, replayed where they are at hand; the committed ones are in vectors.test.ts. */
describe.skipIf(folder === undefined)('PDQ against the reference implementation', () => {
  const cases: Case[] =
    folder === undefined ? [] : JSON.parse(readFileSync(join(folder, 'pdq-luma.json'), 'utf8'));
  const hasher = new PdqHasher();

  it.each(cases)('$pattern $seed $width×$height', (vector) => {
    const { rgb, width, height } = draw(vector.pattern, vector.seed, vector.width, vector.height);
    expect(checksum(rgb)).toBe(vector.rgb_checksum);
    const got = hasher.hashLumaDihedral(hasher.lumaOfRgb(rgb, width, height), width, height);
    expect(got.quality).toBe(vector.quality);
    const texts = got.hashes.map(formatPdq);
    expect(vector.ties ? vector.dihedral : texts).toEqual(vector.dihedral);
    expect(vector.ties ? vector.hash : formatPdq(got.hash)).toBe(vector.hash);
  });
});

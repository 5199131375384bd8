import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DIHEDRALS, formatPdq, PdqHasher, parsePdq } from '../../../sdk/hash/pdq/index.js';
import { draw, type Picture } from './patterns.js';

interface Vector {
  readonly seed: number;
  readonly width: number;
  readonly height: number;
  readonly grey: boolean;
  readonly quality: number;
  readonly hash: string;
}

const vectors: Vector[] = JSON.parse(
  readFileSync(new URL('../../vectors/pdq/luma.json', import.meta.url), 'utf8'),
);
const hasher = new PdqHasher();

function hashOf(picture: Picture) {
  const { rgb, width, height } = picture;
  return hasher.hashLumaDihedral(hasher.lumaOfRgb(rgb, width, height), width, height);
}

function picture(vector: Vector): Picture {
  const drawn = draw('blobs', vector.seed, vector.width, vector.height);
  if (vector.grey) return drawn;
  for (let i = 0; i < vector.width * vector.height; i++) {
    const v = drawn.rgb[3 * i]!;
    drawn.rgb[3 * i + 1] = (3 * v + (i % vector.width)) & 255;
    drawn.rgb[3 * i + 2] = (v + Math.floor(i / vector.width)) & 255;
  }
  return drawn;
}

/** The picture with pixel (x, y) taken from `from(x, y)`; `swap` exchanges the sides. */
function turn(input: Picture, swap: boolean, from: (x: number, y: number) => [number, number]): Picture {
  const width = swap ? input.height : input.width;
  const height = swap ? input.width : input.height;
  const rgb = new Uint8Array(input.rgb.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [fx, fy] = from(x, y);
      rgb.set(
        input.rgb.subarray(3 * (fy * input.width + fx), 3 * (fy * input.width + fx) + 3),
        3 * (y * width + x),
      );
    }
  }
  return { rgb, width, height };
}

const bits = (a: Uint8Array, b: Uint8Array) =>
  a.reduce((sum, byte, i) => sum + (byte ^ b[i]!).toString(2).replaceAll('0', '').length, 0);

describe('PDQ of luma', () => {
  it.each(vectors)('agrees with a second implementation: $seed $width×$height', (vector) => {
    const got = hashOf(picture(vector));
    expect({ hash: formatPdq(got.hash), quality: got.quality }).toEqual({
      hash: vector.hash,
      quality: vector.quality,
    });
  });

  it('gives the hashes of turned pictures without turning them', () => {
    const input = draw('blobs', 7, 64, 64);
    const e = 63;
    const turned: Picture[] = [
      input,
      turn(input, true, (x, y) => [e - y, x]),
      turn(input, false, (x, y) => [e - x, e - y]),
      turn(input, true, (x, y) => [y, e - x]),
      turn(input, false, (x, y) => [x, e - y]),
      turn(input, false, (x, y) => [e - x, y]),
      turn(input, true, (x, y) => [y, x]),
      turn(input, true, (x, y) => [e - y, e - x]),
    ];
    const { hashes } = hashOf(input);
    const distances = turned.map((picture, i) => bits(hashOf(picture).hash, hashes[i]!));
    expect(distances.length).toBe(DIHEDRALS.length);
    expect(Math.max(...distances)).toBeLessThanOrEqual(2);
  });

  it.each([
    [5, 5],
    [6, 131],
    [63, 64],
    [127, 129],
    [130, 257],
    [301, 383],
    [385, 510],
    [512, 512],
  ])('has the same bits from WebAssembly: %d×%d', (width, height) => {
    for (const pattern of ['blobs', 'noise', 'gradient', 'rings', 'xor']) {
      const { rgb } = draw(pattern, width, width, height);
      const plain = hasher.hashLumaDihedral(hasher.lumaOfRgb(rgb, width, height), width, height);
      expect(hasher.hashRgb(rgb, width, height, true)).toEqual(plain);
      expect(hasher.hashRgb(rgb, width, height)).toEqual({ hash: plain.hash, quality: plain.quality });
    }
  });

  it('does not depend on what was hashed before', () => {
    const small = draw('blobs', 3, 40, 30);
    const before = formatPdq(new PdqHasher().hashLuma(hasher.lumaOfRgb(small.rgb, 40, 30), 40, 30).hash);
    hashOf(draw('noise', 1, 600, 500));
    expect(formatPdq(hashOf(small).hash)).toBe(before);
  });

  it.each([
    [4, 64],
    [64, 4],
    [64, 5000],
    [10.5, 10],
  ])('refuses sides %d×%d', (width, height) => {
    expect(() => hasher.hashLuma(new Float32Array(width * height), width, height)).toThrow('sides');
  });

  it('refuses luma that does not fit', () => {
    expect(() => hasher.hashLuma(new Float32Array(99), 10, 10)).toThrow('fit');
    expect(() => hasher.lumaOfRgb(new Uint8Array(299), 10, 10)).toThrow('fit');
    expect(() => hasher.hashRgb(new Uint8Array(299), 10, 10)).toThrow('fit');
    expect(() => hasher.hashRgb(new Uint8Array(3 * 513 * 5), 513, 5)).toThrow('sides');
  });

  it('parses and prints text', () => {
    const text = vectors[0]!.hash;
    expect(formatPdq(parsePdq(text.toUpperCase()))).toBe(text);
    for (const bad of ['', text.slice(1), `${text}0`, `g${text.slice(1)}`]) {
      expect(() => parsePdq(bad)).toThrow('64 hex');
    }
  });
});

/**
 * PDQ from luma: pure, float32 exact, no allocation beyond scratch that a hasher reuses.
 * Source: "TMK+PDQF" (Meta); the bits agree with the reference implementation on the same luma.
 */

import { HashfedError } from '../../core/index.js';
import { coefficientsToHash, HASH_BYTES } from './bits.js';
import { dct64To16 } from './dct.js';
import { DIHEDRALS, transformBlock } from './dihedral.js';
import { SampleFilter } from './filter.js';
import { filterAndSample, JaroszScratch, SIDE } from './jarosz.js';
import { MAX_CORE_SIDE, MAX_LUMA_SIDE, MIN_SIDE } from './limits.js';
import { rgbToLuma } from './luma.js';

/** A hash of 32 bytes and its quality, 0 to 100; below 50 it should not be matched. */
export interface PdqHash {
  readonly hash: Uint8Array;
  readonly quality: number;
}

/** `hashes` holds eight hashes in the order of `DIHEDRALS`; the first is `hash`. */
export interface PdqDihedral extends PdqHash {
  readonly hashes: readonly Uint8Array[];
}

const { fround } = Math;

/** Σ|trunc((u − v)·100/255)| over neighbours, per 90, at most 100. */
function qualityOf(samples: Float32Array): number {
  let sum = 0;
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const at = y * SIDE + x;
      const value = samples[at]!;
      if (y + 1 < SIDE) sum += step(value, samples[at + SIDE]!);
      if (x + 1 < SIDE) sum += step(value, samples[at + 1]!);
    }
  }
  return Math.min(100, Math.floor(sum / 90));
}

function step(u: number, v: number): number {
  return Math.abs(Math.trunc(fround(fround(fround(u - v) * 100) / 255)));
}

/** One hasher serves one thread; its methods are synchronous and do not keep their arguments. */
export class PdqHasher {
  readonly #scratch = new JaroszScratch();
  readonly #samples = new Float32Array(SIDE * SIDE);
  readonly #half = new Float32Array(16 * SIDE);
  readonly #block = new Float32Array(256);
  readonly #turned = new Float32Array(256);
  readonly #median = new Float32Array(256);
  #luma = new Float32Array(0);
  #filter: SampleFilter | undefined;

  /**
   * Hash of row-major float32 luma (0 to 255), sides 5 to 4096 pixels, at full size.
   * Writes 32 bytes to `out` at `at`, returns the quality. Throws `MALFORMED` on other sizes.
   */
  hashLumaInto(luma: Float32Array, width: number, height: number, out: Uint8Array, at = 0): number {
    const quality = this.#transform(luma, width, height);
    coefficientsToHash(this.#block, this.#median, out, at);
    return quality;
  }

  hashLuma(luma: Float32Array, width: number, height: number): PdqHash {
    return this.#single(this.#transform(luma, width, height));
  }

  hashLumaDihedral(luma: Float32Array, width: number, height: number): PdqDihedral {
    return this.#dihedral(this.#transform(luma, width, height));
  }

  /** Hash of interleaved 8-bit RGB, sides 5 to 512 pixels, at full size; `dihedral` adds the eight hashes. */
  hashRgb(rgb: Uint8Array, width: number, height: number, dihedral = false): PdqHash | PdqDihedral {
    checkSides(width, height, MAX_CORE_SIDE);
    if (rgb.length !== width * height * 3) {
      throw new HashfedError('MALFORMED', 'pdq: pixels do not fit the sides');
    }
    this.#filter ??= new SampleFilter();
    this.#filter.run(rgb, width, height);
    const { samples } = this.#filter;
    dct64To16(samples, this.#half, this.#block);
    const quality = qualityOf(samples);
    return dihedral ? this.#dihedral(quality) : this.#single(quality);
  }

  /** Luma of interleaved 8-bit RGB in a buffer that the next call reuses. */
  lumaOfRgb(rgb: Uint8Array, width: number, height: number): Float32Array {
    const count = checkSides(width, height);
    if (rgb.length !== count * 3) throw new HashfedError('MALFORMED', 'pdq: pixels do not fit the sides');
    if (this.#luma.length < count) this.#luma = new Float32Array(count);
    rgbToLuma(rgb, count, this.#luma);
    return this.#luma.subarray(0, count);
  }

  #transform(luma: Float32Array, width: number, height: number): number {
    if (luma.length !== checkSides(width, height)) {
      throw new HashfedError('MALFORMED', 'pdq: luma does not fit the sides');
    }
    filterAndSample(this.#scratch, luma, width, height, this.#samples);
    dct64To16(this.#samples, this.#half, this.#block);
    return qualityOf(this.#samples);
  }

  #single(quality: number): PdqHash {
    const hash = new Uint8Array(HASH_BYTES);
    coefficientsToHash(this.#block, this.#median, hash, 0);
    return { hash, quality };
  }

  #dihedral(quality: number): PdqDihedral {
    const hashes = DIHEDRALS.map((which) => {
      const hash = new Uint8Array(HASH_BYTES);
      transformBlock(this.#block, which, this.#turned);
      coefficientsToHash(this.#turned, this.#median, hash, 0);
      return hash;
    });
    return { hash: hashes[0]!, quality, hashes };
  }
}

function checkSides(width: number, height: number, most = MAX_LUMA_SIDE): number {
  const good = (side: number) => Number.isInteger(side) && side >= MIN_SIDE && side <= most;
  if (!good(width) || !good(height)) {
    throw new HashfedError('MALFORMED', `pdq: sides must be ${MIN_SIDE} to ${most} pixels`);
  }
  return width * height;
}

/**
 * Decoding with sharp (libvips), an optional native dependency that is loaded when first needed.
 * Only pixels count: no EXIF orientation, no colour profile, no alpha (a transparent pixel has the colour it
 * stores), since that is what other implementations hash.
 */

import type { Sharp, SharpOptions } from 'sharp';
import { HashfedError } from '../../core/index.js';
import { MAX_LUMA_SIDE } from './limits.js';
import { Undecodable } from './types.js';

type SharpModule = typeof import('sharp');

let loading: Promise<SharpModule> | undefined;

/** Loads sharp once; throws `UNAVAILABLE` where it is not installed or does not run on this platform. */
export function loadSharp(): Promise<SharpModule> {
  loading ??= import('sharp').then(
    (module) => {
      module.default.cache(false);
      return module;
    },
    (cause) => {
      throw new HashfedError(
        'UNAVAILABLE',
        'perceptual hashing needs the optional package sharp: npm install sharp',
        {
          cause,
        },
      );
    },
  );
  return loading;
}

/** Interleaved 8-bit RGB. */
export interface Pixels {
  readonly rgb: Uint8Array;
  readonly width: number;
  readonly height: number;
}

export interface Header {
  /** Sides of one frame. */
  readonly width: number;
  readonly height: number;
  readonly frameCount: number;
}

export interface DecodeLimits {
  readonly maxPixels: number;
  readonly orient: boolean;
  /** Seconds left for decoding. */
  seconds(): number;
}

export class Decoder {
  readonly #sharp: SharpModule['default'];
  readonly #bytes: Uint8Array;
  readonly #limits: DecodeLimits;

  constructor(module: SharpModule, bytes: Uint8Array, limits: DecodeLimits) {
    this.#sharp = module.default;
    this.#bytes = bytes;
    this.#limits = limits;
  }

  #open(options: SharpOptions): Sharp {
    const { maxPixels } = this.#limits;
    return this.#sharp(this.#bytes, {
      limitInputPixels: maxPixels,
      failOn: 'truncated',
      sequentialRead: true,
      ignoreIcc: true,
      ...options,
    }).timeout({ seconds: this.#limits.seconds() });
  }

  /** Reads the header alone and checks the number of pixels that decoding would make. */
  async header(): Promise<Header> {
    const header = await this.#open({ limitInputPixels: false }).metadata().catch(undecodable);
    const frameCount = header.pages ?? 1;
    const { width, pageHeight } = header;
    const height = pageHeight ?? header.height;
    if (width * height > this.#limits.maxPixels) throw new Undecodable('too-many-pixels');
    return { width, height, frameCount };
  }

  /** Pixels of one frame; those above 4096 a side are thinned out to that, so that memory stays bounded. */
  async frame(index: number, header: Header): Promise<Pixels> {
    let image = this.#open(header.frameCount > 1 ? { page: index, pages: 1 } : {});
    if (this.#limits.orient) image = image.autoOrient();
    if (Math.max(header.width, header.height) > MAX_LUMA_SIDE) {
      const side = { width: MAX_LUMA_SIDE, height: MAX_LUMA_SIDE };
      image = image.resize({ ...side, fit: 'inside', kernel: 'nearest', fastShrinkOnLoad: false });
    }
    const raw = image.removeAlpha().toColourspace('srgb').raw();
    const { data, info } = await raw.toBuffer({ resolveWithObject: true }).catch(undecodable);
    const rgb = info.channels === 1 ? spread(data) : data;
    if (rgb.length !== info.width * info.height * 3) throw new Undecodable('corrupt');
    return { rgb, width: info.width, height: info.height };
  }
}

/** Grey to RGB. */
function spread(grey: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(grey.length * 3);
  for (let i = 0; i < grey.length; i++) rgb.fill(grey[i]!, 3 * i, 3 * i + 3);
  return rgb;
}

/** libvips tells its failures apart by text only. */
function undecodable(error: unknown): never {
  const text = error instanceof Error ? error.message : '';
  if (/timeout/i.test(text)) throw new Undecodable('timeout', error);
  if (/exceeds pixel limit/i.test(text)) throw new Undecodable('too-many-pixels', error);
  if (/unsupported|bad seek|no decoding plugin|not built/i.test(text))
    throw new Undecodable('unsupported', error);
  throw new Undecodable('corrupt', error);
}

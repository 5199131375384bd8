/** From a file, buffer or stream to PDQ hashes, within limits. */

import { HashfedError } from '../../core/index.js';
import { PdqHasher } from './core.js';
import { Decoder, type Header, loadSharp, type Pixels } from './decode.js';
import { checkAborted, readInput } from './input.js';
import {
  DEFAULT_FRAMES,
  DEFAULT_MAX_BYTES,
  DEFAULT_MAX_PIXELS,
  DEFAULT_TIMEOUT_MS,
  MAX_FRAMES,
  MAX_PAGES,
  MIN_SIDE,
} from './limits.js';
import { reduce } from './resample.js';
import { sniff } from './sniff.js';
import { type ImageInput, type PdqFrame, type PdqImage, type PdqImageOptions, Undecodable } from './types.js';

/** Hashing itself is synchronous, so that one hasher serves the thread. */
let hasher: PdqHasher | undefined;

function hashPixels(pixels: Pixels, frame: number, dihedral: boolean): PdqFrame {
  hasher ??= new PdqHasher();
  const { rgb, width, height } = reduce(pixels);
  return { frame, ...hasher.hashRgb(rgb, width, height, dihedral) };
}

/** Numbers of the frames to hash: the first, and others spread evenly. */
function pickFrames(header: Header, wanted: number): number[] {
  const count = Math.min(header.frameCount, MAX_PAGES);
  const taken = Math.min(count, wanted);
  return Array.from({ length: taken }, (_, i) => Math.floor((i * count) / taken));
}

function checkOptions(options: PdqImageOptions): void {
  const { frames = DEFAULT_FRAMES } = options;
  if (!Number.isInteger(frames) || frames < 1 || frames > MAX_FRAMES) {
    throw new HashfedError('USAGE', `pdq: frames must be 1 to ${MAX_FRAMES}`);
  }
  for (const value of [options.maxPixels, options.maxBytes, options.timeoutMs]) {
    if (value !== undefined && !(value > 0 && value <= Number.MAX_SAFE_INTEGER)) {
      throw new HashfedError('USAGE', 'pdq: limits must be positive');
    }
  }
}

async function decodeAndHash(
  bytes: Uint8Array,
  options: PdqImageOptions,
  deadline: number,
): Promise<PdqImage> {
  if (bytes.length === 0) throw new Undecodable('empty');
  const format = sniff(bytes);
  if (format === undefined) throw new Undecodable('unsupported');
  const decoder = new Decoder(await loadSharp(), bytes, {
    maxPixels: options.maxPixels ?? DEFAULT_MAX_PIXELS,
    orient: options.orient ?? false,
    seconds: () => Math.max(1, Math.ceil((deadline - performance.now()) / 1000)),
  });
  const header = await decoder.header();
  if (Math.min(header.width, header.height) < MIN_SIDE) throw new Undecodable('too-small');
  const frames: PdqFrame[] = [];
  for (const index of pickFrames(header, options.frames ?? DEFAULT_FRAMES)) {
    checkAborted(options.signal);
    if (performance.now() > deadline) throw new Undecodable('timeout');
    frames.push(hashPixels(await decoder.frame(index, header), index, options.dihedral ?? false));
  }
  return { ok: true, format, ...header, frames };
}

/** Rejects at the deadline or when the signal fires, whatever the decoder does meanwhile. */
async function within<T>(work: Promise<T>, deadline: number, signal: AbortSignal | undefined): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let cancel: (() => void) | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Undecodable('timeout')), Math.max(0, deadline - performance.now()));
    cancel = () => reject(new HashfedError('CANCELLED', 'pdq: hashing was cancelled'));
    signal?.addEventListener('abort', cancel, { once: true });
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
    if (cancel !== undefined) signal?.removeEventListener('abort', cancel);
  }
}

/**
 * Hashes one image. What is wrong with the image is a result, never an exception; throws `CANCELLED` when the
 * signal fires, `USAGE` on bad options, `UNAVAILABLE` where sharp is not installed.
 */
export async function hashImage(input: ImageInput, options: PdqImageOptions = {}): Promise<PdqImage> {
  checkOptions(options);
  const { signal, maxBytes = DEFAULT_MAX_BYTES, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const deadline = performance.now() + timeoutMs;
  const work = async () => decodeAndHash(await readInput(input, maxBytes, signal), options, deadline);
  try {
    return await within(work(), deadline, signal);
  } catch (error) {
    if (error instanceof Undecodable) return { ok: false, reason: error.reason };
    throw error;
  }
}

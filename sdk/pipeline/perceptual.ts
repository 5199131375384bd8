import { HashfedError } from '../core/index.js';
import { DIHEDRALS, type PdqFrame, type PdqImage, type PdqImageOptions, PdqPool } from '../hash/pdq/index.js';
import { PHOTODNA_BYTES } from '../match/index.js';
import { MAX_VALUES } from './limits.js';
import type { PerceptualHashes, PhotoDnaHasher, Undecoded, Wanted } from './types.js';

export interface PerceptualOptions {
  /** Decoding threads; default one less than the processors, at least one. */
  readonly workers?: number;
  /** Limits of pixels, bytes, frames and time for one image, and whether its turned and mirrored hashes count too. */
  readonly image?: Omit<PdqImageOptions, 'signal'>;
  readonly photodna?: PhotoDnaHasher;
  /** The compiled worker.js of the decoder, where it does not lie in its place. */
  readonly script?: URL;
}

const NONE = { pdq: [], photodna: [] } as const;

/** Perceptual values of images: what goes wrong with one is a result and never costs the exact verdict. */
export class PerceptualHashing {
  readonly #options: PerceptualOptions;
  #pool: Promise<PdqPool> | undefined;

  /** Throws `USAGE` for more values of one object than are kept. */
  constructor(options: PerceptualOptions) {
    const { frames = 1, dihedral = false } = options.image ?? {};
    if (frames * (dihedral ? DIHEDRALS.length : 1) > MAX_VALUES)
      throw new HashfedError('USAGE', `image.frames: more than ${MAX_VALUES} values of one object`, {
        field: 'image.frames',
      });
    this.#options = options;
  }

  static undecoded(undecoded: Undecoded): PerceptualHashes {
    return { ...NONE, undecoded };
  }

  /** A path or the bytes. Throws `CANCELLED` alone. */
  async hash(input: string | Uint8Array, wanted: Wanted, signal?: AbortSignal): Promise<PerceptualHashes> {
    const pdq = wanted.pdq ? this.#pdq(input, signal) : undefined;
    const photodna = wanted.photodna ? this.#photodna(input, signal) : undefined;
    const [image, values] = await Promise.all([pdq, photodna]);
    const undecoded =
      image === undefined || typeof image === 'string' || !image.ok ? reasonOf(image) : undefined;
    const frames = typeof image === 'object' && image.ok ? image.frames : [];
    const failed = undecoded ?? (values === 'hasher' ? values : undefined);
    return {
      pdq: frames.flatMap(valuesOf),
      photodna: typeof values === 'object' ? values : [],
      ...(failed !== undefined && { undecoded: failed }),
    };
  }

  async #pdq(input: string | Uint8Array, signal: AbortSignal | undefined): Promise<PdqImage | Undecoded> {
    try {
      const pool = await this.#open();
      const options = { ...this.#options.image, ...(signal && { signal }) };
      for (;;) {
        await pool.room();
        try {
          return await pool.hash(input, options);
        } catch (error) {
          if (!(error instanceof HashfedError) || error.code !== 'OVERLOADED') throw error;
        }
      }
    } catch (error) {
      if (error instanceof HashfedError && error.code === 'UNAVAILABLE') return 'unavailable';
      if (error instanceof HashfedError && error.code !== 'INTERNAL') throw error;
      return 'crashed';
    }
  }

  #open(): Promise<PdqPool> {
    const { workers, script } = this.#options;
    this.#pool ??= PdqPool.open({ ...(workers && { workers }), ...(script && { script }) });
    return this.#pool;
  }

  /** The hasher is not ours: whatever it throws, or answers that is no value, says that there is none. */
  async #photodna(
    input: string | Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<readonly Uint8Array[] | 'hasher'> {
    try {
      const values = (await this.#options.photodna?.hash(input, signal)) ?? [];
      const sound = values.length <= MAX_VALUES && values.every(isValue);
      return sound && values.length > 0 ? values : 'hasher';
    } catch (cause) {
      if (signal?.aborted === true) throw new HashfedError('CANCELLED', 'hashing was cancelled', { cause });
      return 'hasher';
    }
  }

  async close(): Promise<void> {
    await (await this.#pool?.catch(() => undefined))?.close();
  }
}

/** One value, or the eight of the turned and mirrored frame: a list has the original of what was turned. */
function valuesOf({ hash, quality, hashes = [hash] }: PdqFrame): PerceptualHashes['pdq'] {
  return hashes.map((one) => ({ hash: one, quality }));
}

function isValue(value: unknown): boolean {
  return value instanceof Uint8Array && value.length === PHOTODNA_BYTES;
}

function reasonOf(image: PdqImage | Undecoded | undefined): Undecoded | undefined {
  if (image === undefined || typeof image === 'string') return image;
  return image.ok ? undefined : image.reason;
}

import { lstat, readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { HashfedError } from '../core/index.js';
import { type FileState, hashBuffer, hashFile, sameState, type UnhashedFile } from '../hash/index.js';
import { DEFAULT_MAX_BYTES, sniff } from '../hash/pdq/index.js';
import type { Verdict } from '../match/index.js';
import { ByteBudget } from './budget.js';
import { CheckingStream } from './checking-stream.js';
import type { SniffedFile } from './file-messages.js';
import { FilePool } from './file-pool.js';
import { STREAM_BUFFER_BYTES } from './limits.js';
import { inParallel, type ManyOptions } from './many.js';
import { PerceptualHashing, type PerceptualOptions } from './perceptual.js';
import { beginsLikeImage } from './sniff-file.js';
import type {
  CheckedObject,
  FileCheck,
  Judge,
  ManyInput,
  ManyResult,
  ObjectHashes,
  ObjectOptions,
  PerceptualHashes,
  Undecoded,
  Wanted,
} from './types.js';

export interface PipelineOptions extends PerceptualOptions {
  readonly judge: Judge;
  /** Asked for each object, since lists come and go. */
  readonly wanted: () => Wanted;
  /** Threads that hash files; default as many as processors. */
  readonly fileWorkers?: number;
  /** Bytes of images that streams keep until their end, all together; default 256 MiB. */
  readonly streamBufferBytes?: number;
  /** Bytes of one stream, at most; default no limit. What exceeds it is not passed on. */
  readonly maxStreamBytes?: number;
  /** Awaited after each piece read from a file: files are then read one piece at a time, off the threads. */
  readonly pace?: (bytes: number) => Promise<void> | void;
  readonly fileScript?: URL;
}

/** Objects in, verdicts out: exact hashes in one pass, perceptual ones beside them, threads and memory bounded. */
export class Pipeline {
  readonly #options: PipelineOptions;
  readonly #perceptual: PerceptualHashing;
  readonly #budget: ByteBudget;
  readonly #maxImage: number;
  #files: FilePool | undefined;

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.#perceptual = new PerceptualHashing(options);
    this.#budget = new ByteBudget(options.streamBufferBytes ?? STREAM_BUFFER_BYTES);
    this.#maxImage = options.image?.maxBytes ?? DEFAULT_MAX_BYTES;
  }

  /** Bytes in memory. Throws `CANCELLED`, and what the judge throws. */
  async checkBuffer(bytes: Uint8Array, options: ObjectOptions): Promise<CheckedObject> {
    const { hashes } = hashBuffer(bytes);
    const perceptual = await this.#perceptualOf(bytes, sniff(bytes) !== undefined, options.signal);
    return this.#judged({ hashes, bytes: bytes.length, ...(perceptual && { perceptual }) }, options);
  }

  /**
   * A file. What is wrong with it is a status: one that changed while it was read gets no verdict, since nobody knows
   * which bytes it would be about. Throws `CANCELLED`, and what the judge throws.
   */
  async checkFile(named: string | Buffer, options: ObjectOptions): Promise<FileCheck> {
    const { signal } = options;
    const path = asText(named);
    const hashed = await this.#hashFile(path, signal);
    if (hashed.status !== 'hashed') return stopped(hashed, signal);
    const { hashes, bytes, state, image = true } = hashed;
    const content = typeof path === 'string' || !image ? '' : await this.#read(path);
    const perceptual = await this.#perceptualOf(typeof path === 'string' ? path : content, image, signal);
    if (perceptual !== undefined && image && !(await isStill(path, state))) return { status: 'changed' };
    const object = { hashes, bytes, ...(perceptual && { perceptual }) };
    return { ...(await this.#judged(object, options)), state };
  }

  /** As `checkStream`, for bytes that nobody passes on. Throws what the source throws, too. */
  async checkIterable(source: AsyncIterable<Uint8Array>, options: ObjectOptions): Promise<CheckedObject> {
    let seen: ObjectHashes | undefined;
    const stream = this.#stream(options, async (object) => {
      seen = object;
      return (await this.#judged(object, options)).verdict;
    });
    stream.resume();
    await pipeline(Readable.from(source), stream);
    return { status: 'checked', verdict: await stream.verdict, object: seen! };
  }

  /** A pass-through for an object's bytes with its verdict at the end; they count as received, unless said otherwise. */
  checkStream(options: ObjectOptions): CheckingStream {
    const arriving = { received: true, ...options };
    return this.#stream(arriving, async (object) => (await this.#judged(object, arriving)).verdict);
  }

  #stream(options: ObjectOptions, judge: (object: ObjectHashes) => Promise<Verdict>): CheckingStream {
    const { signal } = options;
    const wanted = this.#wanted();
    const { maxStreamBytes: maxBytes } = this.#options;
    return new CheckingStream({
      ...(signal && { signal }),
      ...(maxBytes !== undefined && { maxBytes }),
      ...(wanted && { keep: { budget: this.#budget, maxBytes: this.#maxImage } }),
      finish: async ({ hashes, bytes }, kept) => {
        const perceptual = await this.#ofKept(kept, signal);
        return judge({ hashes, bytes, ...(perceptual && { perceptual }) });
      },
    });
  }

  /**
   * Objects as they come, results as they are ready: in another order than the inputs, each under its `ref`. Inputs are
   * drawn only as results are taken. Nothing that is wrong with one ends the others, `CANCELLED` alone does.
   */
  checkMany(
    inputs: Iterable<ManyInput> | AsyncIterable<ManyInput>,
    options: ManyOptions = {},
  ): AsyncGenerator<ManyResult> {
    const { signal } = options;
    const one = async ({ input, ...object }: ManyInput): Promise<ManyResult> => {
      const { ref } = object;
      const each = { ...object, ...(signal && { signal }) };
      try {
        const checking =
          typeof input === 'string' ? this.checkFile(input, each) : this.checkBuffer(input, each);
        return { ref, outcome: await checking };
      } catch (error) {
        if (error instanceof HashfedError && error.code === 'CANCELLED') throw error;
        return { ref, outcome: { status: 'failed', error } };
      }
    };
    return inParallel(inputs, one, { workers: this.#pool().size, ...options });
  }

  #wanted(): Wanted | undefined {
    const wanted = this.#options.wanted();
    return wanted.pdq || wanted.photodna ? wanted : undefined;
  }

  #pool(): FilePool {
    const { fileWorkers: workers, fileScript: script } = this.#options;
    this.#files ??= new FilePool({ ...(workers && { workers }), ...(script && { script }) });
    return this.#files;
  }

  async #hashFile(path: string | Buffer, signal: AbortSignal | undefined): Promise<SniffedFile> {
    const { pace } = this.#options;
    const sniffs = this.#wanted() !== undefined;
    if (pace === undefined && typeof path === 'string') return this.#pool().hash(path, sniffs);
    const hashed = await hashFile(path, { ...(pace && { pace }), ...(signal && { signal }) });
    if (hashed.status !== 'hashed' || !sniffs) return hashed;
    const image = beginsLikeImage(path);
    // The decoder reads it once more.
    if (image) await pace?.(hashed.bytes);
    return { ...hashed, image };
  }

  /** For names that are no text, which the decoder cannot open: at most as much as it would read. */
  async #read(path: Buffer): Promise<Uint8Array> {
    const { size } = await lstat(path);
    return size > this.#maxImage ? new Uint8Array() : readFile(path);
  }

  async #perceptualOf(
    input: string | Uint8Array,
    image: boolean,
    signal: AbortSignal | undefined,
  ): Promise<PerceptualHashes | undefined> {
    const wanted = this.#wanted();
    if (wanted === undefined) return undefined;
    // What the licensee's hasher reads is its own affair: it may know films.
    if (!image && !wanted.photodna) return PerceptualHashing.undecoded('unsupported');
    return this.#perceptual.hash(input, wanted, signal);
  }

  #ofKept(kept: Uint8Array | Undecoded | undefined, signal: AbortSignal | undefined) {
    if (typeof kept === 'string') return PerceptualHashing.undecoded(kept);
    return kept === undefined ? undefined : this.#perceptualOf(kept, sniff(kept) !== undefined, signal);
  }

  async #judged(object: ObjectHashes, options: ObjectOptions): Promise<CheckedObject> {
    if (options.signal?.aborted === true) throw cancelled();
    return { status: 'checked', verdict: await this.#options.judge(object, options), object };
  }

  /** Stops the threads; what is in work ends with `CANCELLED` or `unreadable`, and without a verdict. */
  async close(): Promise<void> {
    await Promise.all([this.#files?.close(), this.#perceptual.close()]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Names are bytes; most of them are text. */
function asText(path: string | Buffer): string | Buffer {
  if (typeof path === 'string') return path;
  const text = path.toString('utf8');
  return Buffer.from(text, 'utf8').equals(path) ? text : path;
}

function cancelled(): HashfedError {
  return new HashfedError('CANCELLED', 'checking was cancelled');
}

function stopped(outcome: UnhashedFile, signal: AbortSignal | undefined): UnhashedFile {
  if (signal?.aborted === true) throw cancelled();
  return outcome;
}

/** The decoder read the file by its path: it must still be the one that was hashed. */
async function isStill(path: string | Buffer, state: FileState): Promise<boolean> {
  try {
    const { size, mtimeNs, ino, dev } = await lstat(path, { bigint: true });
    return sameState(state, { size: Number(size), mtimeNs, inode: ino, device: dev });
  } catch {
    return false;
  }
}

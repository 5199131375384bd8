import { addAbortSignal, Readable, Transform, type TransformCallback } from 'node:stream';
import { HashfedError } from '../core/index.js';
import { checkSignal, MultiHash, tooLarge } from './digest.js';
import type { Hashed, HashOptions } from './types.js';

/** Bytes of a stream's chunk: a string would have been decoded, so its bytes are gone. */
function bytesOf(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  throw new HashfedError('USAGE', 'stream: must carry bytes, not text or objects');
}

/**
 * Passes bytes on unchanged and hashes them on their way, under the stream's own backpressure. `result` settles when
 * the last byte has passed, or with the error that ended the stream: `MALFORMED` beyond `maxBytes` (what exceeds it
 * is not passed on), `CANCELLED` when aborted or destroyed early.
 */
export class HashingStream extends Transform {
  readonly result: Promise<Hashed>;
  readonly #multi: MultiHash;
  readonly #maxBytes: number;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort: () => void;
  #resolve!: (hashed: Hashed) => void;
  #reject!: (error: Error) => void;

  constructor(options: HashOptions = {}) {
    super({ decodeStrings: true });
    this.#multi = new MultiHash(options.types);
    this.#maxBytes = options.maxBytes ?? Number.POSITIVE_INFINITY;
    this.#signal = options.signal;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Whoever only pipes hears of failures through the stream's own error event.
    this.result.catch(() => {});
    this.#onAbort = () => this.destroy(new HashfedError('CANCELLED', 'hashing was cancelled'));
    if (this.#signal?.aborted === true) this.#onAbort();
    else this.#signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Bytes that have passed so far. */
  get bytes(): number {
    return this.#multi.bytes;
  }

  override _transform(chunk: unknown, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      const bytes = bytesOf(chunk);
      if (this.#multi.bytes + bytes.length > this.#maxBytes) throw tooLarge();
      this.#multi.update(bytes);
      done(null, bytes);
    } catch (error) {
      done(error as Error);
    }
  }

  override _flush(done: TransformCallback): void {
    this.#resolve(this.#multi.digest());
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#reject(error ?? new HashfedError('CANCELLED', 'the stream ended early'));
    done(error);
  }
}

/**
 * Hashes a stream to its end. Throws `MALFORMED` beyond `maxBytes`, `CANCELLED` when aborted (also while the source
 * is silent), and what the source throws. The source is closed in every case.
 */
export async function hashStream(
  source: AsyncIterable<unknown> | Iterable<unknown>,
  options: HashOptions = {},
): Promise<Hashed> {
  const multi = new MultiHash(options.types);
  const readable = source instanceof Readable ? source : Readable.from(source);
  if (options.signal !== undefined) addAbortSignal(options.signal, readable);
  try {
    await readInto(multi, readable, options.maxBytes ?? Number.POSITIVE_INFINITY);
  } catch (error) {
    checkSignal(options.signal);
    throw error;
  }
  return multi.digest();
}

async function readInto(multi: MultiHash, source: Readable, maxBytes: number): Promise<void> {
  for await (const chunk of source) {
    const bytes = bytesOf(chunk);
    if (multi.bytes + bytes.length > maxBytes) throw tooLarge();
    multi.update(bytes);
  }
}

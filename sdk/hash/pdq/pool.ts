/** Decodes and hashes images in worker threads, with a bounded queue and bounded memory. */

import { availableParallelism } from 'node:os';
import { HashfedError } from '../../core/index.js';
import { loadSharp } from './decode.js';
import { readInput } from './input.js';
import {
  DEFAULT_MAX_BYTES,
  DEFAULT_QUEUE_BYTES,
  DEFAULT_QUEUE_PER_WORKER,
  DEFAULT_TIMEOUT_MS,
  MAX_WORKERS,
} from './limits.js';
import { PoolWorker, type Task } from './pool-worker.js';
import { type ImageInput, type PdqImage, type PdqImageOptions, Undecodable } from './types.js';

export interface PdqPoolOptions {
  /** Worker threads, 1 to 64; default one less than the processors, at least one. */
  readonly workers?: number;
  /** Jobs that may wait; default four a worker. */
  readonly maxQueue?: number;
  /** Encoded bytes that may wait or be in work; default 256 MiB. */
  readonly maxQueueBytes?: number;
  /** The compiled worker.js, where it does not lie beside this file. */
  readonly script?: URL;
}

export class PdqPool {
  readonly #workers: PoolWorker[];
  readonly #queue: Task[] = [];
  readonly #maxQueue: number;
  readonly #maxBytes: number;
  readonly #waiting: (() => void)[] = [];
  #bytes = 0;
  #reading = 0;
  #closed = false;

  private constructor(options: PdqPoolOptions) {
    const count = Math.min(MAX_WORKERS, Math.max(1, options.workers ?? availableParallelism() - 1));
    const script = options.script ?? new URL('./worker.js', import.meta.url);
    this.#maxQueue = options.maxQueue ?? DEFAULT_QUEUE_PER_WORKER * count;
    this.#maxBytes = options.maxQueueBytes ?? DEFAULT_QUEUE_BYTES;
    this.#workers = Array.from({ length: count }, () => new PoolWorker(script, () => this.#pump()));
  }

  /** Starts a pool; throws `UNAVAILABLE` where sharp is not installed. The main thread must load it first. */
  static async open(options: PdqPoolOptions = {}): Promise<PdqPool> {
    await loadSharp();
    return new PdqPool(options);
  }

  /** Jobs that wait or are in work. */
  get pending(): number {
    return this.#queue.length + this.#reading + this.#workers.filter((worker) => worker.busy).length;
  }

  get #hasRoom(): boolean {
    return this.#queue.length + this.#reading < this.#maxQueue && this.#bytes < this.#maxBytes;
  }

  /** Resolves when `hash` would take a job. */
  async room(): Promise<void> {
    while (!this.#hasRoom && !this.#closed) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /**
   * As `hashImage`, in a worker. Throws `OVERLOADED` when the queue is full (await `room()` first), `CANCELLED`
   * when the signal fires or the pool closes. Streams are read here, up to the byte limit.
   */
  async hash(input: ImageInput, options: PdqImageOptions = {}): Promise<PdqImage> {
    if (this.#closed) throw new HashfedError('CANCELLED', 'pdq: the pool is closed');
    if (!this.#hasRoom) throw new HashfedError('OVERLOADED', 'pdq: the queue is full', { retryAfterMs: 100 });
    const { signal, ...rest } = options;
    this.#reading++;
    let source: string | Uint8Array;
    try {
      source = await this.#source(input, options);
    } catch (error) {
      if (error instanceof Undecodable) return { ok: false, reason: error.reason };
      throw error;
    } finally {
      this.#reading--;
      this.#wake();
    }
    return this.#enqueue(source, rest, signal);
  }

  #source(input: ImageInput, options: PdqImageOptions): Promise<string | Uint8Array> {
    if (typeof input === 'string') return Promise.resolve(input);
    return readInput(input, options.maxBytes ?? DEFAULT_MAX_BYTES, options.signal);
  }

  async #enqueue(
    input: string | Uint8Array,
    options: Omit<PdqImageOptions, 'signal'>,
    signal: AbortSignal | undefined,
  ): Promise<PdqImage> {
    const bytes = typeof input === 'string' ? 0 : input.length;
    this.#bytes += bytes;
    try {
      return await new Promise<PdqImage>((resolve, reject) => {
        const task: Task = {
          input,
          options,
          timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
          resolve,
          reject,
        };
        this.#queue.push(task);
        const cancel = () => {
          const at = this.#queue.indexOf(task);
          if (at >= 0) this.#queue.splice(at, 1);
          reject(new HashfedError('CANCELLED', 'pdq: hashing was cancelled'));
        };
        if (signal?.aborted || this.#closed) cancel();
        signal?.addEventListener('abort', cancel, { once: true });
        task.release = () => signal?.removeEventListener('abort', cancel);
        this.#pump();
      });
    } finally {
      this.#bytes -= bytes;
      this.#wake();
    }
  }

  #pump(): void {
    for (const worker of this.#workers) {
      if (worker.busy) continue;
      const task = this.#queue.shift();
      if (task === undefined) return;
      worker.run(task);
      this.#wake();
    }
  }

  #wake(): void {
    if (this.#hasRoom || this.#closed) for (const resume of this.#waiting.splice(0)) resume();
  }

  /** Stops the workers; what waits or is in work ends with `CANCELLED`. */
  async close(): Promise<void> {
    this.#closed = true;
    const cancelled = () => new HashfedError('CANCELLED', 'pdq: the pool is closed');
    for (const task of this.#queue.splice(0)) task.reject(cancelled());
    await Promise.all(this.#workers.map((worker) => worker.close(cancelled())));
    this.#wake();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

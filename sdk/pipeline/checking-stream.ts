import type { TransformCallback } from 'node:stream';
import { type Hashed, HashingStream } from '../hash/index.js';
import { sniff } from '../hash/pdq/index.js';
import type { Verdict } from '../match/index.js';
import type { ByteBudget } from './budget.js';
import { HEAD_BYTES, STREAM_WAIT_MS } from './limits.js';
import type { Undecoded } from './types.js';

export interface CheckingStreamParts {
  readonly signal?: AbortSignal;
  readonly maxBytes?: number;
  /** Keep an image's bytes until the end, at most so many; absent: keep none. */
  readonly keep?: { readonly budget: ByteBudget; readonly maxBytes: number };
  /** Hands over what was computed, with the kept bytes or why there are none. */
  finish(hashed: Hashed, kept: Uint8Array | Undecoded | undefined): Promise<Verdict>;
}

/**
 * Passes an object's bytes on unchanged and hashes them on their way. `verdict` settles after the last byte has
 * passed: an upload that must not become visible before is published when it does. It rejects with whatever ended the
 * stream early, and where the verdict could not be journaled.
 */
export class CheckingStream extends HashingStream {
  readonly verdict: Promise<Verdict>;
  readonly #keep: CheckingStreamParts['keep'];
  #parts: Uint8Array[] = [];
  #kept = 0;
  #patienceMs = STREAM_WAIT_MS;
  /** Set once it is clear that nothing is kept. */
  #given: Undecoded | undefined;

  constructor(parts: CheckingStreamParts) {
    const { signal, maxBytes } = parts;
    super({ ...(signal && { signal }), ...(maxBytes !== undefined && { maxBytes }) });
    this.#keep = parts.keep;
    this.verdict = this.result
      .then((hashed) => parts.finish(hashed, this.#content()))
      .finally(() => this.#letGo());
    // Whoever only pipes hears of failures through the stream's own error event.
    this.verdict.catch(() => {});
  }

  override _transform(chunk: unknown, encoding: BufferEncoding, done: TransformCallback): void {
    super._transform(chunk, encoding, (error, bytes: unknown) => {
      if (error || !this.#keeps || !(bytes instanceof Uint8Array)) return done(error, bytes);
      if (this.#keep!.budget.take(bytes.length)) {
        this.#add(bytes);
        return done(null, bytes);
      }
      void this.#waitFor(bytes).then(() => done(null, bytes));
    });
  }

  /** However often it finds no room: an upload must not be held up for longer than that altogether. */
  async #waitFor(bytes: Uint8Array): Promise<void> {
    const from = performance.now();
    const got = await this.#keep!.budget.wait(bytes.length, Math.max(0, this.#patienceMs));
    this.#patienceMs -= performance.now() - from;
    if (got) this.#add(bytes);
    else this.#giveUp('overloaded');
  }

  get #keeps(): boolean {
    return this.#keep !== undefined && this.#given === undefined && !this.destroyed;
  }

  /** A copy: the producer may use its buffer again. */
  #add(bytes: Uint8Array): void {
    this.#kept += bytes.length;
    this.#parts.push(new Uint8Array(bytes));
    if (this.destroyed) this.#letGo();
    else if (this.#kept > this.#keep!.maxBytes) this.#giveUp('too-many-bytes');
    else if (this.#kept >= HEAD_BYTES && this.#kept - bytes.length < HEAD_BYTES && !this.#isImage())
      this.#giveUp('unsupported');
  }

  #isImage(): boolean {
    this.#parts = [Buffer.concat(this.#parts)];
    return sniff(this.#parts[0]!.subarray(0, HEAD_BYTES)) !== undefined;
  }

  #giveUp(why: Undecoded): void {
    this.#given = why;
    this.#letGo();
  }

  #letGo(): void {
    const kept = this.#kept;
    this.#parts = [];
    this.#kept = 0;
    if (kept > 0) this.#keep!.budget.give(kept);
  }

  #content(): Uint8Array | Undecoded | undefined {
    if (this.#keep === undefined) return undefined;
    return this.#given ?? Buffer.concat(this.#parts);
  }
}

import { HashfedError } from '../core/index.js';

/** Why a stored body cannot be used; `what` names the file, never its content. */
export function damaged(what: string, why: string, cause?: unknown): HashfedError {
  // The place of a document is several lines; people read one.
  return new HashfedError('STORAGE_FAILED', `${what.replaceAll('\n', ' ')}: ${why}`, { field: what, cause });
}

/** Builds the body of a store file: big-endian integers and length-prefixed bytes. */
export class BodyWriter {
  readonly #parts: Uint8Array[] = [];

  u32(value: number): this {
    const part = new Uint8Array(4);
    new DataView(part.buffer).setUint32(0, value);
    return this.raw(part);
  }

  u64(value: number): this {
    const part = new Uint8Array(8);
    new DataView(part.buffer).setBigUint64(0, BigInt(value));
    return this.raw(part);
  }

  bytes(value: Uint8Array): this {
    return this.u32(value.length).raw(value);
  }

  text(value: string): this {
    return this.bytes(Buffer.from(value, 'utf8'));
  }

  raw(part: Uint8Array): this {
    this.#parts.push(part);
    return this;
  }

  finish(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.#parts));
  }
}

/** Reads such a body strictly; everything wrong is `STORAGE_FAILED` naming `what`. */
export class BodyReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #what: string;
  #at = 0;

  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#what = what;
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  u64(): number {
    const value = this.#view.getBigUint64(this.#take(8));
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged(this.#what, 'a number is out of range');
    return Number(value);
  }

  /** A view, not a copy. */
  bytes(): Uint8Array {
    return this.raw(this.u32());
  }

  text(): string {
    return Buffer.from(this.bytes()).toString('utf8');
  }

  raw(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** No byte may be left over. */
  end(): void {
    if (!this.done) throw damaged(this.#what, 'it has bytes beyond its end');
  }

  #take(length: number): number {
    const at = this.#at;
    if (length > this.#bytes.length - at) throw damaged(this.#what, 'it ends too early');
    this.#at += length;
    return at;
  }
}

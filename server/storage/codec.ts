/** Fixed binary layouts of stored records: big-endian numbers, byte strings with a u32 length. */
import { MAX_U53 } from '../../sdk/core/index.js';
import { damaged } from './failure.js';

/** A view of the same bytes that is no Buffer: Buffer's `slice` shares memory where Uint8Array's copies. */
export const plain = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);

export const concatBytes = (parts: readonly Uint8Array[]): Uint8Array => plain(Buffer.concat(parts));

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class ValueWriter {
  readonly #parts: Uint8Array[] = [];

  u8(value: number): this {
    return this.fixed(Uint8Array.of(value));
  }

  u32(value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, value);
    return this.fixed(bytes);
  }

  u64(value: number): this {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
    return this.fixed(bytes);
  }

  fixed(bytes: Uint8Array): this {
    this.#parts.push(bytes);
    return this;
  }

  blob(bytes: Uint8Array): this {
    return this.u32(bytes.length).fixed(bytes);
  }

  text(value: string): this {
    return this.blob(Buffer.from(value, 'utf8'));
  }

  hashes(values: readonly Uint8Array[]): this {
    this.u8(values.length);
    for (const hash of values) this.fixed(hash);
    return this;
  }

  finish(): Uint8Array {
    return concatBytes(this.#parts);
  }
}

/** Reads what `ValueWriter` wrote; anything else is `STORAGE_FAILED` naming `kind`. */
export class ValueReader {
  readonly #bytes: Uint8Array;
  readonly #kind: string;
  #at = 0;

  constructor(bytes: Uint8Array, kind: string) {
    this.#bytes = bytes;
    this.#kind = kind;
  }

  u8(): number {
    return this.fixed(1)[0]!;
  }

  u32(): number {
    const b = this.fixed(4);
    return new DataView(b.buffer, b.byteOffset, 4).getUint32(0);
  }

  u64(): number {
    const b = this.fixed(8);
    const value = Number(new DataView(b.buffer, b.byteOffset, 8).getBigUint64(0));
    return value < MAX_U53 ? value : damaged(this.#kind, 'holds a number above 2^53');
  }

  fixed(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) damaged(this.#kind, 'ends too early');
    const part = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }

  blob(): Uint8Array {
    return this.fixed(this.u32());
  }

  text(): string {
    const bytes = this.blob();
    try {
      return decoder.decode(bytes);
    } catch (cause) {
      return damaged(this.#kind, 'is not UTF-8', cause);
    }
  }

  hashes(): Uint8Array[] {
    return Array.from({ length: this.u8() }, () => this.fixed(32));
  }

  end(): void {
    if (this.#at !== this.#bytes.length) damaged(this.#kind, 'has trailing bytes');
  }
}

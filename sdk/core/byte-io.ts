import { joinBytes, readU16, readU32, readU64, writeU16, writeU32, writeU64 } from './bytes.js';
import { malformed } from './errors.js';
import { MAX_U53 } from './limits.js';

/** Reads fields in order; throws `MALFORMED` naming `field` instead of reading past the end. */
export class ByteReader {
  private at = 0;
  private readonly bytes: Uint8Array;
  private readonly field: string;

  constructor(bytes: Uint8Array, field: string) {
    this.bytes = bytes;
    this.field = field;
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  u8(): number {
    return this.bytes[this.skip(1)]!;
  }

  u16(): number {
    return readU16(this.bytes, this.skip(2));
  }

  u32(): number {
    return readU32(this.bytes, this.skip(4));
  }

  /** A u64 below 2^53. */
  u53(): number {
    const value = readU64(this.bytes, this.skip(8));
    if (value >= MAX_U53) malformed(this.field, 'a number is out of range');
    return value;
  }

  /** A copy. */
  take(length: number): Uint8Array {
    const from = this.skip(length);
    return this.bytes.slice(from, from + length);
  }

  /** Nothing may follow. */
  end(): void {
    if (this.left !== 0) malformed(this.field, 'has trailing bytes');
  }

  private skip(length: number): number {
    const from = this.at;
    if (length > this.left) malformed(this.field, 'is cut short');
    this.at += length;
    return from;
  }
}

/** Writes fields in order. */
export class ByteWriter {
  private readonly parts: Uint8Array[] = [];

  u8(value: number): this {
    return this.put(Uint8Array.of(value));
  }

  u16(value: number): this {
    const b = new Uint8Array(2);
    writeU16(b, 0, value);
    return this.put(b);
  }

  u32(value: number): this {
    const b = new Uint8Array(4);
    writeU32(b, 0, value);
    return this.put(b);
  }

  u53(value: number): this {
    const b = new Uint8Array(8);
    writeU64(b, 0, value);
    return this.put(b);
  }

  put(bytes: Uint8Array): this {
    this.parts.push(bytes);
    return this;
  }

  done(): Uint8Array {
    return joinBytes(this.parts);
  }
}

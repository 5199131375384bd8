import { HashfedError } from '../core/index.js';
import { BLOCK_BYTES, MAX_BLOCK_BYTES, MAX_ENTRY_BYTES, MAX_PDQ, MAX_REF_BYTES } from './limits.js';

/** One stored object as it was when it was hashed. */
export interface InventoryEntry {
  /** The hoster's own reference: for a scan the path below the scanned folder, bytes as the system has them. */
  readonly ref: Uint8Array;
  readonly size: number;
  /** Nanoseconds since 1970, and inode, both modulo 2^64; 0 where there is no such thing. */
  readonly mtimeNs: bigint;
  readonly inode: bigint;
  readonly md5: Uint8Array;
  readonly sha1: Uint8Array;
  readonly sha256: Uint8Array;
  /** Whether perceptual values were asked for; with none, the object has none. */
  readonly perceptual: boolean;
  readonly pdq: readonly { readonly hash: Uint8Array; readonly quality: number }[];
}

const HAS_PDQ = 1;
const ASKED = 2;
/** md5 | sha1 | sha256, side by side. */
export const HASHES_BYTES = 68;
const INODE_BYTES = 6;
const PDQ_BYTES = 33;

/**
 * `u8 flags | varint shared | varint length | rest of ref | varint size | u64 mtime | u48 inode | md5 sha1 sha256 |
 * [u8 n | n × (32 B, u8 quality)]`; `shared` bytes of the reference are those of the entry before, in the same block.
 */
export class BlockWriter {
  readonly #bytes = Buffer.allocUnsafe(MAX_BLOCK_BYTES);
  #at = 0;
  #last: Uint8Array = new Uint8Array();

  get full(): boolean {
    return this.#at >= BLOCK_BYTES;
  }

  get empty(): boolean {
    return this.#at === 0;
  }

  /** Throws `USAGE` for a reference that is empty or too long. */
  add(entry: InventoryEntry): void {
    const { ref, pdq } = entry;
    if (ref.length === 0 || ref.length > MAX_REF_BYTES) {
      throw new HashfedError('USAGE', `ref: must be 1 to ${MAX_REF_BYTES} bytes`, { field: 'ref' });
    }
    const shared = sharedLength(this.#last, ref);
    const values = pdq.slice(0, MAX_PDQ);
    this.#u8((values.length > 0 ? HAS_PDQ : 0) | (entry.perceptual ? ASKED : 0));
    this.#varint(shared);
    this.#varint(ref.length - shared);
    this.#raw(ref.subarray(shared));
    this.#varint(entry.size);
    this.#at = this.#bytes.writeBigUInt64BE(BigInt.asUintN(64, entry.mtimeNs), this.#at);
    this.#at = this.#bytes.writeUIntBE(Number(BigInt.asUintN(48, entry.inode)), this.#at, INODE_BYTES);
    for (const hash of [entry.md5, entry.sha1, entry.sha256]) this.#raw(hash);
    if (values.length > 0) this.#u8(values.length);
    for (const { hash, quality } of values) {
      this.#raw(hash);
      this.#u8(quality);
    }
    this.#last = ref;
  }

  /** The block's bytes; the next one starts. */
  take(): Uint8Array {
    const block = new Uint8Array(this.#bytes.subarray(0, this.#at));
    this.#at = 0;
    this.#last = new Uint8Array();
    return block;
  }

  #u8(value: number): void {
    this.#bytes[this.#at++] = value;
  }

  #raw(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  #varint(value: number): void {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#u8((rest % 0x80) | 0x80);
    this.#u8(rest);
  }
}

function sharedLength(a: Uint8Array, b: Uint8Array): number {
  const most = Math.min(a.length, b.length);
  let n = 0;
  while (n < most && a[n] === b[n]) n++;
  return n;
}

/** Walks the entries of a block without an object for each: fields are those of the entry last stepped on. */
export class EntryCursor {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #ref: Buffer;
  #next = 0;
  #refLength = 0;
  #mtimeAt = 0;
  size = 0;
  flags = 0;
  /** Where md5, sha1 and sha256 lie in `bytes`. */
  hashesAt = 0;
  /** Where the PDQ values lie, 33 bytes each, and how many there are. */
  pdqAt = 0;
  pdqCount = 0;

  /** `scratch` (4,096 bytes) holds the reference; one walk at a time may use it. */
  constructor(bytes: Uint8Array, scratch: Buffer = Buffer.allocUnsafe(MAX_REF_BYTES)) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#ref = scratch;
  }

  /** Steps on; false at the end. Throws `STORAGE_FAILED` for bytes that are no entry. */
  next(): boolean {
    if (this.#next === this.bytes.length) return false;
    const { bytes } = this;
    this.flags = this.#byte();
    const shared = this.#varint();
    const rest = this.#varint();
    if (shared > this.#refLength || shared + rest > MAX_REF_BYTES || this.flags > (HAS_PDQ | ASKED))
      throw broken();
    const from = this.#skip(rest);
    for (let i = 0; i < rest; i++) this.#ref[shared + i] = bytes[from + i]!;
    this.#refLength = shared + rest;
    this.size = this.#varint();
    this.#mtimeAt = this.#skip(8 + INODE_BYTES);
    this.hashesAt = this.#skip(HASHES_BYTES);
    this.pdqCount = (this.flags & HAS_PDQ) === 0 ? 0 : this.#byte();
    this.pdqAt = this.#skip(this.pdqCount * PDQ_BYTES);
    return true;
  }

  /** The reference; a view that the next step overwrites. */
  get ref(): Buffer {
    return this.#ref.subarray(0, this.#refLength);
  }

  isUnchanged(size: number, mtimeNs: bigint, inode: bigint): boolean {
    return (
      size === this.size &&
      this.#view.getBigUint64(this.#mtimeAt) === BigInt.asUintN(64, mtimeNs) &&
      this.#inode() === BigInt.asUintN(48, inode)
    );
  }

  #inode(): bigint {
    return (
      (BigInt(this.#view.getUint16(this.#mtimeAt + 8)) << 32n) |
      BigInt(this.#view.getUint32(this.#mtimeAt + 10))
    );
  }

  /** A copy of what it stands on. */
  entry(): InventoryEntry {
    const at = this.hashesAt;
    const pdq = Array.from({ length: this.pdqCount }, (_, i) => {
      const from = this.pdqAt + i * PDQ_BYTES;
      return { hash: this.bytes.slice(from, from + 32), quality: this.bytes[from + 32]! };
    });
    return {
      ref: new Uint8Array(this.ref),
      size: this.size,
      mtimeNs: this.#view.getBigUint64(this.#mtimeAt),
      inode: this.#inode(),
      md5: this.bytes.slice(at, at + 16),
      sha1: this.bytes.slice(at + 16, at + 36),
      sha256: this.bytes.slice(at + 36, at + HASHES_BYTES),
      perceptual: (this.flags & ASKED) !== 0,
      pdq,
    };
  }

  #byte(): number {
    return this.bytes[this.#skip(1)]!;
  }

  #skip(length: number): number {
    const at = this.#next;
    if (length > this.bytes.length - at || length > MAX_ENTRY_BYTES) throw broken();
    this.#next = at + length;
    return at;
  }

  #varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
      if (scale >= 2 ** 49) throw broken();
    }
    if (value > Number.MAX_SAFE_INTEGER) throw broken();
    return value;
  }
}

function broken(): HashfedError {
  return new HashfedError('STORAGE_FAILED', 'the inventory holds bytes that are no entry');
}

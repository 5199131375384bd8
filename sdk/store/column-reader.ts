import { createHash } from 'node:crypto';
import { BodyReader, damaged } from './body.js';
import { blockNonce, deriveKey, unseal, unsealInto } from './cipher.js';
import {
  blockAad,
  COLUMN_FILES,
  type Column,
  type ColumnHeader,
  decodeHeader,
  decodeTrailer,
  FOOTER_BLOCK,
  HEADER_BYTES,
  TRAILER_BYTES,
  type Trailer,
} from './column-format.js';
import type { ColumnRef } from './column-writer.js';
import type { ReadHandle } from './disk.js';
import { TAG_BYTES } from './limits.js';
import type { Sealing } from './sealed-file.js';

interface Footer {
  readonly plainBytes: number;
  readonly blocks: number;
  readonly tagDigest: Uint8Array;
  readonly table: Float64Array;
}

/** An open column: header and footer are authenticated, blocks are as they are read. */
export class ColumnReader {
  readonly header: ColumnHeader;
  readonly plainBytes: number;
  /** The table in the footer: bucket offsets in the row column, empty elsewhere. */
  readonly table: Float64Array;
  readonly #file: ReadHandle;
  readonly #rawHeader: Uint8Array;
  readonly #key: Uint8Array;
  readonly #footer: Footer;
  readonly #what: string;

  private constructor(
    file: ReadHandle,
    raw: Uint8Array,
    header: ColumnHeader,
    key: Uint8Array,
    footer: Footer,
  ) {
    this.#file = file;
    this.#rawHeader = raw;
    this.header = header;
    this.#key = key;
    this.#footer = footer;
    this.plainBytes = footer.plainBytes;
    this.table = footer.table;
    this.#what = COLUMN_FILES[header.column];
  }

  /** `STORAGE_FAILED` unless it is exactly the file that `ref` names. */
  static async open(
    with_: Sealing,
    directory: string,
    column: Column,
    ref: ColumnRef,
  ): Promise<ColumnReader> {
    const what = COLUMN_FILES[column];
    const file = await with_.disk.open(`${directory}/${what}`);
    try {
      if (file.size !== ref.fileBytes) throw damaged(what, 'it is truncated or has grown');
      const raw = await readExactly(file, HEADER_BYTES, 0, what);
      const header = decodeHeader(with_.master, raw, what);
      if (header.column !== column || Buffer.compare(header.fileId, ref.fileId) !== 0) {
        throw damaged(what, 'it is not the file that the head names');
      }
      const key = deriveKey(with_.master, 'file', header.fileId);
      const footer = await readFooter(file, raw, key, what);
      checkExtent(header, footer, file.size, what);
      return new ColumnReader(file, raw, header, key, footer);
    } catch (cause) {
      await file.close();
      throw cause;
    }
  }

  /**
   * Decrypted blocks in order; the next one is read while this one is used. A block is good until the next one is asked
   * for: its memory is used again. Checks the footer's checksum.
   */
  async *blocks(): AsyncGenerator<Uint8Array> {
    const { blockBytes } = this.header;
    const tags = createHash('sha256');
    const room = () => new Uint8Array(Math.min(blockBytes, this.plainBytes) + TAG_BYTES);
    const [plain, sealed] = [room(), [room(), room()] as const];
    let next = this.#fetch(0, sealed[0]);
    for (let n = 0; n < this.#footer.blocks; n++) {
      const block = await next;
      next = this.#fetch(n + 1, sealed[((n + 1) % 2) as 0 | 1]);
      // Whoever stops reading does not hear of the block that was begun.
      next.catch(() => {});
      tags.update(block.subarray(block.length - TAG_BYTES));
      yield this.#openInto(plain, block, n);
    }
    if (tags.digest().compare(this.#footer.tagDigest) !== 0)
      throw damaged(this.#what, 'its checksum is wrong');
  }

  /** Blocks that can be read and authenticate, with the offset of their plaintext; the others are left out. */
  async *authenticBlocks(): AsyncGenerator<{ readonly from: number; readonly bytes: Uint8Array }> {
    for (let n = 0; n < this.#footer.blocks; n++) {
      const sealed = await this.#fetch(n).catch(() => undefined);
      const bytes = sealed && unseal(this.#key, blockNonce(n), blockAad(this.#rawHeader, n), sealed);
      if (bytes !== undefined) yield { from: n * this.header.blockBytes, bytes };
    }
  }

  /** Fills a shared buffer with the whole column. */
  async readAll(): Promise<Uint8Array> {
    const target = new Uint8Array(new SharedArrayBuffer(this.plainBytes));
    let at = 0;
    for await (const block of this.blocks()) {
      target.set(block, at);
      at += block.length;
    }
    return target;
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  /** The sealed block `n`, in `room` where one is given; empty behind the last. */
  async #fetch(n: number, room?: Uint8Array): Promise<Uint8Array> {
    const { blockBytes } = this.header;
    const left = this.plainBytes - n * blockBytes;
    if (left <= 0) return new Uint8Array();
    const position = HEADER_BYTES + n * (blockBytes + TAG_BYTES);
    const length = Math.min(left, blockBytes) + TAG_BYTES;
    const target = room?.subarray(0, length) ?? fresh(length);
    await readInto(this.#file, target, position, this.#what);
    return target;
  }

  #openInto(room: Uint8Array, sealed: Uint8Array, n: number): Uint8Array {
    const plain = room.subarray(0, sealed.length - TAG_BYTES);
    if (!unsealInto(plain, this.#key, blockNonce(n), blockAad(this.#rawHeader, n), sealed))
      throw damaged(this.#what, `block ${n} was changed or damaged`);
    return plain;
  }
}

const fresh = (length: number) => new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);

async function readExactly(file: ReadHandle, length: number, position: number, what: string) {
  const bytes = fresh(length);
  await readInto(file, bytes, position, what);
  return bytes;
}

async function readInto(file: ReadHandle, target: Uint8Array, position: number, what: string): Promise<void> {
  if ((await file.read(target, position)) !== target.length) throw damaged(what, 'it ends too early');
}

async function readFooter(file: ReadHandle, raw: Uint8Array, key: Uint8Array, what: string): Promise<Footer> {
  if (file.size < HEADER_BYTES + TRAILER_BYTES + TAG_BYTES) throw damaged(what, 'it is truncated');
  const tail = await readExactly(file, TRAILER_BYTES, file.size - TRAILER_BYTES, what);
  const trailer: Trailer = decodeTrailer(tail, file.size, what);
  const sealed = await readExactly(file, trailer.footerBytes, trailer.footerOffset, what);
  const body = unseal(key, blockNonce(FOOTER_BLOCK), blockAad(raw, FOOTER_BLOCK), sealed);
  if (body === undefined) throw damaged(what, 'its footer was changed or damaged');
  const reader = new BodyReader(body, what);
  const plainBytes = reader.u64();
  const blocks = reader.u32();
  const tagDigest = reader.raw(32);
  const table = decodeTable(reader.u32(), reader);
  reader.end();
  return { plainBytes, blocks, tagDigest, table };
}

function decodeTable(length: number, reader: BodyReader): Float64Array {
  const bytes = reader.raw(length * 8);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const table = new Float64Array(length);
  for (let i = 0; i < length; i++) table[i] = Number(view.getBigUint64(i * 8));
  return table;
}

/** Number of blocks, plaintext and file length must agree before any buffer of that size is made. */
function checkExtent(header: ColumnHeader, footer: Footer, fileBytes: number, what: string): void {
  const blocks = Math.ceil(footer.plainBytes / header.blockBytes);
  const body = footer.plainBytes + blocks * TAG_BYTES;
  if (blocks !== footer.blocks || HEADER_BYTES + body > fileBytes) throw damaged(what, 'its parts disagree');
}

import { createHash } from 'node:crypto';
import { BodyWriter } from './body.js';
import { blockNonce, deriveKey, seal } from './cipher.js';
import {
  blockAad,
  COLUMN_FILES,
  type ColumnHeader,
  encodeHeader,
  encodeTrailer,
  FOOTER_BLOCK,
  HEADER_BYTES,
  TRAILER_BYTES,
} from './column-format.js';
import type { WriteHandle } from './disk.js';
import { FILE_ID_BYTES, TAG_BYTES } from './limits.js';
import type { Sealing } from './sealed-file.js';

/** How the list head names a column file: another file in its place does not open. */
export interface ColumnRef {
  readonly fileId: Uint8Array;
  readonly fileBytes: number;
}

/**
 * Streams one immutable column: header, encrypted blocks, footer, trailer. Memory: one block. The data key
 * comes from a random file id, so block numbers are unique nonces. Unfinished files have no trailer.
 */
export class ColumnWriter {
  readonly #file: WriteHandle;
  readonly #header: Uint8Array;
  readonly #key: Uint8Array;
  readonly #fileId: Uint8Array;
  readonly #block: Uint8Array;
  readonly #tags = createHash('sha256');
  #filled = 0;
  #blocks = 0;
  #plainBytes = 0;
  #fileBytes = HEADER_BYTES;

  private constructor(file: WriteHandle, master: Uint8Array, header: ColumnHeader) {
    this.#file = file;
    this.#header = encodeHeader(master, header);
    this.#fileId = header.fileId;
    this.#key = deriveKey(master, 'file', header.fileId);
    this.#block = new Uint8Array(header.blockBytes);
  }

  static async create(
    with_: Sealing,
    directory: string,
    facts: Omit<ColumnHeader, 'fileId'>,
  ): Promise<ColumnWriter> {
    const header = { ...facts, fileId: with_.random.bytes(FILE_ID_BYTES) };
    const file = await with_.disk.create(`${directory}/${COLUMN_FILES[facts.column]}`);
    const writer = new ColumnWriter(file, with_.master, header);
    await file.write(writer.#header);
    return writer;
  }

  /** Plaintext bytes taken so far. */
  get plainBytes(): number {
    return this.#plainBytes;
  }

  async write(bytes: Uint8Array): Promise<void> {
    let from = 0;
    while (from < bytes.length) {
      const take = Math.min(bytes.length - from, this.#block.length - this.#filled);
      this.#block.set(bytes.subarray(from, from + take), this.#filled);
      this.#filled += take;
      this.#plainBytes += take;
      from += take;
      if (this.#filled === this.#block.length) await this.#flush();
    }
  }

  /** Last block, footer with `table`, trailer; synced. The file is not visible to readers before the head names it. */
  async finish(table: Float64Array): Promise<ColumnRef> {
    if (this.#filled > 0) await this.#flush();
    const footer = this.#footer(table);
    await this.#file.write(footer);
    await this.#file.write(encodeTrailer({ footerOffset: this.#fileBytes, footerBytes: footer.length }));
    await this.#file.sync();
    await this.#file.close();
    return { fileId: this.#fileId, fileBytes: this.#fileBytes + footer.length + TRAILER_BYTES };
  }

  async abort(): Promise<void> {
    await this.#file.close().catch(() => {});
  }

  async #flush(): Promise<void> {
    const plain = this.#block.subarray(0, this.#filled);
    const sealed = seal(this.#key, blockNonce(this.#blocks), blockAad(this.#header, this.#blocks), plain);
    this.#tags.update(sealed.subarray(sealed.length - TAG_BYTES));
    this.#blocks += 1;
    this.#filled = 0;
    this.#fileBytes += sealed.length;
    await this.#file.write(sealed);
  }

  #footer(table: Float64Array): Uint8Array {
    const body = new BodyWriter().u64(this.#plainBytes).u32(this.#blocks).raw(this.#tags.digest());
    body.u32(table.length).raw(encodeTable(table));
    return seal(this.#key, blockNonce(FOOTER_BLOCK), blockAad(this.#header, FOOTER_BLOCK), body.finish());
  }
}

function encodeTable(table: Float64Array): Uint8Array {
  const bytes = new Uint8Array(table.length * 8);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < table.length; i++) view.setBigUint64(i * 8, BigInt(table[i]!));
  return bytes;
}

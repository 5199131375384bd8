import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { equalBytes, HashfedError, MAX_BUNDLE_BYTES, malformed, readU32 } from '../../../sdk/core/index.js';
import { FILE_CHUNK_BYTES, MAX_FILE_MESSAGE_BYTES } from './limits.js';
import type { FileKind } from './magic.js';

const HEADER_BYTES = 12;

/**
 * Reads a file of the publishing path from start to end in bounded memory: the message first, then the bundles of one
 * list after another. Every length is checked before what it measures is read. MUST be closed.
 */
export class FramedReader {
  readonly #handle: FileHandle;
  readonly #kind: FileKind;
  readonly #digest: Hash = createHash('sha256');
  #chunk = new Uint8Array(0);
  #at = 0;
  #message = new Uint8Array(0);

  private constructor(handle: FileHandle, kind: FileKind) {
    this.#handle = handle;
    this.#kind = kind;
  }

  /** Throws USAGE where there is no such file, MALFORMED for another kind of file or a message over 16 MiB. */
  static async open(file: string, kind: FileKind): Promise<FramedReader> {
    const handle = await open(file, 'r').catch((cause: unknown) => {
      throw new HashfedError('USAGE', `cannot read the ${kind.name} ${file}`, { field: 'file', cause });
    });
    const reader = new FramedReader(handle, kind);
    try {
      await reader.#start();
      return reader;
    } catch (error) {
      await reader.close();
      throw error;
    }
  }

  /** The serialised message. */
  get message(): Uint8Array {
    return this.#message;
  }

  async #start(): Promise<void> {
    const header = await this.#take(HEADER_BYTES);
    if (!equalBytes(header.subarray(0, 8), this.#kind.magic))
      malformed(this.#kind.name, 'this is no such file, or one of another format');
    const length = readU32(header, 8);
    if (length > MAX_FILE_MESSAGE_BYTES)
      malformed(this.#kind.name, `its message is over ${MAX_FILE_MESSAGE_BYTES} bytes`);
    this.#message = await this.#take(length);
  }

  /** The bundles of the next list; MUST be read to the end before the next call. */
  async *bundles(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const length = readU32(await this.#take(4), 0);
      if (length === 0) return;
      if (length > MAX_BUNDLE_BYTES)
        malformed(this.#kind.name, `holds a bundle over ${MAX_BUNDLE_BYTES} bytes`);
      yield await this.#take(length);
    }
  }

  /** Throws MALFORMED where anything follows. Answers the SHA-256 of the whole file. */
  async end(): Promise<Uint8Array> {
    if (this.#at < this.#chunk.length || (await this.#fill()))
      malformed(this.#kind.name, 'goes on after its end');
    return new Uint8Array(this.#digest.digest());
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async #take(length: number): Promise<Uint8Array<ArrayBuffer>> {
    const out = new Uint8Array(length);
    for (let filled = 0; filled < length; ) {
      if (this.#at === this.#chunk.length && !(await this.#fill()))
        malformed(this.#kind.name, 'is cut short');
      const part = this.#chunk.subarray(this.#at, this.#at + length - filled);
      out.set(part, filled);
      filled += part.length;
      this.#at += part.length;
    }
    return out;
  }

  async #fill(): Promise<boolean> {
    const buffer = new Uint8Array(FILE_CHUNK_BYTES);
    const { bytesRead } = await this.#handle.read(buffer, 0, buffer.length);
    this.#chunk = buffer.subarray(0, bytesRead);
    this.#at = 0;
    this.#digest.update(this.#chunk);
    return bytesRead > 0;
  }
}

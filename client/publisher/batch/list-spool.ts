import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { encodeBundle } from '../../../sdk/core/index.js';
import {
  BUNDLE_TARGET_BYTES,
  BufferedFile,
  FILE_CHUNK_BYTES,
  type FramedWriter,
  frame,
} from '../files/index.js';

/** The leaves of one list while a batch is made: frames in a file of their own, so that lists may interleave. */
export class ListSpool {
  readonly origin: string;
  readonly #file: string;
  readonly #out: BufferedFile;
  readonly #digest = createHash('sha256');
  #leaves: Uint8Array[] = [];
  #bytes = 0;
  #count = 0;

  private constructor(origin: string, file: string, out: BufferedFile) {
    this.origin = origin;
    this.#file = file;
    this.#out = out;
  }

  static async create(origin: string, file: string): Promise<ListSpool> {
    return new ListSpool(origin, file, new BufferedFile(await open(file, 'wx', 0o600)));
  }

  get count(): number {
    return this.#count;
  }

  /** Adds a leaf. Await the answer where there is one: the spool then writes. */
  put(leaf: Uint8Array): Promise<void> | undefined {
    this.#leaves.push(leaf);
    this.#bytes += 2 + leaf.length;
    this.#count += 1;
    return this.#bytes >= BUNDLE_TARGET_BYTES ? this.#flush() : undefined;
  }

  async #flush(): Promise<void> {
    if (this.#leaves.length === 0) return;
    const bundle = encodeBundle(this.#leaves);
    this.#leaves = [];
    this.#bytes = 0;
    this.#digest.update(bundle);
    await this.#out.write(...frame(bundle));
  }

  /** Ends the list. Answers SHA-256 of its `(u16 length | leaf)*` bytes. */
  async close(): Promise<Uint8Array> {
    await this.#flush();
    await this.#out.flush();
    await this.#out.close();
    return new Uint8Array(this.#digest.digest());
  }

  /** Copies the frames behind a batch's message, with their end mark. */
  async copyTo(writer: FramedWriter): Promise<void> {
    const handle = await open(this.#file, 'r');
    try {
      for (;;) {
        const buffer = new Uint8Array(FILE_CHUNK_BYTES);
        const { bytesRead } = await handle.read(buffer, 0, buffer.length);
        if (bytesRead === 0) break;
        await writer.raw(buffer.subarray(0, bytesRead));
      }
    } finally {
      await handle.close();
    }
    await writer.endList();
  }

  async remove(): Promise<void> {
    await this.#out.close();
    await rm(this.#file, { force: true });
  }
}

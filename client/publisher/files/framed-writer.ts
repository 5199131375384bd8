import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { HashfedError, writeU32 } from '../../../sdk/core/index.js';
import { FILE_CHUNK_BYTES } from './limits.js';
import type { FileKind } from './magic.js';

const END = new Uint8Array(4);

/** Bytes appended to a file through one buffer. */
export class BufferedFile {
  readonly #handle: FileHandle;
  #parts: Uint8Array[] = [];
  #length = 0;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async write(...parts: readonly Uint8Array[]): Promise<void> {
    for (const part of parts) {
      this.#parts.push(part);
      this.#length += part.length;
    }
    if (this.#length >= FILE_CHUNK_BYTES) await this.flush();
  }

  async flush(): Promise<void> {
    const parts = this.#parts;
    this.#parts = [];
    this.#length = 0;
    if (parts.length > 0) await this.#handle.writev(parts);
  }

  /** Everything is on stable storage once it resolves. */
  async finish(): Promise<void> {
    await this.flush();
    await this.#handle.sync();
    await this.#handle.close();
  }

  async close(): Promise<void> {
    await this.#handle.close().catch(() => undefined);
  }
}

/** `u32 length | bundle`. */
export function frame(bundle: Uint8Array): [Uint8Array, Uint8Array] {
  const length = new Uint8Array(4);
  writeU32(length, 0, bundle.length);
  return [length, bundle];
}

/**
 * Writes a file of the publishing path under another name and renames it once it is complete and synced, so that a
 * half-written one is never taken for whole. MUST end in `finish` or `abort`.
 */
export class FramedWriter {
  readonly #file: string;
  readonly #temporary: string;
  readonly #out: BufferedFile;

  private constructor(file: string, temporary: string, out: BufferedFile) {
    this.#file = file;
    this.#temporary = temporary;
    this.#out = out;
  }

  /** Throws STORAGE_FAILED where nothing can be written there. */
  static async create(file: string, kind: FileKind, message: Uint8Array): Promise<FramedWriter> {
    const temporary = join(dirname(file), `.${basename(file)}.${randomBytes(6).toString('hex')}`);
    const handle = await open(temporary, 'wx', 0o600).catch((cause: unknown) => {
      throw new HashfedError('STORAGE_FAILED', `cannot write the ${kind.name} ${file}`, {
        field: 'file',
        cause,
      });
    });
    const writer = new FramedWriter(file, temporary, new BufferedFile(handle));
    await writer.#out.write(kind.magic, ...frame(message));
    return writer;
  }

  async bundle(bundle: Uint8Array): Promise<void> {
    await this.#out.write(...frame(bundle));
  }

  /** Frames as they stand in another file, without their end mark. */
  async raw(bytes: Uint8Array): Promise<void> {
    await this.#out.write(bytes);
  }

  async endList(): Promise<void> {
    await this.#out.write(END);
  }

  async finish(): Promise<void> {
    await this.#out.finish();
    await rename(this.#temporary, this.#file);
    const folder = await open(dirname(this.#file), 'r');
    await folder.sync().finally(() => folder.close());
  }

  async abort(): Promise<void> {
    await this.#out.close();
    await rm(this.#temporary, { force: true });
  }
}

/** A whole file that is a message alone. Throws STORAGE_FAILED. */
export async function writeMessageFile(file: string, kind: FileKind, message: Uint8Array): Promise<void> {
  const writer = await FramedWriter.create(file, kind, message);
  await writer.finish().catch(async (cause: unknown) => {
    await writer.abort();
    throw new HashfedError('STORAGE_FAILED', `cannot write the ${kind.name} ${file}`, {
      field: 'file',
      cause,
    });
  });
}

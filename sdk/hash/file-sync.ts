import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { checkSignal, hashBuffer, MultiHash } from './digest.js';
import { fromError, openFlags, refuse, sameState, toState } from './file-state.js';
import { READ_BYTES, SMALL_FILE_BYTES } from './limits.js';
import type { FileOptions, FileOutcome, FileState, Hashed } from './types.js';

/**
 * Hashes files one after another without a promise for each read: for worker threads, where blocking is free and
 * thousands of small files are not. Reuses its buffer; one instance a thread.
 */
export class SyncFileHasher {
  readonly #buffer = Buffer.allocUnsafe(READ_BYTES);

  /** As `hashFile`; `maxBytes` and `signal` are looked at between pieces. */
  hash(path: string | Buffer, options: FileOptions = {}): FileOutcome {
    checkSignal(options.signal);
    let fd: number;
    try {
      fd = openSync(path, openFlags(options));
    } catch (error) {
      return fromError(error);
    }
    try {
      return this.#hashOpen(fd, options);
    } catch (error) {
      return fromError(error);
    } finally {
      closeSync(fd);
    }
  }

  #hashOpen(fd: number, options: FileOptions): FileOutcome {
    const stats = fstatSync(fd, { bigint: true });
    const refused = refuse(stats, options);
    if (refused !== undefined) return refused;
    const state = toState(stats);
    const hashed =
      state.size <= SMALL_FILE_BYTES ? this.#small(fd, state, options) : this.#large(fd, state, options);
    const after = toState(fstatSync(fd, { bigint: true }));
    if (hashed === undefined || !sameState(state, after)) return { status: 'changed' };
    return { status: 'hashed', ...hashed, state };
  }

  #small(fd: number, state: FileState, { types }: FileOptions): Hashed | undefined {
    let filled = 0;
    while (filled <= state.size) {
      const read = readSync(fd, this.#buffer, filled, state.size + 1 - filled, filled);
      if (read === 0) break;
      filled += read;
    }
    if (filled !== state.size) return undefined;
    return hashBuffer(this.#buffer.subarray(0, filled), types === undefined ? {} : { types });
  }

  #large(fd: number, state: FileState, { types, signal }: FileOptions): Hashed | undefined {
    const multi = new MultiHash(types);
    for (;;) {
      const read = readSync(fd, this.#buffer, 0, READ_BYTES, multi.bytes);
      if (read === 0) break;
      if (multi.bytes + read > state.size) return undefined;
      checkSignal(signal);
      multi.update(this.#buffer.subarray(0, read));
    }
    return multi.bytes === state.size ? multi.digest() : undefined;
  }
}

import { HashfedError } from '../../../sdk/core/index.js';
import type { Database, Disk, OpenDatabase, WriteHandle } from '../../../sdk/store/index.js';

/** How the one chosen write point fails. `lied`: it took effect and was reported failed. */
export type FaultMode = 'failed' | 'lied' | 'torn';

const injected = () => new HashfedError('STORAGE_FAILED', 'injected');

/** Numbers every write point of disk and database from 0 and fails the chosen one, once. */
export class Faults {
  readonly #at: number;
  readonly #mode: FaultMode;
  count = 0;
  hit: string | undefined;

  constructor(at = -1, mode: FaultMode = 'failed') {
    this.#at = at;
    this.#mode = mode;
  }

  async point<T>(name: string, run: () => Promise<T>, tear?: () => Promise<unknown>): Promise<T> {
    const mine = this.count++ === this.#at;
    if (!mine) return await run();
    this.hit = name;
    if (this.#mode === 'lied') await run();
    if (this.#mode === 'torn') await tear?.();
    throw injected();
  }

  disk(inner: Disk): Disk {
    return {
      open: (path) => inner.open(path),
      list: (path) => inner.list(path),
      exists: (path) => inner.exists(path),
      create: (path) => this.point('create', async () => this.#handle(await inner.create(path))),
      append: (path, at) => this.point('append', async () => this.#handle(await inner.append(path, at))),
      rename: (from, to) => this.point('rename', () => inner.rename(from, to)),
      remove: (path) => this.point('remove', () => inner.remove(path)),
      makeDirectory: (path) => this.point('mkdir', () => inner.makeDirectory(path)),
      syncDirectory: (path) => this.point('fsync directory', () => inner.syncDirectory(path)),
    };
  }

  database(inner: OpenDatabase): OpenDatabase {
    return async (path, create) => {
      const database: Database = await inner(path, create);
      return { ...database, write: (ops) => this.point('database', () => database.write(ops)) };
    };
  }

  #handle(inner: WriteHandle): WriteHandle {
    return {
      write: (bytes) =>
        this.point(
          'write',
          () => inner.write(bytes),
          () => inner.write(bytes.subarray(0, bytes.length >> 1)),
        ),
      sync: () => this.point('fsync', () => inner.sync()),
      close: () => inner.close(),
    };
  }
}

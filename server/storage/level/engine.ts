/** The part of LevelDB that the kernel uses, as an interface, so that tests make its calls fail. */
import { Level } from 'level';

export interface EngineRow {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

export interface EngineScan {
  readonly gte: Uint8Array;
  readonly lt: Uint8Array;
  readonly reverse: boolean;
  readonly limit: number;
  readonly keysOnly: boolean;
}

export interface EngineIterator {
  /** Up to `size` further rows, and no more than about 1 MiB; empty at the end. */
  next(size: number): Promise<readonly EngineRow[]>;
  close(): Promise<void>;
}

export interface Engine {
  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]>;
  /** Rows as of the call. */
  iterate(scan: EngineScan): EngineIterator;
  /** One atomic, synced batch. */
  write(puts: readonly EngineRow[], deletes: readonly Uint8Array[]): Promise<void>;
  /** Flushes the write-ahead log into tables and rewrites the tables of the range. */
  compact(from: Uint8Array, to: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

export type OpenEngine = (directory: string, createIfMissing: boolean) => Promise<Engine>;

/** Bytes an iterator reads ahead. */
const READ_AHEAD_BYTES = 1024 * 1024;
/** Bytes of the write-ahead log before it becomes a table: a bulk publication then makes few tables. */
const WRITE_BUFFER_BYTES = 32 * 1024 * 1024;
const CACHE_BYTES = 32 * 1024 * 1024;

type Db = Level<Uint8Array, Uint8Array>;
const VIEW = { keyEncoding: 'view', valueEncoding: 'view' } as const;

/** Opens the real thing. Rejects with LevelDB's own errors. */
export const openLevelEngine: OpenEngine = async (directory, createIfMissing) => {
  const db: Db = new Level(directory, {
    ...VIEW,
    createIfMissing,
    // Hashes do not compress, and erased bytes are easier to prove gone.
    compression: false,
    writeBufferSize: WRITE_BUFFER_BYTES,
    cacheSize: CACHE_BYTES,
  } as ConstructorParameters<typeof Level<Uint8Array, Uint8Array>>[1]);
  await db.open();
  return new LevelEngine(db);
};

class LevelEngine implements Engine {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return this.#db.getMany([...keys], VIEW);
  }

  iterate({ gte, lt, reverse, limit, keysOnly }: EngineScan): EngineIterator {
    const options = {
      gte,
      lt,
      reverse,
      limit,
      ...VIEW,
      highWaterMarkBytes: READ_AHEAD_BYTES,
      values: !keysOnly,
    };
    const iterator = this.#db.iterator(options);
    return {
      async next(size) {
        return (await iterator.nextv(size)).map(([key, value]) => ({
          key,
          value: value ?? new Uint8Array(0),
        }));
      },
      close: () => iterator.close(),
    };
  }

  async write(puts: readonly EngineRow[], deletes: readonly Uint8Array[]): Promise<void> {
    const batch = this.#db.batch();
    for (const { key, value } of puts) batch.put(key, value, VIEW);
    for (const key of deletes) batch.del(key, VIEW);
    await batch.write({ sync: true } as Parameters<typeof batch.write>[0]);
  }

  async compact(from: Uint8Array, to: Uint8Array): Promise<void> {
    const db = this.#db as Db & {
      compactRange(from: Uint8Array, to: Uint8Array, options: typeof VIEW): Promise<void>;
    };
    await db.compactRange(from, to, VIEW);
  }

  close(): Promise<void> {
    return this.#db.close();
  }
}

import { Level } from 'level';
import { HashfedError } from '../core/index.js';

export type DatabaseOp =
  | { readonly type: 'put'; readonly key: string; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: string };

/** The ordered key-value store under the ledger. Keys are ASCII and hold nothing secret; values are sealed. */
export interface Database {
  /** undefined when absent. */
  get(key: string): Promise<Uint8Array | undefined>;
  /** In the order of `keys`. */
  getMany(keys: readonly string[]): Promise<(Uint8Array | undefined)[]>;
  /** All or nothing. MUST NOT resolve before it survives a power cut. */
  write(ops: readonly DatabaseOp[]): Promise<void>;
  /** Keys with `from` ≤ key < `to`, ascending. */
  entries(from: string, to: string): AsyncIterable<readonly [string, Uint8Array]>;
  close(): Promise<void>;
}

/** Opens and locks the database: a second opening, in any process, MUST fail. `create` false: MUST NOT create. */
export type OpenDatabase = (path: string, create: boolean) => Promise<Database>;

const STORE_LOCK = 'store.lock';

function heldElsewhere(cause?: unknown): HashfedError {
  return new HashfedError('STORAGE_FAILED', 'another process holds the store', { field: STORE_LOCK, cause });
}

/** Opening failed only because another process writes the store: reading beside it is possible. */
export function isHeldElsewhere(error: unknown): boolean {
  return error instanceof HashfedError && error.detail.field === STORE_LOCK;
}

/** An error of LevelDB; opening wraps it once more. */
interface Told {
  readonly code?: string;
  readonly message?: string;
}

function failed(what: string, cause: unknown): HashfedError {
  const outer = cause as Told & { readonly cause?: Told };
  const inner = outer.cause ?? outer;
  if (inner.code === 'LEVEL_LOCKED') {
    return heldElsewhere(cause);
  }
  // The system's own word is the end of the message; the path before it stays in the cause.
  const { code = '', message = '' } = inner;
  const why = code === 'LEVEL_IO_ERROR' ? message.split(': ').at(-1) : /^E[A-Z]+$/.exec(code)?.[0];
  const text = `the store failed to ${what}${why === undefined ? '' : `: ${why}`}`;
  return new HashfedError('STORAGE_FAILED', text, { cause });
}

async function call<T>(what: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    throw failed(what, cause);
  }
}

/** LevelDB. Its lock is what makes one process the store's writer; it falls with the process. */
export const openLevel: OpenDatabase = async (path, create) => {
  const options = { keyEncoding: 'utf8', valueEncoding: 'view', createIfMissing: create } as const;
  const level = new Level<string, Uint8Array>(path, options);
  await call('open', () => level.open());
  return {
    get: (key) => call('read', () => level.get(key)),
    getMany: (keys) => call('read', () => level.getMany([...keys])),
    write: (ops) => call('write', () => level.batch([...ops], { sync: true })),
    entries: (gte, lt) => inBatches(level, gte, lt),
    close: () => call('close', () => level.close()),
  };
};

/** Entries fetched from LevelDB per call: what a call costs is then shared by many. */
const FETCH = 1_000;

async function* inBatches(level: Level<string, Uint8Array>, gte: string, lt: string) {
  const iterator = level.iterator({ gte, lt });
  try {
    for (;;) {
      const entries = await call('read', () => iterator.nextv(FETCH));
      if (entries.length === 0) return;
      yield* entries;
    }
  } finally {
    await iterator.close();
  }
}

/** A database in memory that outlives its handles, as a file would; for tests and diskless clients. */
export function memoryDatabase(content = new Map<string, Uint8Array>()): OpenDatabase {
  let held = false;
  return async () => {
    if (held) throw heldElsewhere();
    held = true;
    return {
      get: async (key) => content.get(key),
      getMany: async (keys) => keys.map((key) => content.get(key)),
      write: async (ops) => applyOps(content, ops),
      entries: (from, to) => between(content, from, to),
      close: async () => {
        held = false;
      },
    };
  };
}

function applyOps(content: Map<string, Uint8Array>, ops: readonly DatabaseOp[]): void {
  for (const op of ops) {
    if (op.type === 'put') content.set(op.key, op.value);
    else content.delete(op.key);
  }
}

async function* between(content: Map<string, Uint8Array>, from: string, to: string) {
  const keys = [...content.keys()].filter((key) => key >= from && key < to).sort();
  for (const key of keys) yield [key, content.get(key)!] as const;
}

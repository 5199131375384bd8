/**
 * The kernel on LevelDB. One writer: transactions queue, are judged one after the other, and go out together
 * in one synced batch with the meta row; then HEADS is replaced; only then do they resolve. Any failure on the
 * way poisons the kernel: its outcome is unknown until the store is opened again.
 */
import { HashfedError } from '../../../sdk/core/index.js';
import { sameBytes } from '../deps.js';
import { checkAborted, damaged } from '../failure.js';
import type { Kernel, KernelReport, KeyRange, Row, ScanOptions, Transaction } from '../kernel.js';
import { KeyReader, TABLES } from '../keys.js';
import { MAX_KEY_BYTES, MAX_VALUE_BYTES } from '../limits.js';
import { summariseHead } from '../log/index.js';
import { seal, unseal } from '../sealed.js';
import type { Engine } from './engine.js';
import { digestOfHeads, type HeadsFile } from './heads-file.js';
import { digestOfMeta, encodeMeta, META_KEY, type Meta } from './meta.js';
import { scanRows } from './scan.js';
import { verifyRows } from './verify.js';

export interface LevelState {
  readonly meta: Meta;
  readonly heads: HeadsFile;
}

export interface LevelKernelDeps {
  readonly engine: Engine;
  /** Replaces HEADS durably. */
  readonly writeHeads: (heads: HeadsFile) => Promise<void>;
}

interface Waiting {
  readonly transaction: Transaction;
  readonly resolve: (done: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/** Transactions and bytes in one batch. */
const MAX_GROUP = 64;
const MAX_GROUP_BYTES = 8 * 1024 * 1024;
const keyText = (key: Uint8Array): string =>
  Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1');

/** Writes of a group by key: sealed bytes, or null for a deletion. */
type Overlay = Map<string, { readonly key: Uint8Array; readonly value: Buffer | null }>;

export class LevelKernel implements Kernel {
  readonly #deps: LevelKernelDeps;
  #state: LevelState;
  #queue: Waiting[] = [];
  #draining: Promise<void> | undefined;
  #failure: HashfedError | undefined;
  #closing: Promise<void> | undefined;

  constructor(deps: LevelKernelDeps, state: LevelState) {
    this.#deps = deps;
    this.#state = state;
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return (await this.getMany([key]))[0];
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    this.#need();
    return this.#read(keys);
  }

  async *scan(options: ScanOptions): AsyncGenerator<Row> {
    this.#need();
    checkAborted(options.signal);
    yield* scanRows(this.#deps.engine, options);
  }

  transact(transaction: Transaction): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#need();
      for (const { key, value } of transaction.puts ?? []) checkSizes(key, value);
      this.#queue.push({ transaction, resolve, reject });
      this.#draining ??= this.#drain();
    });
  }

  async purge({ from, to }: KeyRange): Promise<void> {
    this.#need();
    await this.#deps.engine.compact(from, to).catch((cause: unknown) => this.#poison(cause));
  }

  verify(signal?: AbortSignal): Promise<KernelReport> {
    this.#need();
    return verifyRows(this.#deps.engine, { signal, bulk: true });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#draining;
    try {
      if (!this.#failure) {
        // An empty range behind all keys: only flushes the log, so that at rest everything lies in tables.
        await this.#deps.engine.compact(Uint8Array.of(0xff, 0xfe), Uint8Array.of(0xff, 0xff));
        await this.#deps.writeHeads({ ...this.#state.heads, state: 'clean' });
      }
    } finally {
      await this.#deps.engine.close();
    }
  }

  #need(): void {
    if (this.#failure) throw this.#failure;
    if (this.#closing) throw new HashfedError('STORAGE_FAILED', 'the store is closed');
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      const group = takeGroup(this.#queue);
      this.#queue = this.#queue.slice(group.length);
      await this.#run(group);
    }
    this.#draining = undefined;
  }

  async #run(group: readonly Waiting[]): Promise<void> {
    try {
      if (this.#failure) throw this.#failure;
      const overlay: Overlay = new Map();
      const done: boolean[] = [];
      for (const { transaction } of group) done.push(await this.#judge(transaction, overlay));
      if (overlay.size > 0) await this.#write(overlay).catch((cause: unknown) => this.#poison(cause));
      group.forEach(({ resolve }, i) => {
        resolve(done[i]!);
      });
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }

  /** Adds the writes to the overlay if every check holds against database and overlay. */
  async #judge({ checks = [], puts = [], deletes = [] }: Transaction, overlay: Overlay): Promise<boolean> {
    const stored = checks.length > 0 ? await this.#read(checks.map(({ key }) => key)) : [];
    for (const [i, { key, value }] of checks.entries()) {
      const written = overlay.get(keyText(key));
      const now = written ? written.value && unseal(key, written.value) : (stored[i] ?? null);
      const holds = value === null ? now === null : now !== null && sameBytes(now, value);
      if (!holds) return false;
    }
    for (const { key, value } of puts) overlay.set(keyText(key), { key, value: seal(key, value) });
    for (const key of deletes) overlay.set(keyText(key), { key, value: null });
    return true;
  }

  /** As `getMany`, also while closing: queued transactions still run then. */
  async #read(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    const cannot = (cause: unknown): never => damaged('database', 'could not be read', cause);
    const sealed = await this.#deps.engine.getMany(keys).catch(cannot);
    return sealed.map((value, i) => value && unseal(keys[i]!, value));
  }

  async #write(overlay: Overlay): Promise<void> {
    const rows = [...overlay.values()];
    const old = await this.#deps.engine.getMany(rows.map(({ key }) => key));
    const sums = this.#state.meta.sums.clone();
    const heads = new Map(this.#state.heads.heads);
    rows.forEach(({ key, value }, i) => {
      if (old[i]) sums.remove(key, old[i]);
      if (value) sums.add(key, value);
      if (key[0] === TABLES.head.id) noteHead(heads, key, value);
    });
    const generation = this.#state.meta.generation + 1;
    const meta = { ...this.#state.meta, generation, previous: digestOfHeads(this.#state.heads), sums };
    const puts = rows.flatMap(({ key, value }) => (value ? [{ key, value }] : []));
    puts.push({ key: META_KEY, value: seal(META_KEY, encodeMeta(meta)) });
    const deletes = rows.flatMap(({ key, value }) => (value ? [] : [key]));
    await this.#deps.engine.write(puts, deletes);
    const file: HeadsFile = {
      ...this.#state.heads,
      generation,
      meta: digestOfMeta(meta),
      heads,
      state: 'open',
    };
    await this.#deps.writeHeads(file);
    this.#state = { meta, heads: file };
  }

  #poison(cause: unknown): never {
    this.#failure = new HashfedError(
      'STORAGE_FAILED',
      'a write failed: the store must be reopened and checked',
      { cause },
    );
    throw this.#failure;
  }
}

function noteHead(heads: Map<string, string>, key: Uint8Array, sealed: Uint8Array | null): void {
  const origin = new KeyReader(key).name();
  if (!sealed) heads.delete(origin);
  else heads.set(origin, headLine(unseal(key, sealed)));
}

/** `size rootHex` as HEADS has it. */
export function headLine(value: Uint8Array): string {
  const { size, root } = summariseHead(value);
  return `${size} ${Buffer.from(root).toString('hex')}`;
}

function takeGroup(queue: readonly Waiting[]): Waiting[] {
  const group: Waiting[] = [];
  let bytes = 0;
  for (const waiting of queue) {
    const size = (waiting.transaction.puts ?? []).reduce((sum, { value }) => sum + value.length, 0);
    if (group.length === MAX_GROUP || (group.length > 0 && bytes + size > MAX_GROUP_BYTES)) break;
    group.push(waiting);
    bytes += size;
  }
  return group;
}

function checkSizes(key: Uint8Array, value: Uint8Array): void {
  if (key.length <= MAX_KEY_BYTES && value.length <= MAX_VALUE_BYTES) return;
  throw new HashfedError('MALFORMED', 'a value is too large to store');
}

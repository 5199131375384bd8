/** Storage in memory, for tests of what stands on it. Obeys the same contract suite as the real backends. */
import type { Clock, Random, Sha256 } from '../../sdk/core/index.js';
import {
  checkAborted,
  createStorage,
  type Kernel,
  type KernelReport,
  type Row,
  type ScanOptions,
  type Storage,
  type Transaction,
} from '../../server/storage/index.js';

const text = (key: Uint8Array): string => Buffer.from(key).toString('latin1');
const bytes = (key: string): Uint8Array => Uint8Array.from(Buffer.from(key, 'latin1'));

export class MemoryKernel implements Kernel {
  readonly #rows = new Map<string, Uint8Array>();
  /** Keys in order; undefined after a change of the key set. */
  #sorted: string[] | undefined = [];
  #closed = false;
  readonly failure = undefined;

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    this.#need();
    const value = this.#rows.get(text(key));
    return value && Uint8Array.from(value);
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return Promise.all(keys.map((key) => this.get(key)));
  }

  scan(options: ScanOptions): AsyncIterable<Row> {
    this.#need();
    return this.#yield(this.#select(options), options);
  }

  async transact({ checks = [], puts = [], deletes = [] }: Transaction): Promise<boolean> {
    this.#need();
    for (const { key, value } of checks) {
      const now = this.#rows.get(text(key));
      if (value === null ? now !== undefined : !now || Buffer.compare(now, value) !== 0) return false;
    }
    for (const { key, value } of puts) {
      if (!this.#rows.has(text(key))) this.#sorted = undefined;
      this.#rows.set(text(key), Uint8Array.from(value));
    }
    for (const key of deletes) if (this.#rows.delete(text(key))) this.#sorted = undefined;
    return true;
  }

  async purge(): Promise<void> {
    this.#need();
  }

  async verify(): Promise<KernelReport> {
    return { rows: this.#rows.size, problems: [] };
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #need(): void {
    if (this.#closed) throw new Error('the store is closed');
  }

  #select({ from, to, reverse, limit }: ScanOptions): [string, Uint8Array][] {
    this.#sorted ??= [...this.#rows.keys()].sort();
    const start = lowerBound(this.#sorted, text(from));
    const keys = this.#sorted.slice(start, Math.max(start, lowerBound(this.#sorted, text(to))));
    if (reverse) keys.reverse();
    return keys.slice(0, limit ?? keys.length).map((key) => [key, this.#rows.get(key)!]);
  }

  async *#yield(rows: [string, Uint8Array][], { keysOnly, signal }: ScanOptions): AsyncGenerator<Row> {
    checkAborted(signal);
    for (const [key, value] of rows) {
      checkAborted(signal);
      yield { key: bytes(key), value: keysOnly ? new Uint8Array(0) : Uint8Array.from(value) };
    }
  }
}

function lowerBound(keys: readonly string[], key: string): number {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keys[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function createMemoryStorage(deps: { sha: Sha256; clock: Clock; random: Random }): Storage {
  return createStorage({ ...deps, kernel: new MemoryKernel() });
}

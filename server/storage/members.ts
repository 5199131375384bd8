/** Per-member values: newest sync states, and budget counters. */
import { HashfedError } from '../../sdk/core/index.js';
import { ValueReader, ValueWriter } from './codec.js';
import { retry } from './deps.js';
import type { Kernel, Row } from './kernel.js';
import { KeyReader, keyOf, rangeOf } from './keys.js';
import { page } from './paging.js';
import type { BudgetStore, Page, PageOptions, StoredSyncState, SyncStateStore } from './types.js';

const stateKey = (origin: string, member: string): Uint8Array => keyOf('sync-state', origin, member);

function decodeState({ key, value }: Row): StoredSyncState {
  const at = new KeyReader(key);
  const r = new ValueReader(value, 'sync-state');
  const state = { origin: at.name(), member: at.name(), receivedMs: r.u64(), bytes: r.blob() };
  r.end();
  return state;
}

export class SyncStateRepository implements SyncStateStore {
  readonly #kernel: Kernel;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  async put({ member, origin, receivedMs, bytes }: StoredSyncState): Promise<void> {
    const key = stateKey(origin, member);
    const value = new ValueWriter().u64(receivedMs).blob(bytes).finish();
    await retry(async () => {
      const old = await this.#kernel.get(key);
      if (old && decodeState({ key, value: old }).receivedMs > receivedMs) return true;
      return (
        (await this.#kernel.transact({ checks: [{ key, value: old ?? null }], puts: [{ key, value }] })) ||
        undefined
      );
    });
  }

  async get(member: string, origin: string): Promise<StoredSyncState | undefined> {
    const key = stateKey(origin, member);
    const value = await this.#kernel.get(key);
    return value && decodeState({ key, value });
  }

  async drop(member: string, origin: string): Promise<void> {
    await this.#kernel.transact({ deletes: [stateKey(origin, member)] });
  }

  list(options: PageOptions & { readonly origin?: string } = {}): Promise<Page<StoredSyncState>> {
    const range =
      options.origin === undefined ? rangeOf('sync-state') : rangeOf('sync-state', options.origin);
    return page(this.#kernel, range, options, decodeState);
  }
}

export class BudgetRepository implements BudgetStore {
  readonly #kernel: Kernel;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  async spend(
    member: string,
    budget: string,
    window: number,
    amount: number,
    limit: number,
  ): Promise<number> {
    if (!Number.isSafeInteger(amount) || amount < 0)
      throw new HashfedError('MALFORMED', 'an amount is a count', { field: 'amount' });
    const key = keyOf('budget', member, budget, { u64: window });
    return retry(async () => {
      const old = await this.#kernel.get(key);
      const spent = (old ? readCount(old) : 0) + amount;
      if (spent > limit)
        throw new HashfedError('BUDGET_EXCEEDED', 'the budget of this window is spent', { field: budget });
      const deletes = old ? [] : await this.#older(member, budget, key);
      const puts = [{ key, value: new ValueWriter().u64(spent).finish() }];
      const done = await this.#kernel.transact({ checks: [{ key, value: old ?? null }], puts, deletes });
      return done ? limit - spent : undefined;
    });
  }

  async spent(member: string, budget: string, window: number): Promise<number> {
    const value = await this.#kernel.get(keyOf('budget', member, budget, { u64: window }));
    return value ? readCount(value) : 0;
  }

  async #older(member: string, budget: string, key: Uint8Array): Promise<Uint8Array[]> {
    const keys: Uint8Array[] = [];
    const range = { from: rangeOf('budget', member, budget).from, to: key, keysOnly: true };
    for await (const row of this.#kernel.scan(range)) keys.push(row.key);
    return keys;
  }
}

function readCount(value: Uint8Array): number {
  return new ValueReader(value, 'budget').u64();
}

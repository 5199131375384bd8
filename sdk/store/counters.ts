import { BodyReader, BodyWriter } from './body.js';
import type { WriteGate } from './gate.js';
import type { Ledger, Transaction } from './ledger.js';
import { COUNTER_FLUSH_MS, MAX_COUNTER_NAMES, MAX_DISTINCT } from './limits.js';
import type { Counters, CountsHandover, WindowCounts } from './types.js';

/** Handovers that were merged and whose file may still be there. */
const ABSORBED = 'ca!';

interface Pending {
  readonly counts: Map<string, number>;
  /** By set: keyed digests of its members. */
  readonly members: Map<string, Set<string>>;
}

/** Counts in memory, merged into the ledger within a second. */
export class LedgerCounters implements Counters {
  readonly #ledger: Ledger;
  readonly #gate: WriteGate;
  #pending = new Map<string, Pending>();
  #timer: NodeJS.Timeout | undefined;

  constructor(ledger: Ledger, gate: WriteGate) {
    this.#ledger = ledger;
    this.#gate = gate;
  }

  /** Never throws for a broken store: matching goes on, `flush` and `enqueue` say so. */
  add(window: string, name: string, n = 1): void {
    const { counts } = this.#open(window);
    if (counts.size >= MAX_COUNTER_NAMES && !counts.has(name)) return;
    counts.set(name, (counts.get(name) ?? 0) + n);
  }

  addDistinct(window: string, set: string, member: Uint8Array): void {
    const { members } = this.#open(window);
    let names = members.get(set);
    if (names === undefined) {
      names = new Set();
      members.set(set, names);
    }
    if (names.size < MAX_DISTINCT) names.add(this.#ledger.name('distinct', window, set, member));
  }

  async read(window: string): Promise<WindowCounts> {
    await this.flush();
    return await this.readIn(this.#ledger, window);
  }

  async windows(): Promise<string[]> {
    await this.flush();
    const found: string[] = [];
    for await (const [, value] of this.#ledger.entries('cw!')) found.push(decodeWindow(value).window);
    return found.sort();
  }

  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#pending.size > 0) await this.#ledger.commit((transaction) => this.flushIn(transaction));
    else this.#gate.check();
  }

  /** Part of another commit: what was counted until now joins it. */
  async flushIn(transaction: Transaction): Promise<void> {
    const pending = this.#pending;
    this.#pending = new Map();
    for (const [window, counted] of pending) await this.#merge(transaction, window, counted);
  }

  async readIn(from: Pick<Transaction, 'get'>, window: string): Promise<WindowCounts> {
    const value = await from.get(this.#windowKey(window));
    return value === undefined ? { window, counts: new Map(), distinct: new Map() } : decodeWindow(value);
  }

  /** Removes a window and its members. */
  async forgetIn(transaction: Transaction, window: string): Promise<void> {
    transaction.remove(this.#windowKey(window));
    const prefix = this.#memberPrefix(window);
    for await (const name of this.#ledger.names(prefix)) transaction.remove(prefix + name);
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    if (!this.#gate.failed) await this.flush();
  }

  /** Merges what a reader handed over as `name`, once however often it is called. */
  async absorb(name: string, handovers: readonly CountsHandover[]): Promise<void> {
    await this.#ledger.commit(async (transaction) => {
      if ((await transaction.get(ABSORBED + name)) !== undefined) return;
      for (const { window, counts, distinct } of handovers) {
        const named = [...distinct].map(
          ([set, all]) =>
            [set, new Set(all.map((one) => this.#ledger.name('distinct', window, set, one)))] as const,
        );
        await this.#merge(transaction, window, { counts: new Map(counts), members: new Map(named) });
      }
      transaction.mark(ABSORBED + name);
    });
  }

  /** Forgets the names of handovers whose file is gone. */
  async forgetAbsorbed(there: ReadonlySet<string>): Promise<void> {
    const gone: string[] = [];
    for await (const name of this.#ledger.names(ABSORBED)) if (!there.has(name)) gone.push(name);
    if (gone.length === 0) return;
    await this.#ledger.commit(async (transaction) => {
      for (const name of gone) transaction.remove(ABSORBED + name);
    });
  }

  async #merge(transaction: Transaction, window: string, counted: Pending): Promise<void> {
    const kept = await this.readIn(transaction, window);
    const counts = new Map(kept.counts);
    const distinct = new Map(kept.distinct);
    for (const [name, n] of counted.counts) counts.set(name, (counts.get(name) ?? 0) + n);
    for (const [set, members] of counted.members) {
      let added = 0;
      for (const member of members) {
        const key = this.#memberPrefix(window) + member;
        if ((await transaction.get(key)) !== undefined) continue;
        transaction.mark(key);
        added += 1;
      }
      distinct.set(set, (distinct.get(set) ?? 0) + added);
    }
    transaction.put(this.#windowKey(window), encodeWindow({ window, counts, distinct }));
  }

  #open(window: string): Pending {
    let pending = this.#pending.get(window);
    if (pending === undefined) {
      pending = { counts: new Map(), members: new Map() };
      this.#pending.set(window, pending);
    }
    if (this.#timer === undefined) {
      this.#timer = setTimeout(() => void this.flush().catch(() => {}), COUNTER_FLUSH_MS);
      this.#timer.unref();
    }
    return pending;
  }

  #windowKey = (window: string) => `cw!${this.#ledger.name('window', window)}`;
  #memberPrefix = (window: string) => `cm!${this.#ledger.name('window', window)}!`;
}

function encodeWindow({ window, counts, distinct }: WindowCounts): Uint8Array {
  const body = new BodyWriter().text(window);
  for (const map of [counts, distinct]) {
    body.u32(map.size);
    for (const [name, n] of map) body.text(name).u64(n);
  }
  return body.finish();
}

function decodeWindow(value: Uint8Array): WindowCounts {
  const reader = new BodyReader(value, 'counters');
  const window = reader.text();
  const take = () => {
    const map = new Map<string, number>();
    for (let left = reader.u32(); left > 0; left--) map.set(reader.text(), reader.u64());
    return map;
  };
  const [counts, distinct] = [take(), take()];
  reader.end();
  return { window, counts, distinct };
}

import { HashfedError } from '../core/index.js';
import { COUNTER_HANDOVER_MS, MAX_COUNTER_NAMES, MAX_DISTINCT } from './limits.js';
import type { Counters, CountsHandover, Inbox } from './types.js';

interface Pending {
  readonly counts: Map<string, number>;
  /** By set, then by hexadecimal digits: the same member once. */
  readonly distinct: Map<string, Map<string, Uint8Array>>;
}

const refuse = (): never => {
  throw new HashfedError('STORAGE_FAILED', 'the store is open for reading only: its writer holds the counts');
};

/** Counts of a reader: gathered in memory, left in the inbox, merged by the writer. */
export class HandoverCounters implements Counters {
  readonly #inbox: Pick<Inbox, 'putCounts'>;
  #pending = new Map<string, Pending>();
  #timer: NodeJS.Timeout | undefined;

  constructor(inbox: Pick<Inbox, 'putCounts'>) {
    this.#inbox = inbox;
  }

  add(window: string, name: string, n = 1): void {
    const { counts } = this.#open(window);
    if (counts.size >= MAX_COUNTER_NAMES && !counts.has(name)) return;
    counts.set(name, (counts.get(name) ?? 0) + n);
  }

  addDistinct(window: string, set: string, member: Uint8Array): void {
    const { distinct } = this.#open(window);
    const members = distinct.get(set) ?? new Map<string, Uint8Array>();
    distinct.set(set, members);
    if (members.size < MAX_DISTINCT) members.set(Buffer.from(member).toString('hex'), member.slice());
  }

  read = async () => refuse();
  windows = async () => refuse();

  /** Durable when it resolves. What could not be left is kept for the next time. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#pending.size === 0) return;
    const handed = this.#pending;
    this.#pending = new Map();
    try {
      await this.#inbox.putCounts([...handed].map(toHandover));
    } catch (error) {
      this.#takeBack(handed);
      throw error;
    }
  }

  #takeBack(handed: ReadonlyMap<string, Pending>): void {
    for (const [window, { counts, distinct }] of handed) {
      for (const [name, n] of counts) this.add(window, name, n);
      for (const [set, members] of distinct)
        for (const member of members.values()) this.addDistinct(window, set, member);
    }
  }

  #open(window: string): Pending {
    let pending = this.#pending.get(window);
    if (pending === undefined) {
      pending = { counts: new Map(), distinct: new Map() };
      this.#pending.set(window, pending);
    }
    if (this.#timer === undefined) {
      this.#timer = setTimeout(() => void this.flush().catch(() => {}), COUNTER_HANDOVER_MS);
      this.#timer.unref();
    }
    return pending;
  }
}

function toHandover([window, { counts, distinct }]: readonly [string, Pending]): CountsHandover {
  const members = [...distinct].map(([set, named]) => [set, [...named.values()]] as const);
  return { window, counts, distinct: new Map(members) };
}

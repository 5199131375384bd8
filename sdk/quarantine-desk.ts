import { resolve } from 'node:path';
import { fromHex, HashfedError } from './core/index.js';
import { objectsOf } from './quarantine.js';
import type { JournalEntry, JournalState, Store } from './store/index.js';
import type { TelemetryDesk } from './telemetry-desk.js';

/** Journal entries read at once. */
const PAGE = 1_000;

/** What was held or blocked here, for the process that holds the store: a service answers its own desk with this. */
export class QuarantineDesk {
  readonly #store: Store;
  readonly #telemetry: TelemetryDesk | undefined;
  readonly #nowMs: () => number;

  constructor(store: Store, telemetry: TelemetryDesk | undefined, nowMs: () => number) {
    this.#store = store;
    this.#telemetry = telemetry;
    this.#nowMs = nowMs;
  }

  /** Every entry in a state; what other processes found meanwhile is taken in first. */
  async *entries(state: JournalState): AsyncGenerator<JournalEntry> {
    await this.#store.inbox.absorb();
    for (let after: string | undefined; ; ) {
      const options = { limit: PAGE, ...(after !== undefined && { after }) };
      const page = await this.#store.journal.byState(state, options);
      yield* page;
      if (page.length < PAGE) return;
      after = page.at(-1)!.id;
    }
  }

  /**
   * Every entry of an object (its reference, or a path relative to the working folder), of an item (`item:` and its
   * id), or of the object that an entry id names. Throws NOT_FOUND.
   */
  async find(what: string): Promise<JournalEntry[]> {
    await this.#store.inbox.absorb();
    const { journal } = this.#store;
    const item = /^item:([0-9a-f]{32})$/.exec(what)?.[1];
    const entry = /^[0-9a-f]{32}$/.test(what) ? await journal.get(what) : undefined;
    const found =
      item !== undefined
        ? await journal.byItem(fromHex(item))
        : entry !== undefined
          ? await journal.byRef(entry.ref)
          : await this.#byName(what);
    if (found.length === 0)
      throw new HashfedError(
        'NOT_FOUND',
        `the journal knows nothing of ${what}; see hashfed quarantine list`,
      );
    return found;
  }

  /** As it was named when it was checked; a path may be given relative. */
  async #byName(what: string): Promise<JournalEntry[]> {
    const exact = await this.#store.journal.byRef(what);
    return exact.length > 0 ? exact : this.#store.journal.byRef(resolve(what));
  }

  /**
   * Undoes what `find` finds, whatever it was held for. `released`: the entries that were moved; `free`: those of
   * objects that nothing else keeps in quarantine, which may be shown again.
   */
  async release(
    what: string,
    reason: string,
  ): Promise<{ readonly released: readonly JournalEntry[]; readonly free: readonly JournalEntry[] }> {
    const ids = (await this.find(what)).map(({ id }) => id);
    const released = await this.#store.journal.move(ids, 'released', reason);
    const free = await objectsOf(this.#store, released);
    this.#telemetry?.otherReleased(free, this.#nowMs());
    return { released, free };
  }
}

import type { EventEmitter } from 'node:events';
import type { Generations } from './generations.js';
import type { HashfedEvents, HashfedParts } from './hashfed-types.js';
import type { MatchingList } from './matching-list.js';
import { releaseOrphans, releaseWhere, releaseWithdrawn } from './quarantine.js';
import type { JournalEntry } from './store/index.js';
import type { Changes } from './sync/index.js';

type Counted = Required<Pick<HashfedParts, 'counting'>> & Pick<HashfedParts, 'deps'>;

/** Lets go of objects that nothing keeps quarantined any more: counts them and tells the integrator. */
export class Releaser {
  readonly #parts: Counted;
  readonly #lists: readonly MatchingList[];
  readonly #events: EventEmitter<HashfedEvents>;
  readonly #generations: Generations;
  /** Quarantined objects were looked through since the store was opened. */
  #reconciled = false;

  constructor(
    parts: Counted,
    lists: readonly MatchingList[],
    generations: Generations,
    events: EventEmitter<HashfedEvents>,
  ) {
    this.#generations = generations;
    this.#parts = parts;
    this.#lists = lists;
    this.#events = events;
  }

  /** After an update was applied: what its withdrawals caused, and once what earlier ones left. Answers how many. */
  async after(changes: Changes): Promise<number> {
    const { store } = this.#parts.deps;
    if (store.readOnly) return 0;
    const absorbed = await store.inbox.absorb();
    const released = this.#announce(await releaseWithdrawn(store, changes));
    if (this.#reconciled && absorbed === 0) return released.length;
    const orphans = await this.orphans();
    this.#reconciled = true;
    return released.length + orphans.length;
  }

  /** What no live record stands behind. */
  async orphans(): Promise<JournalEntry[]> {
    await Promise.all(this.#lists.map((list) => list.ready()));
    return this.#announce(
      await releaseOrphans(this.#parts.deps.store, this.#lists, (origin) =>
        this.#generations.isClosed(origin),
      ),
    );
  }

  /** What `applies` covers; `cause` is kept with the entries. */
  async where(applies: (entry: JournalEntry) => boolean, cause: string): Promise<JournalEntry[]> {
    const { store } = this.#parts.deps;
    return store.readOnly ? [] : this.#announce(await releaseWhere(store, applies, cause));
  }

  #announce(released: JournalEntry[]): JournalEntry[] {
    if (released.length === 0) return released;
    this.#parts.counting.released(released, this.#parts.deps.clock.nowMs());
    this.#events.emit('release', released);
    return released;
  }
}

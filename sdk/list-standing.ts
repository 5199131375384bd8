import { HashfedError } from './core/index.js';
import type { ListInfo, ListPurpose } from './match/index.js';
import {
  currencyOf,
  isSameMoment,
  type ListCurrency,
  type ListReplica,
  type Moment,
  type RootBook,
  type SyncDeps,
} from './sync/index.js';

/** What a list's information was made of: the same again gives the same. */
interface KnownInfo {
  readonly moment: Moment;
  readonly root: unknown;
  readonly held: unknown;
  readonly info: ListInfo;
}

/** How one list stands, for verdicts: made anew only where something it rests on changed. */
export class ListStanding {
  readonly #replica: ListReplica;
  readonly #purpose: ListPurpose;
  readonly #firstSyncMs: () => number | undefined;
  #known: KnownInfo | undefined;

  constructor(replica: ListReplica, purpose: ListPurpose, firstSyncMs: () => number | undefined) {
    this.#replica = replica;
    this.#purpose = purpose;
    this.#firstSyncMs = firstSyncMs;
  }

  at(deps: SyncDeps, book: RootBook, moment: Moment): ListInfo {
    const { held, size, damage, origin } = this.#replica;
    if (size === 0) {
      // Nothing can be said of what a damaged list would have matched.
      const state = damage === undefined ? 'EMPTY' : 'EXPIRED';
      return { origin: origin.text, purpose: this.#purpose, size: 0, state };
    }
    const root = rootOf(book, origin.text);
    const known = this.#known;
    const same = known !== undefined && known.held === held && known.root === root;
    if (same && isSameMoment(known.moment, moment)) return known.info;
    const info = this.#inform(deps, book);
    this.#known = { moment, root, held: this.#replica.held, info };
    return info;
  }

  #inform(deps: SyncDeps, book: RootBook): ListInfo {
    const { size, origin } = this.#replica;
    const { state, lastFreshMs } = this.#currency(deps, book);
    const firstSyncMs = this.#firstSyncMs();
    return {
      origin: origin.text,
      purpose: this.#purpose,
      size,
      state,
      ...(lastFreshMs !== undefined && { lastFreshMs }),
      ...(firstSyncMs !== undefined && { firstSyncMs }),
    };
  }

  /**
   * A list that its publisher closed or dropped, or that two trusted publishers name, is matched on as expired: what
   * one publisher's root says must not end the matching of every other list.
   */
  #currency(deps: SyncDeps, book: RootBook): Pick<ListCurrency, 'state' | 'lastFreshMs'> {
    try {
      return currencyOf(deps, book, this.#replica);
    } catch (error) {
      if (!(error instanceof HashfedError)) throw error;
      const last = Math.max(this.#replica.held?.lastFreshMs ?? 0, this.#known?.info.lastFreshMs ?? 0);
      return { state: 'EXPIRED', lastFreshMs: last === 0 ? undefined : last };
    }
  }
}

/** The root that speaks for the list; undefined where none does, or two do. */
function rootOf(book: RootBook, origin: string): unknown {
  try {
    return book.of(origin);
  } catch (error) {
    if (error instanceof HashfedError) return undefined;
    throw error;
  }
}

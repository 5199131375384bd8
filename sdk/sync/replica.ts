import {
  type CompactRange,
  emptyRoot,
  HashfedError,
  type ListState,
  type Origin,
  type PublisherRoot,
  parseOrigin,
  type Suite,
  verifyFreshness,
  verifyLiveness,
} from '../core/index.js';
import type { ListStore, Store } from '../store/index.js';
import { arrivedMs, type Held, type Stated } from './held.js';
import { emptyContent, readContent, salvagedHeld, unfit } from './stored-content.js';

const NONE = new Uint8Array();

/** The parts that move together. */
export interface Content {
  readonly state: ListState;
  readonly tree: CompactRange;
  readonly held: Held | undefined;
}

/** What the disk no longer gives back, and the state that it is known to have held. */
export interface Damage {
  readonly error: HashfedError;
  readonly held: Held | undefined;
}

/**
 * One list as it was verified and committed here: the resident set, the tree's right edge, notes and statements. Used
 * alike by hosters, publishers' workstations, mirrors and auditors. Only `syncList` moves it; anybody may read it
 * between.
 */
export class ListReplica {
  readonly origin: Origin;
  readonly list: ListStore;
  readonly #suite: Suite;
  #content: Content;
  #root: PublisherRoot | undefined;
  /** Entries in deltas over the base. */
  pending = 0;
  /** The store and memory may differ: nothing goes on before the list was read anew. */
  #broken = false;
  #damage: Damage | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(origin: Origin, list: ListStore, suite: Suite) {
    this.origin = origin;
    this.list = list;
    this.#suite = suite;
    this.#content = emptyContent(origin, suite.sha256);
  }

  /**
   * What the store holds, checked: every byte authenticated, records by count and set digest, deltas replayed, the
   * tree's edge by the note's root. What does not fit together is `damage`: the list holds nothing until it is synced.
   */
  static async open(store: Pick<Store, 'list'>, suite: Suite, origin: string): Promise<ListReplica> {
    const replica = new ListReplica(parseOrigin(origin), store.list(origin), suite);
    await replica.recover();
    return replica;
  }

  get state(): ListState {
    return this.#content.state;
  }

  get tree(): CompactRange {
    return this.#content.tree;
  }

  get held(): Held | undefined {
    return this.#content.held;
  }

  /** Committed size, entries. */
  get size(): number {
    return this.held?.checkpoint.size ?? 0;
  }

  /** Root of that size, 32 bytes. */
  get root(): Uint8Array {
    return this.held?.checkpoint.root ?? emptyRoot(this.#suite.sha256);
  }

  /** The note held, verbatim; empty before the first sync. */
  get checkpoint(): Uint8Array {
    return this.held?.checkpoint.note ?? NONE;
  }

  /** The note of the anchor held, verbatim; empty before the first sync. */
  get anchor(): Uint8Array {
    return this.held?.anchor.note ?? NONE;
  }

  get broken(): boolean {
    return this.#broken;
  }

  /** What is stored cannot be used: the next sync writes it anew. */
  get damage(): Damage | undefined {
    return this.#damage;
  }

  /** The records are gone from memory too. */
  get lost(): boolean {
    return this.#damage !== undefined && this.held === undefined;
  }

  /** The newest state that was held: nothing older is accepted, even where its records are lost. */
  get floor(): Held | undefined {
    return this.held ?? this.#damage?.held;
  }

  /** The publisher root that statements were verified under. */
  get publisherRoot(): PublisherRoot | undefined {
    return this.#root;
  }

  /** Statements held are verified again under it; what no longer verifies is dropped. */
  useRoot(root: PublisherRoot): void {
    if (this.#root === root) return;
    this.#root = root;
    const { held } = this.#content;
    if (held !== undefined) this.#content = { ...this.#content, held: this.#verified(held, root) };
    const floor = this.#damage?.held;
    if (floor !== undefined) this.#damage = { ...this.#damage!, held: this.#verified(floor, root) };
  }

  #verified(held: Held, root: PublisherRoot): Held {
    const origin = this.origin.text;
    // They were accepted once: one that lies in the future now shows as CLOCK when the list is judged.
    const late = Number.MAX_SAFE_INTEGER;
    const freshness = keepValid(held.freshness, (one) =>
      verifyFreshness(this.#suite, root, origin, one, late),
    );
    const liveness = keepValid(held.liveness, (one) => verifyLiveness(this.#suite, root, origin, one, late));
    return { ...held, freshness, liveness };
  }

  /** When a record was committed here, if after the first sync, Unix milliseconds. */
  arrivedMs(addIndex: number): number | undefined {
    return arrivedMs(this.held?.arrivals ?? [], addIndex);
  }

  /** When the first sync was committed, Unix milliseconds. */
  get firstSyncMs(): number | undefined {
    return this.held?.arrivals[0]?.ms;
  }

  /** When the newest commit was, Unix milliseconds. */
  get appliedMs(): number | undefined {
    return this.held?.arrivals.at(-1)?.ms;
  }

  /** One at a time: syncs of one list never overlap. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work, work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  /** For the sync alone: what was committed is now the list. */
  settle(content: Content & { held: Held }): void {
    this.#content = content;
    this.#broken = false;
    this.#damage = undefined;
    content.state.forgetBelow(content.held.anchor.size);
  }

  /** Reads the stored list, at first or after a failed write. */
  async reload(): Promise<void> {
    this.#broken = true;
    const loaded = await this.list.load();
    try {
      this.pending = loaded?.pending.entries ?? 0;
      const empty = () => emptyContent(this.origin, this.#suite.sha256);
      this.#content = loaded === undefined ? empty() : await readContent(this.origin, this.#suite, loaded);
    } catch (cause) {
      throw unfit(this.origin, cause);
    } finally {
      await loaded?.close();
    }
    this.#damage = undefined;
    this.#useRootAgain();
    this.#broken = false;
  }

  /** As `reload`; damage is noted for the next sync, and what memory holds stays in force. */
  async recover(): Promise<void> {
    try {
      await this.reload();
    } catch (error) {
      if (!(error instanceof HashfedError) || error.code !== 'STORAGE_FAILED') throw error;
      this.#damage = { error, held: await salvagedHeld(this.list) };
      this.#useRootAgain();
    }
  }

  #useRootAgain(): void {
    const root = this.#root;
    this.#root = undefined;
    if (root !== undefined) this.useRoot(root);
  }
}

function keepValid<T>(
  stated: Stated<T> | undefined,
  verify: (envelope: Uint8Array) => T,
): Stated<T> | undefined {
  if (stated === undefined) return undefined;
  try {
    return { ...stated, statement: verify(stated.envelope) };
  } catch (error) {
    if (error instanceof HashfedError) return undefined;
    throw error;
  }
}

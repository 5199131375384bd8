import {
  type CompactRange,
  emptyRoot,
  HashfedError,
  type ListState,
  type Origin,
  type PublisherRoot,
  parseOrigin,
  type StateHead,
  type Suite,
  Turns,
} from '../core/index.js';
import type { ListStore, Store } from '../store/index.js';
import { arrivedMs, type Held, verifiedUnder } from './held.js';
import { type Opening, openingOf, readAll, type ShowRows } from './opening.js';
import { type Content, type Damage, emptyContent, salvagedHeld } from './stored-content.js';
import type { Changes } from './types.js';

const NONE = new Uint8Array();

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
  #opening: Opening | undefined;
  #reading: Promise<Changes | undefined> | undefined;
  readonly #turns = new Turns();

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
    const replica = await ListReplica.begin(store, suite, origin);
    await replica.ready();
    return replica;
  }

  /** As `open`, but only the head is read: notes and statements are there, records come with `ready`. */
  static async begin(store: Pick<Store, 'list'>, suite: Suite, origin: string): Promise<ListReplica> {
    const replica = new ListReplica(parseOrigin(origin), store.list(origin), suite);
    await replica.#noting(() => replica.#begin());
    return replica;
  }

  /** What there is to read yet; undefined once the records are there. */
  get opening(): Opening | undefined {
    return this.#opening;
  }

  /**
   * Until the records are in memory, or known to be damaged. Answers what the deltas did to the records of the base, for
   * an index over those, which are shown to the first who asks; undefined where there was nothing to read. Throws
   * `CANCELLED`, `UPGRADE_REQUIRED`.
   */
  ready(show?: ShowRows): Promise<Changes | undefined> {
    this.#reading ??= this.#read(show);
    return this.#reading;
  }

  get state(): ListState {
    this.#checkReady();
    return this.#content.state;
  }

  get tree(): CompactRange {
    this.#checkReady();
    return this.#content.tree;
  }

  /** What the records were sealed with, before they are read too. */
  get head(): StateHead {
    return this.#opening?.head ?? this.#content.state.head;
  }

  #checkReady(): void {
    if (this.#opening !== undefined)
      throw new HashfedError('INTERNAL', 'the records are not read yet: wait for ready()');
  }

  get held(): Held | undefined {
    return this.#content.held;
  }

  /** Committed size, entries. */
  get size(): number {
    return this.held?.checkpoint.size ?? 0;
  }

  /** Its root, 32 bytes. */
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
    return verifiedUnder(this.#suite, root, this.origin.text, held);
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
    return this.#turns.run(work);
  }

  /** For the sync alone: what was committed is now the list. */
  settle(content: Content & { held: Held }): void {
    this.#content = content;
    this.#broken = false;
    this.#damage = undefined;
    content.state.forgetBelow(content.held.anchor.size);
  }

  /** Reads the stored list anew, after a failed write: what memory holds stays in force meanwhile. */
  async reload(): Promise<void> {
    this.#broken = true;
    const opening = await this.#load();
    if (opening !== undefined) this.#settle((await readAll(this.origin, opening)).content);
  }

  /** As `reload`; damage is noted for the next sync. */
  recover(): Promise<void> {
    return this.#noting(() => this.reload());
  }

  /** What is stored cannot be used, or not all of it: the next sync writes it anew. */
  async noteDamage(error: HashfedError): Promise<void> {
    this.#damage = { error, held: await salvagedHeld(this.list) };
    this.#useRootAgain();
  }

  async #noting(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof HashfedError) || error.code !== 'STORAGE_FAILED') throw error;
      this.#broken = true;
      await this.noteDamage(error);
    }
  }

  /** The head that is stored; where there is none, the list is empty. */
  async #load(): Promise<Opening | undefined> {
    const loaded = await this.list.load();
    this.pending = loaded?.pending.entries ?? 0;
    if (loaded !== undefined) return openingOf(this.origin, this.#suite, loaded);
    this.#settle(emptyContent(this.origin, this.#suite.sha256));
    return undefined;
  }

  async #begin(): Promise<void> {
    this.#opening = await this.#load();
    if (this.#opening !== undefined) this.#content = { ...this.#content, held: this.#opening.held };
  }

  async #read(show?: ShowRows): Promise<Changes | undefined> {
    const opening = this.#opening;
    if (opening === undefined) return undefined;
    let changes: Changes | undefined;
    await this.#noting(async () => {
      try {
        const read = await readAll(this.origin, opening, show);
        this.#settle(read.content);
        changes = read.changes;
      } catch (cause) {
        if (!opening.cancelled) this.#content = emptyContent(this.origin, this.#suite.sha256);
        throw cause;
      } finally {
        if (!opening.cancelled) this.#opening = undefined;
      }
    });
    return changes;
  }

  #settle(content: Content): void {
    this.#content = content;
    this.#damage = undefined;
    this.#broken = false;
    this.#useRootAgain();
  }

  #useRootAgain(): void {
    const root = this.#root;
    this.#root = undefined;
    if (root !== undefined) this.useRoot(root);
  }
}

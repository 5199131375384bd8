import { judgeHashes, type Matcher } from './check.js';
import { malformed } from './core/index.js';
import type { Counting } from './counting.js';
import type { CheckOptions, HashfedParts } from './hashfed-types.js';
import { breakerTrips, type Policy, type Verdict } from './match/index.js';
import type { MatchingList } from './matching-list.js';
import type { ObjectHashes } from './pipeline/index.js';
import { entriesFor, journal } from './quarantine.js';
import type { Releaser } from './releaser.js';
import type { NewJournalEntry } from './store/index.js';
import type { Uploaders } from './uploaders.js';

type Asked = Pick<ObjectHashes, 'hashes' | 'perceptual'>;

export interface JudgeParts extends Pick<HashfedParts, 'deps' | 'book' | 'photodna'> {
  readonly lists: readonly MatchingList[];
  readonly counting: Counting;
  readonly releaser: Releaser;
  readonly uploaders: Uploaders;
}

/** From hashes to a verdict, and what follows from it: the journal, the counts, the breaker. */
export class Judge {
  readonly #parts: JudgeParts;
  /** The policy in force, local suppressions included. */
  policy: Policy;

  constructor(parts: JudgeParts, policy: Policy) {
    this.#parts = parts;
    this.policy = policy;
  }

  /** The verdict alone; nothing is journaled or counted. */
  async ask(object: Asked, policy = this.policy): Promise<Verdict> {
    await this.#records(object, policy);
    return judgeHashes({ ...this.#matcher(), policy }, object.hashes, object.perceptual);
  }

  /** A match needs the records of every list: what they say of the same item counts too. */
  async #records(object: Asked, policy = this.policy): Promise<void> {
    const { lists } = this.#parts;
    if (!lists.some((list) => list.opening)) return;
    if (lists.some((list) => list.waitsFor(object.hashes)) || this.#resembles(object, policy))
      await Promise.all(lists.map((list) => list.ready()));
  }

  #resembles({ perceptual }: Asked, policy: Policy): boolean {
    if (perceptual === undefined) return false;
    const { lists, photodna } = this.#parts;
    const alike = (list: MatchingList) =>
      list.perceptual?.search(perceptual, policy.perceptual, photodna?.comparator) ?? [];
    return lists.some((list) => alike(list).length > 0);
  }

  /** Journals before it answers. Throws `MALFORMED` for an object of another size than was announced. */
  async judge(object: ObjectHashes, of: CheckOptions): Promise<Verdict> {
    const { bytes } = object;
    if (of.bytes !== undefined && of.bytes !== bytes)
      malformed('bytes', `the object has ${bytes}, not the ${of.bytes} that were announced`);
    const { counting, deps, uploaders } = this.#parts;
    await this.#records(object);
    const nowMs = deps.clock.nowMs();
    const verdict = await this.#settle(object, of, nowMs);
    counting.object({ verdict, bytes, nowMs, ...(of.received === true && { received: true }) });
    await uploaders.save(deps.clock.monotonicMs());
    return verdict;
  }

  /**
   * An update may withdraw an entry, or a next generation take over, while the journal is being written: the release
   * that went with it could not see what was written, so the object is judged again by what is listed now.
   */
  async #settle(object: ObjectHashes, of: CheckOptions, nowMs: number): Promise<Verdict> {
    const { lists, deps, releaser } = this.#parts;
    for (;;) {
      const verdict = judgeHashes(this.#counted(of.uploader, nowMs), object.hashes, object.perceptual);
      const entries = entriesFor(verdict, of.ref, lists, nowMs);
      await journal(deps.store, entries);
      if (!entries.some((entry) => this.#isGone(entry))) return verdict;
      await journal(deps.store, entriesFor(await this.ask(object), of.ref, lists, nowMs));
      await releaser.orphans();
    }
  }

  #isGone({ origin, addIndex }: Pick<NewJournalEntry, 'origin' | 'addIndex'>): boolean {
    const list = this.#parts.lists.find((one) => one.origin === origin);
    return list?.replica.state.rowByIndex(addIndex) === undefined;
  }

  /** Whoever brought the object counts towards the breaker. */
  #counted(uploader: string | undefined, nowMs: number): Matcher {
    const surges = (itemId: string) =>
      breakerTrips(this.#parts.uploaders.note(itemId, uploader, nowMs), this.policy);
    return { ...this.#matcher(), surges };
  }

  #matcher(): Matcher {
    const { deps, book, lists, photodna } = this.#parts;
    return { deps, book, policy: this.policy, lists, ...(photodna && { photodna: photodna.comparator }) };
  }
}

import { EventEmitter } from 'node:events';
import { type CheckInput, checkWhole, hashInput } from './check.js';
import { NO_COUNTING } from './counting.js';
import { Generations } from './generations.js';
import { EXACT_TYPES, type ExactHashes, type ExactType } from './hash/index.js';
import type { CheckOptions, HashfedEvents, HashfedParts, ListStatus, SyncSummary } from './hashfed-types.js';
import { imageOptions } from './image-options.js';
import { Judge } from './judge.js';
import { type FollowOptions, ListFollower } from './list-follower.js';
import { statusOf } from './list-status.js';
import type { Policy, Verdict } from './match/index.js';
import { MatchingList } from './matching-list.js';
import { type ObjectHashes, Pipeline, type PipelineOptions, type Wanted } from './pipeline/index.js';
import { QuarantineDesk } from './quarantine-desk.js';
import { Releaser } from './releaser.js';
import { lookupRemote, type RemoteOptions } from './remote.js';
import type { JournalEntry, Store } from './store/index.js';
import {
  isSuppressed,
  readSuppressions,
  type Suppressions,
  withSuppressions,
  writeSuppressions,
} from './suppress.js';
import { damageAlarm, ListReplica, type RootBook, type SyncDeps } from './sync/index.js';
import type { TelemetryDesk } from './telemetry-desk.js';
import { Uploaders } from './uploaders.js';

/** A hoster's view of the federation: verified lists on its own disk, matched in memory. Made by `open`. */
export class Hashfed extends EventEmitter<HashfedEvents> {
  readonly #parts: HashfedParts;
  readonly #lists: MatchingList[];
  readonly #judge: Judge;
  readonly #releaser: Releaser;
  readonly #uploaders: Uploaders;
  readonly #follower: ListFollower;
  #pipeline: Pipeline | undefined;
  #suppressed: Suppressions;

  private constructor(
    parts: HashfedParts,
    lists: MatchingList[],
    generations: Generations,
    suppressed: Suppressions,
    uploaders: Uploaders,
  ) {
    super();
    this.#parts = parts;
    this.#lists = lists;
    this.#uploaders = uploaders;
    this.#suppressed = suppressed;
    const counting = parts.counting ?? parts.telemetry?.counting ?? NO_COUNTING;
    this.#releaser = new Releaser({ deps: parts.deps, counting }, lists, generations, this);
    const judging = { ...parts, lists, counting, releaser: this.#releaser, uploaders };
    this.#judge = new Judge(judging, withSuppressions(parts.policy, suppressed));
    this.#follower = new ListFollower(parts, lists, generations, this.#releaser, this);
  }

  /** Loads and checks every configured list. */
  static async load(parts: HashfedParts, restore: (replica: ListReplica) => void): Promise<Hashfed> {
    const lists: MatchingList[] = [];
    const generations = await Generations.open(parts.deps.store);
    await generations.dropClosed();
    for (const { origin: configured, purpose } of parts.lists) {
      const { origin, sinceMs } = generations.current(configured);
      if (lists.some((list) => list.origin === origin)) continue;
      const replica = await ListReplica.begin(parts.deps.store, parts.deps.suite, origin);
      restore(replica);
      lists.push(await MatchingList.open(replica, purpose, sinceMs));
    }
    const { store, random } = parts.deps;
    const suppressed = await readSuppressions(store);
    const uploaders = await Uploaders.open(store, random);
    const hashfed = new Hashfed(parts, lists, generations, suppressed, uploaders);
    // Whoever opened it can listen by then.
    for (const list of lists) setImmediate(() => hashfed.#verify(list));
    return hashfed;
  }

  async #verify(list: MatchingList): Promise<void> {
    const { origin, replica } = list;
    await list.verified().catch((error: unknown) => this.emit('failed', { origin, error }));
    if (replica.damage !== undefined) this.emit('alarm', { ...damageAlarm(replica.damage), origin });
  }

  /**
   * Until the records of every list were checked against their set digest. Checks need not wait for it: what is read is
   * authenticated, and a list whose records turn out damaged goes out of service with an `alarm`.
   */
  async verified(): Promise<void> {
    for (const list of this.#lists) await list.verified();
  }

  /** Until the records of every list are in memory: the first match has not to wait for them then. Throws CANCELLED. */
  async ready(): Promise<void> {
    await Promise.all(this.#lists.map((list) => list.ready()));
  }

  get store(): Store {
    return this.#parts.deps.store;
  }

  /** Counts on their way to the monitor; undefined where the integrator counts by itself. */
  get telemetry(): TelemetryDesk | undefined {
    return this.#parts.telemetry;
  }

  /** What was held or blocked here: list, find, release. */
  get quarantine(): QuarantineDesk {
    const { clock } = this.#parts.deps;
    return new QuarantineDesk(this.store, this.telemetry, () => clock.nowMs());
  }

  /** The policy in force, local suppressions included. */
  get policy(): Policy {
    return this.#judge.policy;
  }

  /** What is suppressed locally, beside what the policy says. */
  get suppressions(): Suppressions {
    return this.#suppressed;
  }

  /** Replaces what is suppressed locally: acts at once, and releases what it covers. Answers the objects released. */
  async suppress(suppress: Suppressions): Promise<JournalEntry[]> {
    await this.ready();
    await writeSuppressions(this.store, suppress);
    this.#suppressed = suppress;
    this.#judge.policy = withSuppressions(this.#parts.policy, suppress);
    return this.#releaser.where(isSuppressed(this.#lists, suppress), 'suppressed');
  }

  /** The lists as they are matched; for tools that look deeper than verdicts, once they are `ready`. */
  get matching(): readonly MatchingList[] {
    return this.#lists;
  }

  get replicas(): readonly ListReplica[] {
    return this.#lists.map(({ replica }) => replica);
  }

  get deps(): SyncDeps {
    return this.#parts.deps;
  }

  get book(): RootBook {
    return this.#parts.book;
  }

  /**
   * Checks one object: hashes it, matches it, journals what is held or blocked, counts it. The verdict comes from local
   * lists alone. Throws MALFORMED for what cannot be read, CANCELLED.
   */
  async check(input: CheckInput, options: CheckOptions): Promise<Verdict> {
    return (await this.checkCounted(input, options)).verdict;
  }

  /** As `check`, and says how many bytes the object had. */
  async checkCounted(input: CheckInput, options: CheckOptions): Promise<{ verdict: Verdict; bytes: number }> {
    const { pdq, photodna } = this.wanted();
    if (pdq || photodna) {
      this.#pipeline ??= this.pipeline();
      return checkWhole(this.#pipeline, input, options);
    }
    const { hashes, bytes } = await hashInput(input, EXACT_TYPES, options.signal);
    return { verdict: await this.judgeObject({ hashes, bytes }, options), bytes };
  }

  /** Which perceptual values the lists held can be matched by. */
  wanted(): Wanted {
    const has = (type: string) =>
      this.#lists.some(({ perceptual }) => perceptual?.type === type && perceptual.size > 0);
    return { pdq: has('pdq'), photodna: this.#parts.photodna !== undefined && has('photodna') };
  }

  /**
   * Streams, files and many objects at once, with threads of its own: close it when done. Verdicts are journaled and
   * counted as those of `check` are, unless another judge is named.
   */
  pipeline(options: Partial<Omit<PipelineOptions, 'wanted' | 'photodna'>> = {}): Pipeline {
    const { photodna } = this.#parts;
    return new Pipeline({
      judge: (object, of) => this.judgeObject(object, of),
      ...options,
      image: imageOptions(this.policy, options.image),
      ...(photodna && { photodna: photodna.hasher }),
      wanted: () => this.wanted(),
    });
  }

  /** As `check`, for hashes that were computed elsewhere; `of` undefined asks without journaling or counting. */
  judge(hashes: ExactHashes, bytes: number, of: CheckOptions | undefined): Promise<Verdict> {
    return this.judgeObject({ hashes, bytes }, of);
  }

  /** As `judge`, with perceptual values. Throws `MALFORMED` for an object of another size than was announced. */
  async judgeObject(object: ObjectHashes, of: CheckOptions | undefined): Promise<Verdict> {
    return of === undefined ? this.#judge.ask(object) : this.#judge.judge(object, of);
  }

  /** The verdict that another policy would give now; nothing is journaled or counted. */
  tryPolicy(object: ObjectHashes, policy: Policy): Promise<Verdict> {
    return this.#judge.ask(object, policy);
  }

  /** Asks about one hash; nothing is journaled or counted. */
  checkHash(type: ExactType, hash: Uint8Array): Promise<Verdict> {
    return this.#judge.ask({ hashes: { [type]: hash } });
  }

  /** As `checkHash`, for many. */
  checkHashes(type: ExactType, hashes: readonly Uint8Array[]): Promise<Verdict[]> {
    return Promise.all(hashes.map((hash) => this.checkHash(type, hash)));
  }

  /**
   * Asks a server instead of the local lists: it learns the hashes, and what it answers is not proven. Nothing is
   * journaled or counted.
   */
  queryRemote(type: ExactType, hashes: readonly Uint8Array[], options?: RemoteOptions): Promise<Verdict[]> {
    return lookupRemote(this.#parts.deps, this.policy, type, hashes, options);
  }

  /** Brings every list up to date, verified; one list's failure does not keep the others back. */
  sync(options: FollowOptions = {}): Promise<SyncSummary> {
    return this.#follower.sync(options);
  }

  /** Follows every list until the signal aborts: updates are applied as soon as a source announces them. */
  watch(signal: AbortSignal): Promise<void> {
    this.#parts.telemetry?.sendsByItself();
    return this.#follower.watch(signal);
  }

  /** Tells a source what is applied here. Servers that do not answer change nothing locally. */
  report(signal?: AbortSignal, leaving = false): Promise<boolean> {
    return this.#follower.report(signal, leaving);
  }

  lists(): ListStatus[] {
    return this.#lists.map((list) => statusOf(this.#parts, list));
  }

  async close(): Promise<void> {
    await this.#follower.settled();
    await this.#pipeline?.close();
    for (const list of this.#lists) await list.cancel();
    // These numbers may be lost, and closing must not stop for them.
    await this.#uploaders.save(this.#parts.deps.clock.monotonicMs(), true).catch(() => undefined);
    await this.#parts.telemetry?.close();
    for (const { channel } of this.#parts.deps.sources) channel.close();
    await this.store.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

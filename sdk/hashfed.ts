import { EventEmitter } from 'node:events';
import { type CheckInput, hashInput, judgeHashes, type Matcher, notCheckable } from './check.js';
import { HashfedError, toHex } from './core/index.js';
import { type Counting, NO_COUNTING } from './counting.js';
import { EXACT_TYPES, type ExactHashes, type ExactType } from './hash/index.js';
import type { PhotoDnaComparator, Policy, Verdict } from './match/index.js';
import { MatchingList } from './matching-list.js';
import {
  type ObjectHashes,
  type PhotoDnaHasher,
  Pipeline,
  type PipelineOptions,
  type Wanted,
} from './pipeline/index.js';
import { entriesFor, journal, releaseOrphans, releaseWhere, releaseWithdrawn } from './quarantine.js';
import { lookupRemote, type RemoteOptions } from './remote.js';
import type { JournalEntry, Store } from './store/index.js';
import {
  isSuppressed,
  readSuppressions,
  type Suppressions,
  withSuppressions,
  writeSuppressions,
} from './suppress.js';
import {
  ListReplica,
  type RootBook,
  reportSyncState,
  type SyncAlarm,
  type SyncDeps,
  type SyncResult,
  syncList,
  watchOrigins,
} from './sync/index.js';
import type { TelemetryDesk } from './telemetry-desk.js';

export interface ListConfig {
  readonly origin: string;
  readonly purpose: MatchingList['purpose'];
}

export interface HashfedParts {
  readonly deps: SyncDeps;
  readonly book: RootBook;
  readonly lists: readonly ListConfig[];
  readonly policy: Policy;
  readonly sdkVersion: string;
  readonly counting?: Counting;
  readonly telemetry?: TelemetryDesk;
  readonly photodna?: PhotoDna;
}

/** A licensee's PhotoDNA: how values are made, and how two are compared. Nothing of it is in this package. */
export interface PhotoDna {
  readonly hasher: PhotoDnaHasher;
  readonly comparator: PhotoDnaComparator;
}

/** What one checked object is called, and who brought it. */
export interface CheckOptions {
  /** The hoster's own reference of the object: what the journal names when it is released. */
  readonly ref: string;
  /** Whoever uploaded it; kept as a keyed digest only, and never sent. */
  readonly uploader?: string;
  readonly signal?: AbortSignal;
}

/** One list as a person or a script reads it. */
export interface ListStatus {
  readonly origin: string;
  readonly purpose: string;
  readonly size: number;
  /** Live records. */
  readonly present: number;
  readonly batch_no: number;
  readonly checkpoint_root: string;
  readonly state: 'FRESH' | 'STALE' | 'EXPIRED' | 'EMPTY';
  readonly stale: boolean;
  /** Unix milliseconds; null: never. */
  readonly last_fresh_ms: number | null;
  readonly sealed_ms: number | null;
}

/** What one round of syncing did. */
export interface SyncSummary {
  readonly results: readonly (SyncResult & { readonly released: number })[];
  readonly failures: readonly { readonly origin: string; readonly error: unknown }[];
}

interface Events {
  /** Objects that nothing keeps quarantined any more. */
  release: [entries: readonly JournalEntry[]];
  /** One list was brought up to date. */
  synced: [result: SyncResult & { readonly released: number }];
  /** People should look: a hold, an anomaly, a source that withholds, a statement that was refused. */
  alarm: [alarm: SyncAlarm & { readonly origin: string }];
  /** A list could not be followed: the last good state stays in force. */
  failed: [failure: { readonly origin: string; readonly error: unknown }];
}

/** A hoster's view of the federation: verified lists on its own disk, matched in memory. Made by `open`. */
export class Hashfed extends EventEmitter<Events> {
  readonly #parts: HashfedParts;
  readonly #lists: MatchingList[];
  readonly #counting: Counting;
  #syncing: Promise<unknown> = Promise.resolve();
  #pipeline: Pipeline | undefined;
  #suppressed: Suppressions;
  #policy: Policy;
  /** Quarantined objects were looked through since the store was opened. */
  #reconciled = false;

  private constructor(parts: HashfedParts, lists: MatchingList[], suppressed: Suppressions) {
    super();
    this.#parts = parts;
    this.#lists = lists;
    this.#suppressed = suppressed;
    this.#policy = withSuppressions(parts.policy, suppressed);
    this.#counting = parts.counting ?? parts.telemetry?.counting ?? NO_COUNTING;
  }

  /** Loads and checks every configured list. */
  static async load(parts: HashfedParts, restore: (replica: ListReplica) => void): Promise<Hashfed> {
    const lists: MatchingList[] = [];
    for (const { origin, purpose } of parts.lists) {
      const replica = await ListReplica.open(parts.deps.store, parts.deps.suite, origin);
      restore(replica);
      lists.push(new MatchingList(replica, purpose));
    }
    return new Hashfed(parts, lists, await readSuppressions(parts.deps.store));
  }

  get store(): Store {
    return this.#parts.deps.store;
  }

  /** Counts on their way to the monitor; undefined where the integrator counts by itself. */
  get telemetry(): TelemetryDesk | undefined {
    return this.#parts.telemetry;
  }

  /** The policy in force, local suppressions included. */
  get policy(): Policy {
    return this.#policy;
  }

  /** What is suppressed locally, beside what the policy says. */
  get suppressions(): Suppressions {
    return this.#suppressed;
  }

  /** Replaces what is suppressed locally: acts at once, and releases what it covers. Answers the objects released. */
  async suppress(suppress: Suppressions): Promise<JournalEntry[]> {
    await writeSuppressions(this.store, suppress);
    this.#suppressed = suppress;
    this.#policy = withSuppressions(this.#parts.policy, suppress);
    if (this.store.readOnly) return [];
    const released = await releaseWhere(this.store, isSuppressed(this.#lists, suppress), 'suppressed');
    return this.#announce(released);
  }

  /** The lists as they are matched; for tools that look deeper than verdicts. */
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
    if (pdq || photodna) return this.#checkWhole(input, options);
    const { hashes, bytes } = await hashInput(input, EXACT_TYPES, options.signal);
    return { verdict: await this.judge(hashes, bytes, options.ref), bytes };
  }

  /** With perceptual values beside the exact ones. */
  async #checkWhole(input: CheckInput, options: CheckOptions): Promise<{ verdict: Verdict; bytes: number }> {
    this.#pipeline ??= this.pipeline();
    if (typeof input === 'string') {
      const outcome = await this.#pipeline.checkFile(input, options);
      if (outcome.status !== 'checked') throw notCheckable(outcome);
      return { verdict: outcome.verdict, bytes: outcome.object.bytes };
    }
    if (input instanceof Uint8Array) {
      const { verdict, object } = await this.#pipeline.checkBuffer(input, options);
      return { verdict, bytes: object.bytes };
    }
    const { verdict, object } = await this.#pipeline.checkIterable(input, options);
    return { verdict, bytes: object.bytes };
  }

  /** Which perceptual values the lists held can be matched by. */
  wanted(): Wanted {
    const has = (type: string) =>
      this.#lists.some(({ perceptual }) => perceptual?.type === type && perceptual.size > 0);
    return { pdq: has('pdq'), photodna: this.#parts.photodna !== undefined && has('photodna') };
  }

  /**
   * Streams, files and many objects at once, with threads of its own: close it when done. Verdicts are journaled and
   * counted as those of `check` are.
   */
  pipeline(options: Omit<PipelineOptions, 'judge' | 'wanted' | 'photodna'> = {}): Pipeline {
    const { photodna } = this.#parts;
    return new Pipeline({
      ...options,
      ...(photodna && { photodna: photodna.hasher }),
      judge: (object, { ref }) => this.judgeObject(object, ref),
      wanted: () => this.wanted(),
    });
  }

  /** As `check`, for hashes that were computed elsewhere; `ref` undefined asks without journaling or counting. */
  judge(hashes: ExactHashes, bytes: number, ref: string | undefined): Promise<Verdict> {
    return this.judgeObject({ hashes, bytes }, ref);
  }

  /** As `judge`, with perceptual values. */
  async judgeObject(object: ObjectHashes, ref: string | undefined): Promise<Verdict> {
    const verdict = judgeHashes(this.#matcher(), object.hashes, object.perceptual);
    if (ref === undefined) return verdict;
    const nowMs = this.#parts.deps.clock.nowMs();
    const entries = entriesFor(verdict, ref, this.#lists, nowMs);
    await journal(this.store, entries);
    if (entries.some((entry) => this.#isGone(entry))) await this.#releaseOrphans();
    this.#counting.object({ verdict, bytes: object.bytes, nowMs });
    return verdict;
  }

  /** Withdrawn while the journal was being written: the sync that released the others could not see this one. */
  #isGone({ origin, addIndex }: { origin: string; addIndex: number }): boolean {
    const list = this.#lists.find((one) => one.origin === origin);
    return list?.replica.state.rowByIndex(addIndex) === undefined;
  }

  /** The verdict that another policy would give now; nothing is journaled or counted. */
  tryPolicy(object: ObjectHashes, policy: Policy): Verdict {
    return judgeHashes({ ...this.#matcher(), policy }, object.hashes, object.perceptual);
  }

  /** Asks about one hash; nothing is journaled or counted. */
  checkHash(type: ExactType, hash: Uint8Array): Verdict {
    return judgeHashes(this.#matcher(), { [type]: hash });
  }

  /** As `checkHash`, for many. */
  checkHashes(type: ExactType, hashes: readonly Uint8Array[]): Verdict[] {
    const matcher = this.#matcher();
    return hashes.map((hash) => judgeHashes(matcher, { [type]: hash }));
  }

  /**
   * Asks a server instead of the local lists: it learns the hashes, and what it answers is not proven. Nothing is
   * journaled or counted.
   */
  queryRemote(type: ExactType, hashes: readonly Uint8Array[], options?: RemoteOptions): Promise<Verdict[]> {
    return lookupRemote(this.#parts.deps, this.#policy, type, hashes, options);
  }

  #matcher(): Matcher {
    const { deps, book, photodna } = this.#parts;
    return {
      deps,
      book,
      policy: this.#policy,
      lists: this.#lists,
      ...(photodna && { photodna: photodna.comparator }),
    };
  }

  /** Brings every list up to date, verified; one list's failure does not keep the others back. */
  async sync(
    options: {
      signal?: AbortSignal;
      onProgress?: (origin: string, done: number, total: number) => void;
    } = {},
  ): Promise<SyncSummary> {
    const summary = {
      results: [] as (SyncResult & { released: number })[],
      failures: [] as { origin: string; error: unknown }[],
    };
    for (const { origin } of this.#lists) {
      const outcome = await this.#syncOne(origin, options).catch((error: unknown) => ({ origin, error }));
      if ('error' in outcome) {
        summary.failures.push(outcome);
        this.emit('failed', outcome);
      } else summary.results.push(outcome);
    }
    await this.report(options.signal);
    return summary;
  }

  /** Follows every list until the signal aborts: updates are applied as soon as a source announces them. */
  async watch(signal: AbortSignal): Promise<void> {
    this.#parts.telemetry?.sendsByItself();
    const origins = this.#lists.map(({ origin }) => origin);
    for await (const moved of watchOrigins(this.#parts.deps, origins, signal)) {
      let applied = false;
      for (const origin of moved) {
        const outcome = await this.#syncOne(origin, { signal }).catch((error: unknown) => ({
          origin,
          error,
        }));
        if ('error' in outcome) this.emit('failed', outcome);
        else applied ||= outcome.size > outcome.from;
      }
      if (applied) await this.report(signal);
    }
  }

  #syncOne(
    origin: string,
    options: { signal?: AbortSignal; onProgress?: (origin: string, done: number, total: number) => void },
  ) {
    const run = async (): Promise<SyncResult & { released: number }> => {
      const list = this.#lists.find((one) => one.origin === origin)!;
      const { deps, book } = this.#parts;
      const { signal, onProgress } = options;
      const result = await syncList(deps, book, list.replica, {
        ...(signal && { signal }),
        ...(onProgress && { onProgress: (done: number, total: number) => onProgress(origin, done, total) }),
      });
      await list.apply(result.changes);
      const outcome = { ...result, released: await this.#release(result) };
      for (const alarm of result.alarms) this.emit('alarm', { ...alarm, origin });
      this.emit('synced', outcome);
      await list.tidy(signal);
      return outcome;
    };
    const turn = this.#syncing.then(run);
    this.#syncing = turn.catch(() => undefined);
    return turn;
  }

  async #release({ changes }: SyncResult): Promise<number> {
    if (this.store.readOnly) return 0;
    const absorbed = await this.store.inbox.absorb();
    const released = await this.#announce(await releaseWithdrawn(this.store, changes));
    if (this.#reconciled && absorbed === 0) return released.length;
    const orphans = await this.#releaseOrphans();
    this.#reconciled = true;
    return released.length + orphans.length;
  }

  async #releaseOrphans(): Promise<JournalEntry[]> {
    return this.#announce(await releaseOrphans(this.store, this.#lists));
  }

  #announce(released: JournalEntry[]): JournalEntry[] {
    if (released.length === 0) return released;
    this.#counting.released(released, this.#parts.deps.clock.nowMs());
    this.emit('release', released);
    return released;
  }

  /** Tells a source what is applied here. Servers that do not answer change nothing locally. */
  async report(signal?: AbortSignal, leaving = false): Promise<boolean> {
    const { deps, book, sdkVersion } = this.#parts;
    if (this.store.readOnly) return false;
    const instanceId = await this.#instanceId();
    const options = { sdkVersion, instanceId, leaving, ...(signal && { signal }) };
    for (const source of deps.sources) {
      try {
        await reportSyncState(deps, book, this.replicas, source, options);
        return true;
      } catch (error) {
        if (!(error instanceof HashfedError)) throw error;
      }
    }
    return false;
  }

  async #instanceId(): Promise<Uint8Array> {
    const held = await this.store.settings.get('instance-id');
    if (held !== undefined) return held;
    const made = this.#parts.deps.random.bytes(16);
    await this.store.settings.put('instance-id', made);
    return made;
  }

  lists(): ListStatus[] {
    const { deps, book } = this.#parts;
    return this.#lists.map((list) => {
      const { state, lastFreshMs } = list.info(deps, book);
      const { seal } = list.replica.state.head;
      return {
        origin: list.origin,
        purpose: list.purpose,
        size: list.replica.size,
        present: list.replica.state.count,
        batch_no: seal?.batchNo ?? 0,
        checkpoint_root: toHex(list.replica.root),
        state,
        stale: state !== 'FRESH',
        last_fresh_ms: lastFreshMs ?? null,
        sealed_ms: seal?.timeMs ?? null,
      };
    });
  }

  async close(): Promise<void> {
    await this.#syncing;
    await this.#pipeline?.close();
    await this.#parts.telemetry?.close();
    for (const { channel } of this.#parts.deps.sources) channel.close();
    await this.store.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

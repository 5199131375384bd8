import type { EventEmitter } from 'node:events';
import { HashfedError } from './core/index.js';
import type { Generations } from './generations.js';
import type { HashfedEvents, HashfedParts, SyncSummary } from './hashfed-types.js';
import type { MatchingList } from './matching-list.js';
import type { Releaser } from './releaser.js';
import { type Successor, succeed } from './succession.js';
import { reportSyncState, type SyncOptions, type SyncResult, syncList, watchOrigins } from './sync/index.js';

type Followed = SyncResult & { readonly released: number };
type Failed = { readonly origin: string; readonly error: unknown };

export interface FollowOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (origin: string, done: number, total: number) => void;
}

/** Keeps lists up to date, one at a time; what a withdrawn record had quarantined is released with its update. */
export class ListFollower {
  readonly #parts: HashfedParts;
  /** Shared with whoever matches: a swap of generations replaces an element. */
  readonly #lists: MatchingList[];
  readonly #generations: Generations;
  readonly #releaser: Releaser;
  readonly #events: EventEmitter<HashfedEvents>;
  #turn: Promise<unknown> = Promise.resolve();
  /** Fires when a list goes over to its next generation: the streams that watch name the old one. */
  #swapped = new AbortController();

  constructor(
    parts: HashfedParts,
    lists: MatchingList[],
    generations: Generations,
    releaser: Releaser,
    events: EventEmitter<HashfedEvents>,
  ) {
    this.#parts = parts;
    this.#lists = lists;
    this.#generations = generations;
    this.#releaser = releaser;
    this.#events = events;
  }

  /** Until the update under way is applied or has failed. */
  async settled(): Promise<void> {
    await this.#turn;
  }

  async sync(options: FollowOptions): Promise<SyncSummary> {
    const results: Followed[] = [];
    const failures: Failed[] = [];
    for (const list of [...this.#lists]) {
      const outcome = await this.#attempt(list, options);
      if ('error' in outcome) failures.push(outcome);
      else results.push(outcome);
    }
    await this.report(options.signal);
    return { results, failures };
  }

  async watch(signal: AbortSignal): Promise<void> {
    // A list whose next generation took over is watched under its new origin.
    while (!signal.aborted) {
      this.#swapped = new AbortController();
      const either = AbortSignal.any([signal, this.#swapped.signal]);
      const byOrigin = new Map(this.#lists.map((list) => [list.origin, list]));
      for await (const moved of watchOrigins(this.#parts.deps, [...byOrigin.keys()], either)) {
        const lists = moved.map((origin) => byOrigin.get(origin)!);
        if (await this.#updateAll(lists, signal)) await this.report(signal);
      }
    }
  }

  /** True where anything was applied. */
  async #updateAll(lists: readonly MatchingList[], signal: AbortSignal): Promise<boolean> {
    let applied = false;
    for (const list of lists) {
      const outcome = await this.#attempt(list, { signal });
      applied ||= !('error' in outcome) && outcome.size > outcome.from;
    }
    return applied;
  }

  /** Waits for its turn; a failure is announced and leaves the last good state in force. */
  #attempt(list: MatchingList, options: FollowOptions): Promise<Followed | Failed> {
    const turn = this.#turn
      .then(() => this.#update(list, options))
      .catch((error: unknown) => {
        const failure = { origin: list.origin, error };
        this.#events.emit('failed', failure);
        return failure;
      });
    this.#turn = turn;
    return turn;
  }

  async #update(list: MatchingList, options: FollowOptions): Promise<Followed> {
    const { deps, book } = this.#parts;
    await list.ready();
    const result = await syncList(deps, book, list.replica, syncOptions(list, options)).catch(
      (error: unknown) => this.#afterClosing(list, options, error),
    );
    if ('list' in result) return this.#swap(list, result, options.signal);
    await list.apply(result.changes);
    return this.#announce(list, result, await this.#releaser.after(result.changes), options.signal);
  }

  /** What took over where the failure is that the generation was closed; else the failure. */
  async #afterClosing(list: MatchingList, options: FollowOptions, error: unknown): Promise<Successor> {
    if (!(error instanceof HashfedError) || error.code !== 'GENERATION_CLOSED') throw error;
    const followed = new Set(this.#lists.map(({ origin }) => origin));
    const succession = { ...this.#parts, generations: this.#generations, followed };
    const next = await succeed(succession, list, syncOptions(list, options));
    if (next === undefined) throw error;
    return next;
  }

  /** From here on the next generation is matched; what only the old one listed is released. */
  async #swap(old: MatchingList, { list, result }: Successor, signal?: AbortSignal): Promise<Followed> {
    this.#lists[this.#lists.indexOf(old)] = list;
    this.#swapped.abort();
    const released = await this.#releaser.orphans();
    await old.replica.list.drop();
    return this.#announce(list, result, released.length, signal);
  }

  async #announce(
    list: MatchingList,
    result: SyncResult,
    released: number,
    signal: AbortSignal | undefined,
  ): Promise<Followed> {
    const outcome = { ...result, released };
    for (const alarm of result.alarms) this.#events.emit('alarm', { ...alarm, origin: list.origin });
    this.#events.emit('synced', outcome);
    await list.tidy(signal);
    return outcome;
  }

  /** Tells the first source that answers what is applied here. */
  async report(signal?: AbortSignal, leaving = false): Promise<boolean> {
    const { deps, book, sdkVersion } = this.#parts;
    if (deps.store.readOnly) return false;
    const instanceId = await this.#instanceId();
    const replicas = this.#lists.map(({ replica }) => replica);
    const options = { sdkVersion, instanceId, leaving, ...(signal && { signal }) };
    for (const source of deps.sources) {
      try {
        await reportSyncState(deps, book, replicas, source, options);
        return true;
      } catch (error) {
        if (!(error instanceof HashfedError)) throw error;
      }
    }
    return false;
  }

  async #instanceId(): Promise<Uint8Array> {
    const { store, random } = this.#parts.deps;
    const held = await store.settings.get('instance-id');
    if (held !== undefined) return held;
    const made = random.bytes(16);
    await store.settings.put('instance-id', made);
    return made;
  }
}

function syncOptions({ origin }: MatchingList, { signal, onProgress }: FollowOptions): SyncOptions {
  return {
    ...(signal && { signal }),
    ...(onProgress && { onProgress: (done: number, total: number) => onProgress(origin, done, total) }),
  };
}

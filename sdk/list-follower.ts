import type { EventEmitter } from 'node:events';
import { HashfedError } from './core/index.js';
import type { HashfedEvents, HashfedParts, SyncSummary } from './hashfed-types.js';
import type { MatchingList } from './matching-list.js';
import type { Releaser } from './releaser.js';
import { reportSyncState, type SyncResult, syncList, watchOrigins } from './sync/index.js';

type Followed = SyncResult & { readonly released: number };
type Failed = { readonly origin: string; readonly error: unknown };

export interface FollowOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (origin: string, done: number, total: number) => void;
}

/** Keeps lists up to date, one at a time; what a withdrawn record had quarantined is released with its update. */
export class ListFollower {
  readonly #parts: HashfedParts;
  readonly #lists: readonly MatchingList[];
  readonly #releaser: Releaser;
  readonly #events: EventEmitter<HashfedEvents>;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    parts: HashfedParts,
    lists: readonly MatchingList[],
    releaser: Releaser,
    events: EventEmitter<HashfedEvents>,
  ) {
    this.#parts = parts;
    this.#lists = lists;
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
    for (const list of this.#lists) {
      const outcome = await this.#attempt(list, options);
      if ('error' in outcome) failures.push(outcome);
      else results.push(outcome);
    }
    await this.report(options.signal);
    return { results, failures };
  }

  async watch(signal: AbortSignal): Promise<void> {
    const byOrigin = new Map(this.#lists.map((list) => [list.origin, list]));
    for await (const moved of watchOrigins(this.#parts.deps, [...byOrigin.keys()], signal)) {
      let applied = false;
      for (const origin of moved) {
        const outcome = await this.#attempt(byOrigin.get(origin)!, { signal });
        applied ||= !('error' in outcome) && outcome.size > outcome.from;
      }
      if (applied) await this.report(signal);
    }
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

  async #update(list: MatchingList, { signal, onProgress }: FollowOptions): Promise<Followed> {
    const { deps, book } = this.#parts;
    const { origin } = list;
    const result = await syncList(deps, book, list.replica, {
      ...(signal && { signal }),
      ...(onProgress && { onProgress: (done: number, total: number) => onProgress(origin, done, total) }),
    });
    await list.apply(result.changes);
    const outcome = { ...result, released: await this.#releaser.after(result.changes) };
    for (const alarm of result.alarms) this.#events.emit('alarm', { ...alarm, origin });
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

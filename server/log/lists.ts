import { HashfedError } from '../../sdk/core/index.js';
import type { Head } from '../storage/index.js';
import type { LogDeps } from './deps.js';
import { emptyResident, type ResidentList, replayLog } from './resident.js';

type Listener = (origin: string) => void;

/** All lists that this server holds, resident, and who wants to know when one moves. */
export class Lists {
  readonly #lists = new Map<string, ResidentList>();
  readonly #listeners = new Set<Listener>();
  readonly #deps: LogDeps;

  private constructor(deps: LogDeps) {
    this.#deps = deps;
  }

  /** Replays every log in the store. Throws STORAGE_FAILED where one is not sound. */
  static async open(deps: LogDeps, signal?: AbortSignal): Promise<Lists> {
    const lists = new Lists(deps);
    for await (const head of deps.storage.logs.heads()) {
      lists.#lists.set(head.origin, await replayLog(deps, head, signal));
    }
    return lists;
  }

  /** A list that may still be empty. */
  ensure(origin: string): ResidentList {
    const held = this.#lists.get(origin) ?? emptyResident(this.#deps, origin);
    this.#lists.set(origin, held);
    return held;
  }

  get(origin: string): ResidentList | undefined {
    return this.#lists.get(origin);
  }

  /** A list with something committed, and its head. Throws UNKNOWN_ORIGIN. */
  committed(origin: string): ResidentList & { readonly head: Head } {
    const held = this.#lists.get(origin);
    if (held?.head === undefined)
      throw new HashfedError('UNKNOWN_ORIGIN', 'nothing is committed under this origin', { origin });
    return held as ResidentList & { readonly head: Head };
  }

  origins(): string[] {
    return [...this.#lists.keys()].sort();
  }

  /** Calls `listener` after every change of a list or its statements, until the answer is called. */
  onChange(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  changed(origin: string): void {
    for (const listener of this.#listeners) listener(origin);
  }
}

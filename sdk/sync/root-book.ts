import {
  HashfedError,
  nextRoot,
  type OriginSettings,
  type PublisherRoot,
  parseOrigin,
  settingsOf,
  startRoot,
} from '../core/index.js';
import type { PinnedPublisher, Source, SyncDeps } from './deps.js';
import { keepEvidence } from './evidence.js';
import { MAX_ROOT_STEPS } from './limits.js';
import { askRoot } from './peer.js';

/**
 * The roots of the trusted publishers, each a chain from its pinned fingerprint. Every version is verified against
 * the one before and persisted before it is used, so that no server can ever show an older one again.
 */
export class RootBook {
  readonly #deps: SyncDeps;
  readonly #newest = new Map<string, PublisherRoot>();
  /** Answers of `of`, which every verdict asks; forgotten when a root changes. */
  readonly #byOrigin = new Map<string, PublisherRoot>();
  /** Walks of one chain follow each other: two sources may show the same next version at once. */
  readonly #turns = new Map<string, Promise<unknown>>();

  private constructor(deps: SyncDeps) {
    this.#deps = deps;
  }

  /** Verifies the stored chains. Throws what their checks throw, `STORAGE_FAILED` where a version is gone. */
  static async open(deps: SyncDeps): Promise<RootBook> {
    const book = new RootBook(deps);
    for (const pinned of deps.trust) await book.#load(pinned);
    return book;
  }

  newest(publisher: string): PublisherRoot | undefined {
    return this.#newest.get(publisher);
  }

  /**
   * The trusted root that names this list, in whatever generation. Throws `UNKNOWN_ORIGIN`; `USAGE` where two name
   * it, since then either publisher could speak for the other.
   */
  of(origin: string): PublisherRoot {
    const known = this.#byOrigin.get(origin);
    if (known !== undefined) return known;
    const root = this.#find(origin);
    this.#byOrigin.set(origin, root);
    return root;
  }

  #find(origin: string): PublisherRoot {
    const list = listName(origin);
    const naming = [...this.#newest.values()].filter((root) =>
      [...root.origins.keys()].some((one) => listName(one) === list),
    );
    if (naming.length > 1)
      throw new HashfedError('USAGE', 'two trusted publishers name this list: trust one of them', { origin });
    const [root] = naming;
    if (root === undefined)
      throw new HashfedError('UNKNOWN_ORIGIN', 'no trusted publisher root names this list', { origin });
    return root;
  }

  /** Throws as `of`, and `GENERATION_CLOSED` where a later generation took over. */
  settings(origin: string): OriginSettings {
    return settingsOf(this.of(origin), origin);
  }

  /** Publishers whose newest root names the list, or all whose root is not known yet, or all. */
  candidates(origin: string): string[] {
    const { trust } = this.#deps;
    const list = listName(origin);
    const names = (root: PublisherRoot | undefined) =>
      [...(root?.origins.keys() ?? [])].some((one) => listName(one) === list);
    const naming = trust.filter(({ publisher }) => names(this.#newest.get(publisher)));
    const unknown = trust.filter(({ publisher }) => !this.#newest.has(publisher));
    return (naming.length > 0 ? naming : unknown.length > 0 ? unknown : trust).map((one) => one.publisher);
  }

  /**
   * Fetches and verifies every version after the one held. Those verified before a failure stay. Throws what the
   * chain's checks throw, and `NOT_FOUND` where the source has no root and none is held.
   */
  refresh(source: Source, publisher: string, signal?: AbortSignal): Promise<PublisherRoot> {
    const walk = () => this.#walk(source, publisher, signal);
    const turn = (this.#turns.get(publisher) ?? Promise.resolve()).then(walk, walk);
    this.#turns.set(
      publisher,
      turn.catch(() => undefined),
    );
    return turn;
  }

  async #walk(source: Source, publisher: string, signal: AbortSignal | undefined): Promise<PublisherRoot> {
    const pinned = this.#deps.trust.find((one) => one.publisher === publisher);
    if (pinned === undefined)
      throw new HashfedError('USAGE', `${publisher} is not a trusted publisher`, { field: 'trust' });
    for (let step = 0; step < MAX_ROOT_STEPS; step++) {
      const version = (this.#newest.get(publisher)?.version ?? 0) + 1;
      const envelope = await fetchVersion(source, publisher, version, signal);
      if (envelope === undefined) return this.#require(publisher);
      await this.#take(pinned, envelope);
    }
    throw new HashfedError('MALFORMED', `a source serves more than ${MAX_ROOT_STEPS} new root versions`);
  }

  async #take(pinned: PinnedPublisher, envelope: Uint8Array): Promise<void> {
    const { documents } = this.#deps.store;
    try {
      const root = this.#verify(pinned, envelope);
      await documents.put('root', pinned.publisher, root.version, envelope);
      this.#newest.set(pinned.publisher, root);
      this.#byOrigin.clear();
    } catch (error) {
      await keepEvidence(this.#deps, pinned.publisher, error);
      throw error;
    }
  }

  #verify(pinned: PinnedPublisher, envelope: Uint8Array): PublisherRoot {
    const { suite } = this.#deps;
    const held = this.#newest.get(pinned.publisher);
    const root =
      held === undefined ? startRoot(suite, envelope, pinned.fingerprint) : nextRoot(suite, held, envelope);
    if (root.publisher === pinned.publisher) return root;
    throw new HashfedError('BAD_SIGNATURE', 'the root is of another publisher', { field: 'publisher' });
  }

  async #load(pinned: PinnedPublisher): Promise<void> {
    const { documents } = this.#deps.store;
    const newest = await documents.latest('root', pinned.publisher);
    for (let version = 1; version <= (newest?.version ?? 0); version++) {
      const envelope = await documents.get('root', pinned.publisher, version);
      if (envelope === undefined)
        throw new HashfedError('STORAGE_FAILED', 'a stored publisher root is gone', {
          field: pinned.publisher,
        });
      this.#newest.set(pinned.publisher, this.#verify(pinned, envelope));
    }
  }

  #require(publisher: string): PublisherRoot {
    const root = this.#newest.get(publisher);
    if (root === undefined) throw new HashfedError('NOT_FOUND', `no root of ${publisher} is known yet`);
    return root;
  }
}

async function fetchVersion(
  source: Source,
  publisher: string,
  version: number,
  signal: AbortSignal | undefined,
) {
  try {
    return await askRoot(source, publisher, version, signal);
  } catch (error) {
    if (error instanceof HashfedError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}

/** A list is an origin without its generation. */
function listName(origin: string): string {
  const { domain, collection, type } = parseOrigin(origin);
  return `${domain}/${collection}/${type}`;
}

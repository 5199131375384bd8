import { ListServiceService } from '../../proto/gen/hashfed/v1/list_service.js';
import {
  HashfedError,
  nextRoot,
  type OriginSettings,
  type PublisherRoot,
  settingsOf,
  startRoot,
} from '../core/index.js';
import { callUnary } from '../rpc/index.js';
import type { PinnedPublisher, Source, SyncDeps } from './deps.js';
import { MAX_ROOT_STEPS, UNARY_MS } from './limits.js';

/**
 * The roots of the trusted publishers, each a chain from its pinned fingerprint. Every version is verified against
 * the one before and persisted before it is used, so that no server can ever show an older one again.
 */
export class RootBook {
  readonly #deps: SyncDeps;
  readonly #newest = new Map<string, PublisherRoot>();

  private constructor(deps: SyncDeps) {
    this.#deps = deps;
  }

  /** Verifies the stored chains. Throws what their checks throw: a store that was tampered with. */
  static async open(deps: SyncDeps): Promise<RootBook> {
    const book = new RootBook(deps);
    for (const pinned of deps.trust) await book.#load(pinned);
    return book;
  }

  async #load(pinned: PinnedPublisher): Promise<void> {
    const { documents } = this.#deps.store;
    for (const version of await documents.versions('root', pinned.publisher)) {
      const envelope = await documents.get('root', pinned.publisher, version);
      if (envelope !== undefined) this.#newest.set(pinned.publisher, this.#verify(pinned, envelope));
    }
  }

  #verify(pinned: PinnedPublisher, envelope: Uint8Array): PublisherRoot {
    const { suite } = this.#deps;
    const held = this.#newest.get(pinned.publisher);
    const root =
      held === undefined ? startRoot(suite, envelope, pinned.fingerprint) : nextRoot(suite, held, envelope);
    if (root.publisher !== pinned.publisher) {
      throw new HashfedError('BAD_SIGNATURE', 'the root is of another publisher', { field: 'publisher' });
    }
    return root;
  }

  /** Fetches every version after the one held, one by one. Throws what the chain's checks throw. */
  async refresh(source: Source, publisher: string, signal?: AbortSignal): Promise<PublisherRoot> {
    const pinned = this.#deps.trust.find((one) => one.publisher === publisher);
    if (pinned === undefined)
      throw new HashfedError('USAGE', `${publisher} is not a trusted publisher`, { field: 'trust' });
    for (let step = 0; step < MAX_ROOT_STEPS; step++) {
      const held = this.#newest.get(publisher);
      const next = (held?.version ?? 0) + 1;
      const answer = await this.#fetch(source, publisher, next, signal);
      if (answer === undefined) return this.#require(publisher);
      const root = this.#verify(pinned, answer);
      await this.#deps.store.documents.put('root', publisher, root.version, answer);
      this.#newest.set(publisher, root);
    }
    throw new HashfedError('MALFORMED', `a source serves more than ${MAX_ROOT_STEPS} new root versions`);
  }

  async #fetch(
    source: Source,
    publisher: string,
    version: number,
    signal?: AbortSignal,
  ): Promise<Uint8Array | undefined> {
    const limits = { deadlineMs: UNARY_MS, ...(signal && { signal }) };
    try {
      const request = { publisher, version: BigInt(version) };
      return (await callUnary(source.channel, ListServiceService.getPublisherRoot, request, limits)).envelope;
    } catch (error) {
      if (error instanceof HashfedError && error.code === 'NOT_FOUND' && version > 1) return undefined;
      throw error;
    }
  }

  #require(publisher: string): PublisherRoot {
    const root = this.#newest.get(publisher);
    if (root === undefined) throw new HashfedError('NOT_FOUND', `no root of ${publisher} is known yet`);
    return root;
  }

  newest(publisher: string): PublisherRoot | undefined {
    return this.#newest.get(publisher);
  }

  /** The trusted root that names an origin. Throws UNKNOWN_ORIGIN, GENERATION_CLOSED. */
  of(origin: string): PublisherRoot {
    let closed: unknown;
    for (const root of this.#newest.values()) {
      try {
        settingsOf(root, origin);
        return root;
      } catch (error) {
        if (error instanceof HashfedError && error.code === 'GENERATION_CLOSED') closed = error;
      }
    }
    throw (
      closed ?? new HashfedError('UNKNOWN_ORIGIN', 'no trusted publisher root names this list', { origin })
    );
  }

  settings(origin: string): OriginSettings {
    return settingsOf(this.of(origin), origin);
  }

  /** Publishers whose newest root names the origin, or all whose root is not known yet. */
  candidates(origin: string): string[] {
    const naming = this.#deps.trust.filter(({ publisher }) =>
      this.#newest.get(publisher)?.origins.has(origin),
    );
    const unknown = this.#deps.trust.filter(({ publisher }) => !this.#newest.has(publisher));
    return (naming.length > 0 ? naming : unknown.length > 0 ? unknown : this.#deps.trust).map(
      ({ publisher }) => publisher,
    );
  }
}

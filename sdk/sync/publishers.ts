import {
  HashfedError,
  nextRoot,
  type OriginSettings,
  type PublisherRoot,
  parseOrigin,
  settingsOf,
  startRoot,
} from '../core/index.js';
import { isFork, keepEvidence } from './evidence.js';
import { MAX_ROOT_STEPS } from './limits.js';
import type { PublisherPin, Source, SyncEnvironment } from './types.js';

/** The root chains of all pinned publishers: verified from the fingerprint, kept verbatim, never going back. */
export class Publishers {
  readonly pins: readonly PublisherPin[];
  readonly #env: SyncEnvironment;
  readonly #roots = new Map<string, PublisherRoot>();

  private constructor(env: SyncEnvironment, pins: readonly PublisherPin[]) {
    this.#env = env;
    this.pins = pins;
  }

  /** Reads and verifies what is stored. Throws where a stored chain no longer verifies under its pin. */
  static async open(env: SyncEnvironment, pins: readonly PublisherPin[]): Promise<Publishers> {
    const publishers = new Publishers(env, pins);
    for (const pin of pins) await publishers.#load(pin);
    return publishers;
  }

  /** The newest verified root; undefined where none was ever fetched. */
  root(publisher: string): PublisherRoot | undefined {
    return this.#roots.get(publisher);
  }

  /** The root that names this list, in this or a later generation. Throws `UNKNOWN_ORIGIN`. */
  of(origin: string): PublisherRoot {
    const list = listName(origin);
    const found = [...this.#roots.values()].filter((root) =>
      [...root.origins.keys()].some((one) => listName(one) === list),
    );
    if (found.length > 1)
      throw new HashfedError('USAGE', 'two trusted publishers name this list; trust one of them', { origin });
    if (found[0] === undefined)
      throw new HashfedError('UNKNOWN_ORIGIN', 'no trusted publisher names this list', { origin });
    return found[0];
  }

  /** Throws `UNKNOWN_ORIGIN`, or `GENERATION_CLOSED` where a later generation took over. */
  settings(origin: string): OriginSettings {
    return settingsOf(this.of(origin), origin);
  }

  /**
   * Walks every chain on from what is held, at one source. Versions verified before a failure stay. Throws what the
   * first publisher failed with that made no progress and has no root at all; others keep what they have.
   */
  async syncAll(source: Source, signal?: AbortSignal): Promise<void> {
    for (const pin of this.pins) await this.sync(source, pin.publisher, signal);
  }

  /**
   * Fetches and verifies the versions after the one held. Each is stored before it counts. Throws as `startRoot`
   * and `nextRoot`, and `NOT_FOUND` where the source has no root of a publisher of whom we have none.
   */
  async sync(source: Source, publisher: string, signal?: AbortSignal): Promise<PublisherRoot> {
    const pin = this.pins.find((one) => one.publisher === publisher);
    if (pin === undefined)
      throw new HashfedError('USAGE', 'this publisher is not trusted here', { field: 'trust' });
    for (let step = 0; step < MAX_ROOT_STEPS; step++) {
      const held = this.#roots.get(publisher);
      const envelope = await this.#fetch(source, publisher, (held?.version ?? 0) + 1, signal);
      if (envelope === undefined) break;
      await this.#take(pin, held, envelope);
    }
    const root = this.#roots.get(publisher);
    if (root === undefined)
      throw new HashfedError('NOT_FOUND', 'the source has no root of this publisher', { field: publisher });
    return root;
  }

  async #fetch(source: Source, publisher: string, version: number, signal?: AbortSignal) {
    try {
      return await source.root(publisher, version, signal);
    } catch (error) {
      if (error instanceof HashfedError && error.code === 'NOT_FOUND') return undefined;
      throw error;
    }
  }

  async #take(pin: PublisherPin, held: PublisherRoot | undefined, envelope: Uint8Array): Promise<void> {
    const { suite, store } = this.#env;
    try {
      const root =
        held === undefined ? startRoot(suite, envelope, pin.fingerprint) : nextRoot(suite, held, envelope);
      requireName(pin, root);
      await store.documents.put('root', pin.publisher, root.version, envelope);
      this.#roots.set(pin.publisher, root);
    } catch (error) {
      if (isFork(error)) await keepEvidence(store.documents, pin.publisher, error);
      throw error;
    }
  }

  async #load(pin: PublisherPin): Promise<void> {
    const { suite, store } = this.#env;
    const newest = await store.documents.latest('root', pin.publisher);
    let root: PublisherRoot | undefined;
    for (let version = 1; version <= (newest?.version ?? 0); version++) {
      const envelope = await store.documents.get('root', pin.publisher, version);
      if (envelope === undefined)
        throw new HashfedError('STORAGE_FAILED', 'a stored publisher root is missing', {
          field: pin.publisher,
        });
      root =
        root === undefined ? startRoot(suite, envelope, pin.fingerprint) : nextRoot(suite, root, envelope);
      requireName(pin, root);
    }
    if (root !== undefined) this.#roots.set(pin.publisher, root);
  }
}

function requireName({ publisher }: PublisherPin, root: PublisherRoot): void {
  if (root.publisher === publisher) return;
  throw new HashfedError('BAD_SIGNATURE', 'the root is of another publisher', { field: 'publisher' });
}

function listName(origin: string): string {
  const { domain, collection, type } = parseOrigin(origin);
  return `${domain}/${collection}/${type}`;
}

import {
  type CheckpointPolicy,
  equalBytes,
  HashfedError,
  keysFor,
  listOf,
  nextRoot,
  type OriginSettings,
  type PublisherRoot,
  parseDsse,
  parseOrigin,
  settingsOf,
  startRoot,
} from '../../sdk/core/index.js';
import type { Caller } from '../access/index.js';
import type { LogDeps } from './deps.js';

/** Bytes of a root envelope: a root body of at most 512 KiB and 64 signatures. */
export const MAX_ROOT_ENVELOPE_BYTES = 1024 * 1024;
const NO_COSIGNERS = { keys: [], needed: 0 };

interface Held {
  readonly root: PublisherRoot;
  readonly envelope: Uint8Array;
}

/**
 * The publisher roots of this server, by member. It checks each version against the one before, so that clients
 * get a chain that verifies; whom they trust is their own decision (the pinned fingerprint).
 */
export class PublisherRoots {
  readonly #deps: LogDeps;
  readonly #newest = new Map<string, Held>();

  private constructor(deps: LogDeps) {
    this.#deps = deps;
  }

  /** Walks every stored chain. Throws where one does not verify: the store was damaged or tampered with. */
  static async open(deps: LogDeps): Promise<PublisherRoots> {
    const roots = new PublisherRoots(deps);
    for (let pageToken = ''; ; ) {
      const page = await deps.storage.documents.list('root', { pageSize: 1000, pageToken });
      for (const { name } of page.items) await roots.#load(name);
      if (page.nextPageToken === '') return roots;
      pageToken = page.nextPageToken;
    }
  }

  async #load(name: string): Promise<void> {
    for (let version = 1; ; version += 1) {
      const stored = await this.#deps.storage.documents.get('root', name, version);
      if (stored === undefined) return;
      this.#newest.set(name, { root: this.#verify(name, stored.bytes), envelope: stored.bytes });
    }
  }

  #verify(name: string, envelope: Uint8Array): PublisherRoot {
    const { suite } = this.#deps;
    const held = this.#newest.get(name);
    if (held !== undefined) return nextRoot(suite, held.root, envelope);
    const { body } = parseDsse('root', envelope, MAX_ROOT_ENVELOPE_BYTES);
    return startRoot(suite, envelope, suite.sha256.digest(body));
  }

  /** Stores the next version of the caller's own root; bytes that are held already change nothing. */
  async put(caller: Caller, envelope: Uint8Array): Promise<number> {
    return this.putAs(caller.member, envelope, (origin) => caller.requirePublisherOf(origin));
  }

  /** As `put`, for the operator's own root at start. */
  async putAs(member: string, envelope: Uint8Array, checkOrigin: (origin: string) => void): Promise<number> {
    const held = this.#newest.get(member);
    if (held !== undefined && equalBytes(held.envelope, envelope)) return held.root.version;
    const root = this.#verify(member, envelope);
    if (root.publisher !== `members/${member}`) {
      throw new HashfedError('NOT_ENTITLED', 'the root is of another publisher', { field: 'publisher' });
    }
    for (const origin of root.origins.keys()) checkOrigin(origin);
    this.#refuseTakenOrigins(member, root);
    const document = { kind: 'root', name: member, version: root.version, bytes: envelope } as const;
    if (!(await this.#deps.storage.documents.put(document))) {
      throw new HashfedError('OLD_SIZE_MISMATCH', 'another version of this root was stored meanwhile', {
        field: 'version',
      });
    }
    this.#newest.set(member, { root, envelope });
    return root.version;
  }

  #refuseTakenOrigins(member: string, root: PublisherRoot): void {
    for (const [other, { root: held }] of this.#newest) {
      if (other === member) continue;
      for (const origin of root.origins.keys()) {
        if (held.origins.has(origin))
          throw new HashfedError('NOT_ENTITLED', 'another publisher has this origin', { origin });
      }
    }
  }

  /** Newest root of a member, or undefined. */
  newest(member: string): PublisherRoot | undefined {
    return this.#newest.get(member)?.root;
  }

  /** One version's envelope; 0 for the newest. Throws NOT_FOUND. */
  async envelope(member: string, version: number): Promise<{ envelope: Uint8Array; newest: number }> {
    const held = this.#newest.get(member);
    const stored =
      held === undefined || version === 0 || version === held.root.version
        ? held?.envelope
        : (await this.#deps.storage.documents.get('root', member, version))?.bytes;
    if (held === undefined || stored === undefined) {
      throw new HashfedError('NOT_FOUND', 'no such version of that publisher root', { field: 'version' });
    }
    return { envelope: stored, newest: held.root.version };
  }

  /** The root that names an origin now. Throws UNKNOWN_ORIGIN, GENERATION_CLOSED. */
  of(origin: string): PublisherRoot {
    for (const { root } of this.#newest.values()) if (root.origins.has(origin)) return root;
    for (const { root } of this.#newest.values())
      if (hasLaterGeneration(root, origin)) settingsOf(root, origin);
    throw new HashfedError('UNKNOWN_ORIGIN', 'no publisher root names this origin', { origin });
  }

  settings(origin: string): OriginSettings {
    return settingsOf(this.of(origin), origin);
  }

  policy(origin: string): CheckpointPolicy {
    return { keys: keysFor(this.of(origin), origin), cosigners: NO_COSIGNERS };
  }

  all(): PublisherRoot[] {
    return [...this.#newest.values()].map(({ root }) => root);
  }
}

function hasLaterGeneration(root: PublisherRoot, origin: string): boolean {
  const asked = listOf(parseOrigin(origin));
  return [...root.origins.values()].some((settings) => listOf(settings.origin) === asked);
}

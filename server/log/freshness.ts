import { Freshness } from '../../proto/gen/hashfed/v1/statements.js';
import { type BodySigner, equalBytes, HashfedError, signDsse, statementKeys } from '../../sdk/core/index.js';
import type { Engine } from './engine.js';

/** How often every list gets a new statement, milliseconds; clients call FRESH what is at most 15 minutes old. */
export const FRESHNESS_EVERY_MS = 30_000;
/** How long a statement claims to hold; the publisher root may shorten it. */
const NOT_AFTER_MS = 6 * 3_600_000;

/** No root names the list (any more): its last statement runs out. */
const UNSIGNED = new Set(['UNKNOWN_ORIGIN', 'GENERATION_CLOSED']);

/**
 * Signs that a checkpoint is the newest, with the operator's key that a publisher root delegates. It can add, remove
 * and hide nothing: clients verify the list itself against the publisher's keys.
 */
export class FreshnessIssuer {
  readonly #engine: Engine;
  readonly #signer: BodySigner | undefined;
  readonly #newest = new Map<string, { readonly envelope: Uint8Array; readonly issuedAtMs: number }>();

  readonly #warned = new Set<string>();

  constructor(engine: Engine, signer: BodySigner | undefined) {
    this.#engine = engine;
    this.#signer = signer;
  }

  /** The newest statement, empty bytes where none could be issued. */
  get(origin: string): Uint8Array {
    return this.#newest.get(origin)?.envelope ?? new Uint8Array();
  }

  /** When it was issued, Unix milliseconds; 0 where none could be. */
  issuedMs(origin: string): number {
    return this.#newest.get(origin)?.issuedAtMs ?? 0;
  }

  /** Issues one for every list. */
  issueAll(): void {
    for (const origin of this.#engine.lists.origins()) this.issue(origin);
  }

  /** Issues one for the committed state of a list; nothing where its root does not delegate to our key. */
  issue(origin: string): void {
    const head = this.#engine.lists.get(origin)?.head;
    const root = this.#delegatingRoot(origin);
    if (head === undefined || root === undefined || this.#signer === undefined) return;
    const issuedAtMs = this.#engine.clock.nowMs();
    const body = Freshness.encode({
      origin,
      size: BigInt(head.size),
      root: head.root,
      rootVersion: BigInt(root.version),
      rootSha256: root.sha256,
      issuedAtMs: BigInt(issuedAtMs),
      notAfterMs: BigInt(issuedAtMs + NOT_AFTER_MS),
    }).finish();
    this.#newest.set(origin, { envelope: signDsse('freshness', body, [this.#signer]), issuedAtMs });
  }

  #delegatingRoot(origin: string) {
    const signer = this.#signer;
    if (signer === undefined) return undefined;
    try {
      const root = this.#engine.roots.of(origin);
      const delegated = statementKeys(root, 'freshness').some((key) => equalBytes(key, signer.publicKey));
      if (!delegated) this.#warnOnce(origin);
      return delegated ? root : undefined;
    } catch (error) {
      if (error instanceof HashfedError && UNSIGNED.has(error.code)) return undefined;
      throw error;
    }
  }

  /** Clients will say STALE; the operator should know why. */
  #warnOnce(origin: string): void {
    if (this.#warned.has(origin)) return;
    this.#warned.add(origin);
    this.#engine.log.warn('freshness.not-delegated', { origin });
  }
}

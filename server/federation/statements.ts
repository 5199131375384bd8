import type { CheckpointBundle } from '../../proto/gen/hashfed/v1/common.js';
import {
  type Freshness,
  HashfedError,
  type Liveness,
  newerStatement,
  verifyFreshness,
  verifyLiveness,
} from '../../sdk/core/index.js';
import type { Offer } from '../../sdk/sync/index.js';
import { type Engine, FreshnessIssuer, Statements } from '../log/index.js';

type Kind = 'freshness' | 'liveness';

interface Carried<T> {
  readonly statement: T;
  readonly envelope: Uint8Array;
  readonly version: number;
}

const NONE = new Uint8Array();

/** A mirror signs no freshness: it has no key that a publisher delegated. */
class NoFreshness extends FreshnessIssuer {
  constructor(engine: Engine) {
    super(engine, undefined);
  }
}

/** What is served beside each list, carried verbatim from upstreams: the operator's freshness, the publisher's liveness. */
export class CarriedStatements extends Statements {
  readonly issuer: FreshnessIssuer;
  readonly #engine: Engine;
  readonly #freshness = new Map<string, Carried<Freshness>>();
  readonly #liveness = new Map<string, Carried<Liveness>>();

  constructor(engine: Engine) {
    const issuer = new NoFreshness(engine);
    super(engine, issuer);
    this.issuer = issuer;
    this.#engine = engine;
  }

  /** Statements from before a restart; one that no longer verifies (a rotated key) is left aside. */
  override async open(): Promise<void> {
    for (const origin of this.#engine.lists.origins()) {
      await this.#load('freshness', origin);
      await this.#load('liveness', origin);
    }
  }

  async #load(kind: Kind, origin: string): Promise<void> {
    const stored = await this.#engine.storage.documents.get(kind, origin);
    if (stored === undefined) return;
    const { suite, roots, log } = this.#engine;
    const { bytes: envelope, version } = stored;
    // Accepted once: one that lies in the future now is for clients to judge.
    const late = Number.MAX_SAFE_INTEGER;
    try {
      const root = roots.of(origin);
      if (kind === 'freshness') {
        const statement = verifyFreshness(suite, root, origin, envelope, late);
        this.#freshness.set(origin, { statement, envelope, version });
      } else {
        const statement = verifyLiveness(suite, root, origin, envelope, late);
        this.#liveness.set(origin, { statement, envelope, version });
      }
    } catch (error) {
      if (!(error instanceof HashfedError)) throw error;
      log.warn('statement.left-aside', { origin, why: kind, error });
    }
  }

  /** Both that are held, with their envelopes. */
  held(origin: string): readonly Carried<Freshness | Liveness>[] {
    return [this.#freshness.get(origin), this.#liveness.get(origin)].filter((one) => one !== undefined);
  }

  /** Takes what is newer of a verified offer, durably; true where anything was. */
  async carry(origin: string, { freshness, liveness }: Offer): Promise<boolean> {
    const news = [
      await this.#take('freshness', this.#freshness, origin, freshness),
      await this.#take('liveness', this.#liveness, origin, liveness),
    ];
    const moved = news.includes(true);
    if (moved) this.#engine.lists.changed(origin);
    return moved;
  }

  async #take<T extends Freshness | Liveness>(
    kind: Kind,
    all: Map<string, Carried<T>>,
    origin: string,
    offered: { readonly statement: T; readonly envelope: Uint8Array } | undefined,
  ): Promise<boolean> {
    if (offered === undefined) return false;
    const held = all.get(origin);
    if (held !== undefined && newerStatement(held.statement, offered.statement) === held.statement)
      return false;
    const { documents } = this.#engine.storage;
    const version = ((await documents.get(kind, origin))?.version ?? 0) + 1;
    const { statement, envelope } = offered;
    if (!(await documents.put({ kind, name: origin, version, bytes: envelope }))) return false;
    all.set(origin, { statement, envelope, version });
    return true;
  }

  override freshnessMs(origin: string): number {
    return this.#freshness.get(origin)?.statement.issuedAtMs ?? 0;
  }

  override bundle(origin: string): CheckpointBundle {
    const bundle = super.bundle(origin);
    return {
      ...bundle,
      freshness: this.#freshness.get(origin)?.envelope ?? NONE,
      liveness: this.#liveness.get(origin)?.envelope ?? NONE,
    };
  }
}

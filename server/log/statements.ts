import type { CheckpointBundle } from '../../proto/gen/hashfed/v1/common.js';
import {
  HashfedError,
  type Liveness,
  malformed,
  newerStatement,
  parseDsse,
  parseLiveness,
  verifyLiveness,
} from '../../sdk/core/index.js';
import type { Caller } from '../access/index.js';
import type { Document } from '../storage/index.js';
import type { Engine } from './engine.js';
import type { FreshnessIssuer } from './freshness.js';

const MAX_ENVELOPE_BYTES = 64 * 1024;
const MAX_ENVELOPES = 256;

/** What is served together about a list, from memory. */
export class Statements {
  readonly #engine: Engine;
  readonly #freshness: FreshnessIssuer;
  readonly #liveness = new Map<string, { statement: Liveness; envelope: Uint8Array; version: number }>();

  constructor(engine: Engine, freshness: FreshnessIssuer) {
    this.#engine = engine;
    this.#freshness = freshness;
  }

  /** Loads the stored liveness statements; ones that no longer verify (a rotated key) are left aside. */
  async open(): Promise<void> {
    const { documents } = this.#engine.storage;
    for (let pageToken = ''; ; ) {
      const page = await documents.list('liveness', { pageSize: 1000, pageToken });
      for (const document of page.items) this.#load(document);
      if (page.nextPageToken === '') return;
      pageToken = page.nextPageToken;
    }
  }

  #load({ name, bytes, version }: Document): void {
    try {
      this.#liveness.set(name, { statement: this.#verify(bytes), envelope: bytes, version });
    } catch (error) {
      this.#engine.log.warn('liveness.left-aside', { origin: name, error });
    }
  }

  /** When the newest freshness statement was issued, Unix milliseconds; 0 if none. */
  freshnessMs(origin: string): number {
    return this.#freshness.issuedMs(origin);
  }

  bundle(origin: string): CheckpointBundle {
    const head = this.#engine.lists.get(origin)?.head;
    return {
      origin,
      note: head?.note ?? new Uint8Array(),
      anchorNote: head?.anchor ?? new Uint8Array(),
      freshness: this.#freshness.get(origin),
      liveness: this.#liveness.get(origin)?.envelope ?? new Uint8Array(),
      rootVersion: BigInt(this.#engine.roots.of(origin).version),
    };
  }

  /** Stores liveness statements of the caller's lists; older ones than held change nothing. */
  async putLiveness(caller: Caller, envelopes: readonly Uint8Array[]): Promise<void> {
    if (envelopes.length === 0 || envelopes.length > MAX_ENVELOPES)
      malformed('envelopes', `needs 1 to ${MAX_ENVELOPES}`);
    const checked = envelopes.map((envelope) => {
      if (envelope.length > MAX_ENVELOPE_BYTES)
        malformed('envelopes', `hold one over ${MAX_ENVELOPE_BYTES} bytes`);
      const statement = this.#verify(envelope);
      caller.requirePublisherOf(statement.origin);
      return { statement, envelope };
    });
    for (const { statement, envelope } of checked) await this.#store(statement, envelope);
  }

  #verify(envelope: Uint8Array): Liveness {
    const { body } = parseDsse('liveness', envelope, MAX_ENVELOPE_BYTES);
    const { origin } = parseLiveness(body);
    return verifyLiveness(
      this.#engine.suite,
      this.#engine.roots.of(origin),
      origin,
      envelope,
      this.#engine.clock.nowMs(),
    );
  }

  async #store(statement: Liveness, envelope: Uint8Array): Promise<void> {
    const { origin } = statement;
    const held = this.#liveness.get(origin);
    if (held !== undefined && newerStatement(held.statement, statement) === held.statement) return;
    const version = (held?.version ?? 0) + 1;
    const stored = await this.#engine.storage.documents.put({
      kind: 'liveness',
      name: origin,
      version,
      bytes: envelope,
    });
    if (!stored)
      throw new HashfedError('OVERLOADED', 'another liveness statement was stored meanwhile; send it again', {
        origin,
      });
    this.#liveness.set(origin, { statement, envelope, version });
    this.#engine.lists.changed(origin);
  }
}

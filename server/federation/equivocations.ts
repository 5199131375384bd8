import { Equivocation } from '../../proto/gen/hashfed/v1/federation.js';
import { HashfedError, malformed, type PublisherRoot, toHex } from '../../sdk/core/index.js';
import {
  equivocationOf,
  evidenceDigest,
  MAX_EVIDENCE_BYTES,
  originOfEvidence,
  verifyEquivocation,
} from '../../sdk/sync/index.js';
import type { Engine } from '../log/index.js';

const PREFIX = 'equivocation/';
const RESOURCE = 'equivocations/';
/** Pieces kept for each list: two prove all that can be proven, and nobody shall fill the disk. */
const MAX_KEPT = 16;
/** Trees looked into that are remembered. */
const MAX_LOOKED = 4096;

interface Kept {
  readonly id: string;
  readonly evidence: Equivocation;
  /** Root version under which it last proved a fork. */
  provenUnder: number | undefined;
  checkedUnder: number;
}

/**
 * Evidence of forks, each piece verified before it is kept. A list of which one is held under the root in force is
 * carried no further, and not cosigned; a later root that disowns the key which signed the fork lifts that.
 */
export class Equivocations {
  readonly #engine: Engine;
  readonly #me: string;
  readonly #kept = new Map<string, Kept>();
  readonly #looked = new Set<string>();
  #listener: (evidence: Equivocation) => void = () => undefined;

  private constructor(engine: Engine, me: string) {
    this.#engine = engine;
    this.#me = me;
  }

  /** `me`: resource name of the member that runs this server. */
  static async open(engine: Engine, me: string): Promise<Equivocations> {
    const all = new Equivocations(engine, me);
    for (let pageToken = ''; ; ) {
      const page = await engine.storage.documents.list('config', { pageSize: 1000, pageToken });
      for (const { name, bytes } of page.items)
        if (name.startsWith(PREFIX)) all.#remember(name.slice(PREFIX.length), Equivocation.decode(bytes));
      if (page.nextPageToken === '') return all;
      pageToken = page.nextPageToken;
    }
  }

  /** Calls `listener` for each new piece, to tell others. */
  onFound(listener: (evidence: Equivocation) => void): void {
    this.#listener = listener;
  }

  /** Verifies and keeps what a member hands in; answers its resource name. The same is not kept twice. */
  async report(evidence: Equivocation, member: string): Promise<string> {
    const origin = originOfEvidence(evidence);
    if (evidence.origin !== '' && evidence.origin !== origin) malformed('origin', 'is not that of the notes');
    verifyEquivocation(this.#engine.suite, this.#engine.roots.of(origin), evidence);
    return RESOURCE + (await this.#keep({ ...evidence, origin, foundBy: member }));
  }

  /** Keeps what an error of our own proves; anything else is left alone. Never hides the error itself. */
  async keepFound(origin: string, error: unknown): Promise<void> {
    if (!(error instanceof HashfedError) || error.code !== 'EQUIVOCATION' || error.detail.claimed === true)
      return;
    const evidence = equivocationOf(error.detail.evidence ?? []);
    if (evidence !== undefined && evidence.origin === origin) await this.keepProven(evidence);
  }

  /** False the second time: a liar must not make us pull a whole tree again and again. */
  isFirstLook(source: string, root: Uint8Array): boolean {
    const key = `${source} ${toHex(root)}`;
    if (this.#looked.has(key)) return false;
    if (this.#looked.size >= MAX_LOOKED) this.#looked.clear();
    this.#looked.add(key);
    return true;
  }

  /** Keeps what was found here, once it verifies. */
  async keepProven(evidence: Equivocation): Promise<void> {
    const { origin } = evidence;
    try {
      verifyEquivocation(this.#engine.suite, this.#engine.roots.of(origin), evidence);
      await this.#keep({ ...evidence, foundBy: this.#me });
    } catch (cause) {
      this.#engine.log.warn('equivocation.not-kept', { origin, error: cause });
    }
  }

  async #keep(given: Equivocation): Promise<string> {
    const id = toHex(evidenceDigest(this.#engine.suite.sha256, given));
    if (this.#kept.has(id)) return id;
    const evidence = { ...given, foundMs: BigInt(this.#engine.clock.nowMs()) };
    const bytes = Equivocation.encode(evidence).finish();
    if (bytes.length > MAX_EVIDENCE_BYTES) malformed('equivocation', `is over ${MAX_EVIDENCE_BYTES} bytes`);
    if (this.#of(given.origin).length >= MAX_KEPT)
      throw new HashfedError('OVERLOADED', 'enough evidence is held of this list', { origin: given.origin });
    const stored = await this.#engine.storage.documents.put({
      kind: 'config',
      name: PREFIX + id,
      version: 1,
      bytes,
    });
    this.#remember(id, evidence);
    this.#engine.log.error('equivocation.found', { origin: given.origin });
    if (stored) this.#listener(evidence);
    return id;
  }

  #remember(id: string, evidence: Equivocation): void {
    this.#kept.set(id, { id, evidence, provenUnder: undefined, checkedUnder: 0 });
  }

  #of(origin: string): Kept[] {
    return [...this.#kept.values()].filter(({ evidence }) => evidence.origin === origin);
  }

  /** Throws EQUIVOCATION where a fork of the list is proven under the publisher root in force. */
  refuseForked(origin: string): void {
    const held = this.#of(origin);
    if (held.length === 0) return;
    const root = this.#rootOf(origin);
    if (root === undefined || !held.some((one) => this.#proves(one, root))) return;
    throw new HashfedError('EQUIVOCATION', 'a fork of this list is proven; it is carried no further', {
      origin,
    });
  }

  #rootOf(origin: string): PublisherRoot | undefined {
    try {
      return this.#engine.roots.of(origin);
    } catch (error) {
      if (error instanceof HashfedError) return undefined;
      throw error;
    }
  }

  #proves(kept: Kept, root: PublisherRoot): boolean {
    if (kept.checkedUnder === root.version) return kept.provenUnder === root.version;
    kept.checkedUnder = root.version;
    try {
      verifyEquivocation(this.#engine.suite, root, kept.evidence);
      kept.provenUnder = root.version;
    } catch (error) {
      if (!(error instanceof HashfedError)) throw error;
      kept.provenUnder = undefined;
    }
    return kept.provenUnder === root.version;
  }

  /** All that is held, oldest first, of one list or of those that `readable` says. */
  list(
    origin: string,
    readable: (origin: string) => boolean,
  ): readonly { id: string; evidence: Equivocation }[] {
    return [...this.#kept.values()]
      .filter(({ evidence }) => (origin === '' || evidence.origin === origin) && readable(evidence.origin))
      .sort((a, b) => Number(a.evidence.foundMs - b.evidence.foundMs) || (a.id < b.id ? -1 : 1));
  }
}

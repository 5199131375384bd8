import {
  equalBytes,
  HashfedError,
  MAX_NOTE_BYTES,
  malformed,
  parseCheckpoint,
  parseNote,
  type TreeState,
  type VerifiedCheckpoint,
  verifyCheckpoint,
  verifyConsistency,
} from '../../sdk/core/index.js';
import { splitHashes } from '../../sdk/sync/index.js';
import type { Engine } from '../log/index.js';
import { isOwnPrefix } from './anchor.js';
import type { Cosigner } from './cosigner.js';
import type { Equivocations } from './equivocations.js';

const PREFIX = 'witness/';

/** What a member hands to a witness. */
export interface Witnessing {
  readonly oldSize: number;
  readonly note: Uint8Array;
  readonly consistency: Uint8Array;
}

/**
 * Cosigns checkpoints by the rules of C2SP tlog-witness: one record for each list, which only moves forward along
 * proven extensions, and which is durable before a signature leaves.
 */
export class Witness {
  readonly #engine: Engine;
  readonly #cosigner: Cosigner;
  readonly #equivocations: Equivocations;

  constructor(engine: Engine, cosigner: Cosigner, equivocations: Equivocations) {
    this.#engine = engine;
    this.#cosigner = cosigner;
    this.#equivocations = equivocations;
  }

  /**
   * The signature line, its newline included. Throws OLD_SIZE_MISMATCH (the message names the size to prove from),
   * ROOT_MISMATCH for a wrong proof, EQUIVOCATION, and what verifying the note throws.
   */
  add(request: Witnessing, mayAsk: (origin: string) => void): Promise<string> {
    return this.#engine.turns.run(() => this.#add(request, mayAsk));
  }

  async #add({ oldSize, note, consistency }: Witnessing, mayAsk: (origin: string) => void): Promise<string> {
    const checkpoint = this.#verify(note, mayAsk);
    const { origin, size, root } = checkpoint;
    this.#equivocations.refuseForked(origin);
    const record = await this.#record(origin);
    const last = record?.state;
    if (oldSize !== (last?.size ?? 0)) throw wrongSize(origin, last?.size ?? 0);
    if (size < oldSize) malformed('old_size', 'is above the size of the checkpoint');
    try {
      await this.#compareWithCarried(checkpoint);
      if (last !== undefined) this.#requireExtension(checkpoint, last, consistency);
    } catch (error) {
      await this.#equivocations.keepFound(origin, error);
      throw error;
    }
    if (size > oldSize) await this.#advance(origin, { size, root, note }, record?.version ?? 0);
    const { body } = parseNote(note);
    return `${this.#cosigner.sign(body, Math.floor(this.#engine.clock.nowMs() / 1000))}\n`;
  }

  #verify(note: Uint8Array, mayAsk: (origin: string) => void): VerifiedCheckpoint {
    if (note.length > MAX_NOTE_BYTES) malformed('note', `is over ${MAX_NOTE_BYTES} bytes`);
    const { origin } = parseCheckpoint(parseNote(note).body);
    mayAsk(origin);
    const { suite, roots, clock } = this.#engine;
    const checkpoint = verifyCheckpoint(suite, roots.policy(origin), note, { nowMs: clock.nowMs() });
    if (checkpoint.size === 0) malformed('note', 'is of an empty tree');
    return checkpoint;
  }

  /** Where this server carries the list as well, it knows more than its record. */
  async #compareWithCarried(checkpoint: VerifiedCheckpoint): Promise<void> {
    const head = this.#engine.lists.get(checkpoint.origin)?.head;
    if (head === undefined || checkpoint.size > head.size) return;
    if (await isOwnPrefix(this.#engine, head, checkpoint)) return;
    throw new HashfedError('ROOT_MISMATCH', 'the checkpoint is no earlier state of the list carried here', {
      origin: checkpoint.origin,
      evidence: [checkpoint.note, head.note],
    });
  }

  #requireExtension(
    { origin, size, root, note }: VerifiedCheckpoint,
    last: TreeState & { readonly note: Uint8Array },
    consistency: Uint8Array,
  ): void {
    if (size === last.size) {
      if (consistency.length > 0) malformed('consistency', 'must be empty where the size did not change');
      if (equalBytes(root, last.root)) return;
      throw new HashfedError('EQUIVOCATION', 'two roots of one size', {
        origin,
        evidence: [last.note, note],
      });
    }
    const proof = splitHashes(consistency);
    const claim = { from: last.size, fromRoot: last.root, to: size, toRoot: root, proof };
    verifyConsistency(this.#engine.suite.sha256, claim);
  }

  async #record(origin: string) {
    const stored = await this.#engine.storage.documents.get('config', PREFIX + origin);
    if (stored === undefined) return undefined;
    const { size, root } = parseCheckpoint(parseNote(stored.bytes).body);
    return { version: stored.version, state: { size, root, note: stored.bytes } };
  }

  /** Compare-and-swap: of two processes over one store, one wins. */
  async #advance(
    origin: string,
    { note }: TreeState & { readonly note: Uint8Array },
    version: number,
  ): Promise<void> {
    const document = { kind: 'config', name: PREFIX + origin, version: version + 1, bytes: note } as const;
    if (await this.#engine.storage.documents.put(document)) return;
    throw new HashfedError('OLD_SIZE_MISMATCH', 'another checkpoint was witnessed meanwhile; ask again', {
      origin,
    });
  }
}

function wrongSize(origin: string, size: number): HashfedError {
  return new HashfedError('OLD_SIZE_MISMATCH', `the checkpoint witnessed last is of size ${size}`, {
    origin,
    field: 'old_size',
  });
}

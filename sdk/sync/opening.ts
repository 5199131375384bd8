import {
  addedHashes,
  CompactRange,
  decodeStateHead,
  equalBytes,
  HashfedError,
  hashBytes,
  ListState,
  type Origin,
  SetVerifier,
  SnapshotLoader,
  type StateHead,
  type Suite,
} from '../core/index.js';
import type { ListHead, LoadedList } from '../store/index.js';
import { changesOf, noChanges } from './changes.js';
import type { Held } from './held.js';
import { splitHashes } from './peer.js';
import { type Content, readHeld, unfit } from './stored-content.js';
import type { Changes } from './types.js';

/** The records of a list, and what its deltas did to those of its base. */
export interface Replayed {
  readonly content: Content;
  readonly changes: Changes;
}

/** Takes whole canonical rows of the base, in order; they are overwritten after. */
export type ShowRows = (rows: Uint8Array) => void;

/**
 * A stored list whose head was read and whose records were not. Keys and records can be had in any order; every byte
 * is authenticated as it is read. Errors about what is stored are for the caller to call damage.
 */
export class Opening {
  readonly held: Held;
  /** Of the newest state. */
  readonly head: StateHead;
  readonly #origin: Origin;
  readonly #suite: Suite;
  readonly #loaded: LoadedList;
  readonly #stop = new AbortController();
  /** Of the base, once they were verified. */
  #digests: Uint8Array | undefined;

  /** Throws `STORAGE_FAILED` where head and note disagree, `MALFORMED` where they cannot be read. */
  constructor(origin: Origin, suite: Suite, loaded: LoadedList) {
    this.#origin = origin;
    this.#suite = suite;
    this.#loaded = loaded;
    this.held = readHeld(loaded.head);
    this.head = decodeStateHead(loaded.head.state);
    checkHead(origin, loaded.head, this.held, this.head.size);
  }

  /** Records of the base. */
  get rowCount(): number {
    return this.#loaded.rowCount;
  }

  /** Every add_index of the base is below this. */
  get baseSize(): number {
    return this.#loaded.base.size;
  }

  /** Sorted hashes of the base's records, in pieces that are good until the next. */
  keyPieces(): AsyncIterable<Uint8Array> {
    return this.#until(this.#loaded.keyPieces());
  }

  /** Hashes that deltas added, and some that they may have tried to: a superset. */
  async *added(): AsyncGenerator<Uint8Array[]> {
    for await (const { bytes } of this.#until(this.#loaded.deltas()))
      yield addedHashes(bytes, hashBytes(this.#origin.type));
  }

  /**
   * Checks the base's records by count, order and set digest; they are shown piece by piece before that is known. Throws
   * `STORAGE_FAILED`, `MALFORMED`, `ROOT_MISMATCH`, `CANCELLED`.
   */
  async verify(show?: ShowRows): Promise<void> {
    const head = decodeStateHead(this.#loaded.base.state);
    const verifier = new SetVerifier(this.#origin, this.#suite.sha256, head);
    for await (const rows of this.#until(this.#loaded.pieces())) {
      verifier.add(rows);
      show?.(rows);
    }
    this.#digests = verifier.finish().digests;
  }

  /**
   * All of it in memory: records, deltas replayed, the edge by the note's root. `show` as in `verify`, which it throws
   * as.
   */
  async read(show?: ShowRows): Promise<Replayed> {
    const { sha256 } = this.#suite;
    const head = decodeStateHead(this.#loaded.base.state);
    const loader = new SnapshotLoader(this.#origin, sha256, head, this.#digests);
    for await (const rows of this.#until(this.#loaded.pieces())) {
      loader.add(rows);
      show?.(rows);
    }
    const state = ListState.fromLoader(loader);
    const tree = CompactRange.from(sha256, this.#loaded.base.size, splitHashes(this.#loaded.base.range));
    const changes = await this.#replay(state, tree);
    const { root } = this.held.checkpoint;
    if (state.size !== tree.size || tree.size !== this.#loaded.head.size || !equalBytes(tree.root(), root))
      throw disagreement(this.#origin);
    return { content: { state, tree, held: this.held }, changes };
  }

  async #replay(state: ListState, tree: CompactRange): Promise<Changes> {
    const staging = state.stage();
    let replayed = 0;
    for await (const { firstIndex, count, bytes } of this.#until(this.#loaded.deltas())) {
      staging.append(bytes, firstIndex);
      tree.append(this.#suite.sha256.hashLeaves(bytes, count));
      replayed += count;
    }
    if (replayed === 0) {
      staging.discard();
      return noChanges(this.#origin.text);
    }
    const range = staging.finish();
    staging.commit();
    return changesOf(state, range);
  }

  /** Ends whatever reads here, with `CANCELLED`. */
  cancel(): void {
    this.#stop.abort();
  }

  get cancelled(): boolean {
    return this.#stop.signal.aborted;
  }

  close(): Promise<void> {
    return this.#loaded.close();
  }

  async *#until<T>(parts: AsyncIterable<T>): AsyncGenerator<T> {
    for await (const part of parts) {
      if (this.#stop.signal.aborted) throw new HashfedError('CANCELLED', 'the store was closed');
      yield part;
    }
  }
}

/** Records, tree and note must be of one size and root: the store cannot know that. */
function checkHead(origin: Origin, head: ListHead, { checkpoint }: Held, size: number): void {
  const sizes = head.size === checkpoint.size && size === checkpoint.size;
  if (!sizes || !equalBytes(head.root, checkpoint.root)) throw disagreement(origin);
}

const disagreement = ({ text }: Origin): HashfedError =>
  new HashfedError('STORAGE_FAILED', 'the stored list does not make its own checkpoint', { origin: text });

/** Throws `STORAGE_FAILED`, `UPGRADE_REQUIRED`; what was loaded is closed then. */
export async function openingOf(origin: Origin, suite: Suite, loaded: LoadedList): Promise<Opening> {
  try {
    return new Opening(origin, suite, loaded);
  } catch (cause) {
    await loaded.close();
    throw unfit(origin, cause);
  }
}

/** All of it, and closes it. Throws `STORAGE_FAILED` for whatever does not fit, `CANCELLED`, `UPGRADE_REQUIRED`. */
export async function readAll(origin: Origin, opening: Opening, show?: ShowRows): Promise<Replayed> {
  try {
    return await opening.read(show);
  } catch (cause) {
    throw opening.cancelled ? cause : unfit(origin, cause);
  } finally {
    await opening.close();
  }
}

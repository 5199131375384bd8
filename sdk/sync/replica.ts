import {
  CompactRange,
  decodeStateHead,
  emptyRoot,
  equalBytes,
  type Freshness,
  HashfedError,
  ListState,
  type Liveness,
  type Origin,
  type PublisherRoot,
  parseOrigin,
  type Sha256,
  SnapshotLoader,
  type Suite,
  verifyFreshness,
  verifyLiveness,
} from '../core/index.js';
import type { ListHead, ListStore, LoadedList, Store } from '../store/index.js';
import { arrivedMs, decodeExtra, type Held, readHeldNote, type Stated } from './held.js';
import { splitHashes } from './peer.js';

const NONE = new Uint8Array();

/** The parts that move together. */
export interface Content {
  readonly state: ListState;
  readonly tree: CompactRange;
  readonly held: Held | undefined;
}

/**
 * One list as it was verified and committed here: the resident set, the tree's right edge, notes and statements. Used
 * alike by hosters, publishers' workstations, mirrors and auditors. Only `syncList` moves it; anybody may read it
 * between.
 */
export class ListReplica {
  readonly origin: Origin;
  readonly list: ListStore;
  readonly #suite: Suite;
  #content: Content;
  #root: PublisherRoot | undefined;
  /** Entries in deltas over the base. */
  pending = 0;
  /** The store and memory may differ: nothing goes on before the list was read anew. */
  #broken = false;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(origin: Origin, list: ListStore, suite: Suite) {
    this.origin = origin;
    this.list = list;
    this.#suite = suite;
    this.#content = emptyContent(origin, suite.sha256);
  }

  /**
   * What the store holds, checked: every byte authenticated, records by count and set digest, deltas replayed, the
   * tree's edge by the note's root. `STORAGE_FAILED` where it does not fit together.
   */
  static async open(store: Pick<Store, 'list'>, suite: Suite, origin: string): Promise<ListReplica> {
    const replica = new ListReplica(parseOrigin(origin), store.list(origin), suite);
    await replica.reload();
    return replica;
  }

  get state(): ListState {
    return this.#content.state;
  }

  get tree(): CompactRange {
    return this.#content.tree;
  }

  get held(): Held | undefined {
    return this.#content.held;
  }

  /** Committed size, entries. */
  get size(): number {
    return this.held?.checkpoint.size ?? 0;
  }

  /** Root of that size, 32 bytes. */
  get root(): Uint8Array {
    return this.held?.checkpoint.root ?? emptyRoot(this.#suite.sha256);
  }

  /** The note held, verbatim; empty before the first sync. */
  get checkpoint(): Uint8Array {
    return this.held?.checkpoint.note ?? NONE;
  }

  /** The note of the anchor held, verbatim; empty before the first sync. */
  get anchor(): Uint8Array {
    return this.held?.anchor.note ?? NONE;
  }

  get broken(): boolean {
    return this.#broken;
  }

  /** The publisher root that statements were verified under. */
  get publisherRoot(): PublisherRoot | undefined {
    return this.#root;
  }

  /** Statements held are verified again under it; what no longer verifies is dropped. */
  useRoot(root: PublisherRoot): void {
    if (this.#root === root) return;
    this.#root = root;
    const { held } = this.#content;
    if (held === undefined) return;
    const origin = this.origin.text;
    // They were accepted once: one that lies in the future now shows as CLOCK when the list is judged.
    const late = Number.MAX_SAFE_INTEGER;
    const freshness = keepValid(held.freshness, (one) =>
      verifyFreshness(this.#suite, root, origin, one, late),
    );
    const liveness = keepValid(held.liveness, (one) => verifyLiveness(this.#suite, root, origin, one, late));
    this.#content = { ...this.#content, held: { ...held, freshness, liveness } };
  }

  /** When a record was committed here, if after the first sync, Unix milliseconds. */
  arrivedMs(addIndex: number): number | undefined {
    return arrivedMs(this.held?.arrivals ?? [], addIndex);
  }

  /** When the first sync was committed, Unix milliseconds. */
  get firstSyncMs(): number | undefined {
    return this.held?.arrivals[0]?.ms;
  }

  /** When the newest commit was, Unix milliseconds. */
  get appliedMs(): number | undefined {
    return this.held?.arrivals.at(-1)?.ms;
  }

  /** One at a time: syncs of one list never overlap. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work, work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  /** For the sync alone: what was committed is now the list. */
  settle(content: Content & { held: Held }): void {
    this.#content = content;
    content.state.forgetBelow(content.held.anchor.size);
  }

  /** Reads the stored list, at first or after a failed write. */
  async reload(): Promise<void> {
    this.#broken = true;
    const loaded = await this.list.load();
    try {
      this.pending = loaded?.pending.entries ?? 0;
      const empty = () => emptyContent(this.origin, this.#suite.sha256);
      this.#content = loaded === undefined ? empty() : await readContent(this.origin, this.#suite, loaded);
    } catch (cause) {
      throw unfit(this.origin, cause);
    } finally {
      await loaded?.close();
    }
    const root = this.#root;
    this.#root = undefined;
    if (root !== undefined) this.useRoot(root);
    this.#broken = false;
  }
}

/** What the checks find wrong with our own disk is damage, whatever they call it. */
function unfit(origin: Origin, cause: unknown): HashfedError {
  const known = cause instanceof HashfedError && ['STORAGE_FAILED', 'UPGRADE_REQUIRED'].includes(cause.code);
  if (known) return cause;
  const why = 'the stored list is not what its head says';
  return new HashfedError('STORAGE_FAILED', why, { origin: origin.text, cause });
}

function keepValid<T>(
  stated: Stated<T> | undefined,
  verify: (envelope: Uint8Array) => T,
): Stated<T> | undefined {
  if (stated === undefined) return undefined;
  try {
    return { ...stated, statement: verify(stated.envelope) };
  } catch (error) {
    if (error instanceof HashfedError) return undefined;
    throw error;
  }
}

export function emptyContent(origin: Origin, sha: Sha256): Content {
  return { state: ListState.empty(origin, sha), tree: CompactRange.empty(sha), held: undefined };
}

async function readContent(origin: Origin, suite: Suite, loaded: LoadedList): Promise<Content> {
  const { sha256 } = suite;
  const loader = new SnapshotLoader(origin, sha256, decodeStateHead(loaded.base.state));
  for await (const rows of loaded.pieces()) loader.add(rows);
  const state = ListState.fromLoader(loader);
  const tree = CompactRange.from(sha256, loaded.base.size, splitHashes(loaded.base.range));
  const staging = state.stage();
  let replayed = 0;
  for await (const { firstIndex, count, bytes } of loaded.deltas()) {
    staging.append(bytes, firstIndex);
    tree.append(sha256.hashLeaves(bytes, count));
    replayed += count;
  }
  if (replayed > 0) {
    staging.finish();
    staging.commit();
  } else staging.discard();
  checkHead(origin, loaded.head, state, tree);
  return { state, tree, held: readHeld(loaded.head) };
}

/** Records, tree and note must be of one size and root: the store cannot know that. */
function checkHead(origin: Origin, head: ListHead, state: ListState, tree: CompactRange): void {
  const note = readHeldNote(head.checkpoint);
  const sizes = [head.size, state.size, tree.size].every((size) => size === note.size);
  if (sizes && equalBytes(tree.root(), note.root) && equalBytes(head.root, note.root)) return;
  throw new HashfedError('STORAGE_FAILED', 'the stored list does not make its own checkpoint', {
    origin: origin.text,
  });
}

/** Statements become valid with `useRoot`: until then only their envelopes are known. */
function readHeld(head: ListHead): Held {
  const stated = <T>(envelope: Uint8Array): Stated<T> | undefined =>
    envelope.length === 0 ? undefined : { statement: undefined, envelope, acceptedMono: undefined };
  return {
    checkpoint: readHeldNote(head.checkpoint),
    anchor: readHeldNote(head.anchor),
    freshness: stated<Freshness>(head.freshness),
    liveness: stated<Liveness>(head.liveness),
    ...decodeExtra(head.extra),
  };
}

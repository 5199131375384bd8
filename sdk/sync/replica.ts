import {
  CompactRange,
  decodeStateHead,
  equalBytes,
  FRESH_MS,
  type Freshness,
  HashfedError,
  judgeCurrency,
  ListState,
  type Liveness,
  type Origin,
  type OriginSettings,
  type PublisherRoot,
  parseOrigin,
  type RecordView,
  type Sha256,
  SnapshotLoader,
  type StagedRange,
  verifyFreshness,
  verifyLiveness,
} from '../core/index.js';
import type { ListHead, ListStore, LoadedList } from '../store/index.js';
import type { ClockGuard } from './clock-guard.js';
import { arrivedMs, decodeExtra, type Held, readHeldNote, type Stated } from './held.js';
import { splitHashes } from './rpc-source.js';
import type { ListChoice, Standing, SyncEnvironment } from './types.js';

/** What became of the list, told after it is durable and before anybody can sync again. */
export type ReplicaChange =
  /** Rows of `state.arena`: valid while the listener runs. */
  | { readonly kind: 'delta'; readonly range: StagedRange; readonly state: ListState }
  /** Everything may be different: rebuild what rests on it. */
  | { readonly kind: 'reset'; readonly state: ListState };

/** The parts that move together. */
export interface Content {
  readonly state: ListState;
  readonly tree: CompactRange;
  readonly held: Held | undefined;
}

/**
 * One list as it was verified and committed here: the resident set, the tree's right edge, notes and statements.
 * Only `syncList` moves it; anybody may read it between.
 */
export class ListReplica {
  readonly origin: Origin;
  readonly purpose: ListChoice['purpose'];
  readonly store: ListStore;
  readonly guard: ClockGuard;
  readonly #env: SyncEnvironment;
  readonly #listeners = new Set<(change: ReplicaChange) => void>();
  #content: Content;
  #root: PublisherRoot | undefined;
  /** Entries in the delta log over the base. */
  pending = 0;
  /** The store and memory differ: nothing more before it was opened anew. */
  #broken = false;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(env: SyncEnvironment, guard: ClockGuard, choice: ListChoice) {
    this.origin = parseOrigin(choice.origin);
    this.purpose = choice.purpose;
    this.store = env.store.list(choice.origin);
    this.guard = guard;
    this.#env = env;
    this.#content = emptyContent(this.origin, env.suite.sha256);
  }

  /**
   * Opens what is stored: every byte authenticated, count and set digest recomputed, deltas replayed. `STORAGE_FAILED`
   * for damage or rollback.
   */
  static async open(env: SyncEnvironment, guard: ClockGuard, choice: ListChoice): Promise<ListReplica> {
    const replica = new ListReplica(env, guard, choice);
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
    return this.#content.held?.checkpoint.size ?? 0;
  }

  get broken(): boolean {
    return this.#broken;
  }

  /** The publisher root that the list is judged by; undefined before the first sync after opening without one. */
  get root(): PublisherRoot | undefined {
    return this.#root;
  }

  /** Statements held are verified again under it; what no longer verifies is dropped. */
  useRoot(root: PublisherRoot): void {
    if (this.#root === root) return;
    this.#root = root;
    const { held } = this.#content;
    if (held === undefined) return;
    const { suite } = this.#env;
    const origin = this.origin.text;
    // The future is judged with the list, where it shows as CLOCK: these were accepted once.
    const late = Number.MAX_SAFE_INTEGER;
    const freshness = keepValid(held.freshness, (one) => verifyFreshness(suite, root, origin, one, late));
    const liveness = keepValid(held.liveness, (one) => verifyLiveness(suite, root, origin, one, late));
    this.#content = { ...this.#content, held: { ...held, freshness, liveness } };
  }

  /** Every record of this hash, ascending by add_index. */
  lookup(hash: Uint8Array): RecordView[] {
    return this.state.lookup(hash);
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

  /** How current the list is now. */
  standing(): Standing {
    const { held, state } = this.#content;
    if (held === undefined) return { state: 'EMPTY', causes: [], lastFreshMs: undefined };
    const nowMs = this.guard.clock.nowMs();
    const settings = this.#settings();
    if (this.#root === undefined || settings === undefined) {
      const last = held.lastFreshMs || undefined;
      return { state: 'STALE', causes: ['FRESHNESS'], lastFreshMs: last };
    }
    const judgement = judgeCurrency({
      nowMs,
      clockTrusted: this.guard.trusted(),
      rootExpiresMs: this.#root.expiresMs,
      hasLiveKey: this.#root.roles.live.keys.length > 0,
      settings,
      held: held.checkpoint,
      sealMs: state.head.seal?.timeMs ?? 0,
      freshness: held.freshness?.statement,
      liveness: held.liveness?.statement,
      freshnessHeldMs: this.#heldFor(held.freshness),
      livenessHeldMs: this.#heldFor(held.liveness),
    });
    if (judgement.state === 'FRESH') return { state: 'FRESH', causes: [], lastFreshMs: nowMs };
    return { ...judgement, lastFreshMs: lastFresh(held, settings, nowMs) };
  }

  /** Called with every change. Returns what takes the listener off again. */
  onChange(listener: (change: ReplicaChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** One at a time: syncs of one list never overlap. */
  async exclusive<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#turn;
    const mine = before.then(work, work);
    this.#turn = mine.catch(() => {});
    return await mine;
  }

  /** For the sync alone: what was committed is now the list. */
  settle(content: Content, change: ReplicaChange | undefined): void {
    this.#content = content;
    if (content.held !== undefined) content.state.forgetBelow(content.held.anchor.size);
    if (change === undefined) return;
    for (const listener of this.#listeners) listener(change);
  }

  /** Opens the stored state anew, after a failed commit or for the first time. */
  async reload(): Promise<void> {
    this.#broken = true;
    const loaded = await this.store.load();
    try {
      this.pending = loaded?.pending.entries ?? 0;
      this.#content =
        loaded === undefined
          ? emptyContent(this.origin, this.#env.suite.sha256)
          : await readContent(this.origin, this.#env, loaded);
    } finally {
      await loaded?.close();
    }
    this.guard.sawTime(this.appliedMs ?? 0);
    const root = this.#root;
    this.#root = undefined;
    if (root !== undefined) this.useRoot(root);
    this.#broken = false;
  }

  #settings(): OriginSettings | undefined {
    return this.#root?.origins.get(this.origin.text);
  }

  #heldFor(stated: Stated<unknown> | undefined): number {
    const since = stated?.acceptedMono;
    return since === undefined ? 0 : this.guard.clock.monotonicMs() - since;
  }
}

/** The latest moment at which both statements still made the list FRESH, and what is known from before. */
function lastFresh(held: Held, settings: OriginSettings, nowMs: number): number | undefined {
  const freshness = held.freshness?.statement;
  const liveness = held.liveness?.statement;
  let last = held.lastFreshMs;
  if (freshness !== undefined && freshness.size >= held.checkpoint.size) {
    const until = freshness.issuedAtMs + FRESH_MS;
    const alive = liveness === undefined ? until : liveness.timeMs + settings.maxSilenceMs;
    last = Math.max(last, Math.min(until, alive, nowMs));
  }
  return last === 0 ? undefined : last;
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

async function readContent(origin: Origin, env: SyncEnvironment, loaded: LoadedList): Promise<Content> {
  const { sha256 } = env.suite;
  const loader = new SnapshotLoader(origin, sha256, decodeStateHead(loaded.base.state));
  for await (const rows of loaded.buckets()) loader.add(rows);
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

import {
  CompactRange,
  concat,
  decodeStateHead,
  encodeStateHead,
  equalBytes,
  type Freshness,
  HashfedError,
  ListState,
  type Liveness,
  type Origin,
  parseOrigin,
  SnapshotLoader,
  type StateHead,
  type Suite,
} from '../core/index.js';
import type { ListHead, ListStore, LoadedList, Store } from '../store/index.js';
import { decodeExtra, encodeExtra, type ListExtra, NO_EXTRA } from './extra.js';

const NONE = new Uint8Array();

/** A verified statement and when, on the monotonic clock, this process accepted it; 0 where before its start. */
export interface HeldStatement<T> {
  readonly statement: T;
  readonly acceptedAt: number;
}

/**
 * One list as this client holds it: the verified set in memory, the tree's right edge, the notes it rests on. Used
 * alike by hosters, publishers' workstations, mirrors and auditors. Only sync changes it.
 */
export class ListReplica {
  readonly origin: Origin;
  readonly list: ListStore;
  state: ListState;
  range: CompactRange;
  checkpoint: Uint8Array = NONE;
  anchor: Uint8Array = NONE;
  freshnessEnvelope: Uint8Array = NONE;
  livenessEnvelope: Uint8Array = NONE;
  freshness: HeldStatement<Freshness> | undefined;
  liveness: HeldStatement<Liveness> | undefined;
  extra: ListExtra = NO_EXTRA;
  /** True once the store holds a base for it; entries in the store above that base. */
  hasBase = false;
  pendingEntries = 0;
  /** Rises with every change of the set, so that an index knows whether it is current. */
  revision = 0;

  constructor(origin: Origin, list: ListStore, suite: Suite) {
    this.origin = origin;
    this.list = list;
    this.state = ListState.empty(origin, suite.sha256);
    this.range = CompactRange.empty(suite.sha256);
  }

  get size(): number {
    return this.state.size;
  }

  get root(): Uint8Array {
    return this.range.root();
  }

  /**
   * What the store holds, checked: records by the last SEAL's count and digest, deltas replayed, the tree's edge by
   * the head's root. Throws STORAGE_FAILED where it does not fit together.
   */
  static async open(store: Store, suite: Suite, originText: string): Promise<ListReplica> {
    const origin = parseOrigin(originText);
    const replica = new ListReplica(origin, store.list(origin.text), suite);
    const loaded = await replica.list.load();
    if (loaded === undefined) return replica;
    try {
      await replica.#fill(loaded, suite);
    } catch (cause) {
      const kept = cause instanceof HashfedError && cause.code === 'STORAGE_FAILED';
      throw kept
        ? cause
        : new HashfedError('STORAGE_FAILED', 'the stored list is not what its head says', {
            origin: origin.text,
            cause,
          });
    } finally {
      await loaded.close();
    }
    return replica;
  }

  async #fill(loaded: LoadedList, suite: Suite): Promise<void> {
    const loader = new SnapshotLoader(this.origin, suite.sha256, decodeStateHead(loaded.base.state));
    for await (const records of loaded.buckets()) loader.add(records);
    this.state = ListState.fromLoader(loader);
    this.state.compact();
    this.range = rangeOf(suite, loaded.base);
    await this.#replay(loaded, suite);
    if (this.size !== loaded.head.size || !equalBytes(this.root, loaded.head.root)) {
      throw new HashfedError('STORAGE_FAILED', 'the stored entries do not make the stored root', {
        origin: this.origin.text,
      });
    }
    this.adopt(loaded.head);
    this.hasBase = true;
    this.pendingEntries = loaded.pending.entries;
  }

  async #replay(loaded: LoadedList, suite: Suite): Promise<void> {
    if (loaded.pending.entries === 0) return;
    const staging = this.state.stage();
    try {
      for await (const { bytes, count, firstIndex } of loaded.deltas()) {
        staging.append(bytes, firstIndex);
        this.range.append(suite.sha256.hashLeaves(bytes, count));
      }
      staging.finish();
      staging.commit();
    } finally {
      staging.discard();
    }
  }

  /** Takes over the notes and statements of a head, as bytes. */
  adopt(head: ListHead): void {
    this.checkpoint = head.checkpoint;
    this.anchor = head.anchor;
    this.freshnessEnvelope = head.freshness;
    this.livenessEnvelope = head.liveness;
    this.extra = decodeExtra(head.extra);
  }

  /** The head that the store is to hold for a state and tree: by default what is resident now. */
  head(state: StateHead = this.state.head, tree: CompactRange = this.range): ListHead {
    return {
      size: tree.size,
      root: tree.root(),
      checkpoint: this.checkpoint,
      anchor: this.anchor,
      freshness: this.freshnessEnvelope,
      liveness: this.livenessEnvelope,
      state: encodeStateHead(state),
      range: concat(...tree.hashes),
      sealCounts: NONE,
      extra: encodeExtra(this.extra),
    };
  }
}

function rangeOf(suite: Suite, head: ListHead): CompactRange {
  const hashes: Uint8Array[] = [];
  for (let at = 0; at < head.range.length; at += 32) hashes.push(head.range.subarray(at, at + 32));
  return CompactRange.from(suite.sha256, head.size, hashes);
}

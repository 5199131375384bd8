/** What the store offers for lists. */

/** The verified state of one list, as its follower commits it. Byte fields are kept verbatim; empty = none. */
export interface ListHead {
  /** Committed tree size, leaves. */
  readonly size: number;
  /** Root of that size, 32 bytes. */
  readonly root: Uint8Array;
  readonly checkpoint: Uint8Array;
  readonly anchor: Uint8Array;
  readonly freshness: Uint8Array;
  readonly liveness: Uint8Array;
  /** The core's encoded state head: what continuing from the records needs. */
  readonly state: Uint8Array;
  /** Compact range of `size`: n × 32 bytes. */
  readonly range: Uint8Array;
  /** Running counts at each SEAL above the anchor; the follower's encoding. */
  readonly sealCounts: Uint8Array;
  /** Anything else the follower must find again together with this size (root version, first-sync time). */
  readonly extra: Uint8Array;
}

/** One bundle of verified leaves `(u16 len | leaf)*`; `firstIndex` is the index of its first leaf. */
export interface StoredBundle {
  readonly firstIndex: number;
  readonly count: number;
  readonly bytes: Uint8Array;
}

export interface DeltaCommit {
  /** At most 100,000 leaves together. Empty: only the head moves (new notes for the same size). */
  readonly bundles: readonly StoredBundle[];
  readonly newHead: ListHead;
}

/** All rows of the base in one shared buffer. */
export interface RowTable {
  /** Canonical records, sorted by (hash, add_index); backed by a SharedArrayBuffer. */
  readonly bytes: Uint8Array;
  /** 2^bucket_bits + 1 byte offsets into `bytes`. */
  readonly bucketOffsets: Float64Array;
  /** Rows of bucket b: a view, no copy. */
  bucket(b: number): Uint8Array;
}

/** One consistent view of a list: a base segment and the deltas committed over it. */
export interface LoadedList {
  readonly origin: string;
  /** The state of the base rows; deltas are replayed over `base.state`. */
  readonly base: ListHead;
  /** The newest committed state: `base` where there are no deltas. */
  readonly head: ListHead;
  /** Rises by one with every commit; another value later means that somebody committed. */
  readonly sequence: number;
  readonly rowCount: number;
  readonly hashBytes: number;
  readonly bucketBits: number;
  readonly pending: { readonly entries: number; readonly bytes: number };
  /** True when a rebuild should fold the deltas into a new base soon. */
  readonly wantsRebuild: boolean;
  /** Hashes of the base, sorted, `rowCount × hashBytes`; key i belongs to row i. SharedArrayBuffer. */
  keys(): Promise<Uint8Array>;
  /** The same keys in pieces of whole keys, in bounded memory. */
  keyPieces(): AsyncIterable<Uint8Array>;
  rows(): Promise<RowTable>;
  /** The same rows, one bucket at a time, in bounded memory. */
  buckets(): AsyncIterable<Uint8Array>;
  /** The same rows in fewer pieces, which end between buckets. */
  pieces(): AsyncIterable<Uint8Array>;
  /** Leaf hashes of the base, 32 bytes each, in pieces; empty where the base was written without them. */
  leafHashes(): AsyncIterable<Uint8Array>;
  /** Bundles committed since the base, in order. */
  deltas(): AsyncIterable<StoredBundle>;
  close(): Promise<void>;
}

/** All rows of one bucket of a base. */
export interface SalvagedBucket {
  readonly bucket: number;
  readonly rows: Uint8Array;
}

/** What can still be read of a list, damaged or not: every byte is authentic, and nothing says that it is all. */
export interface Salvage {
  /** The newest head that can be read; undefined: none. */
  readonly head: ListHead | undefined;
  readonly bucketBits: number;
  /** Whole buckets of the base, ascending, without the empty ones; may be read again. */
  buckets(): AsyncIterable<SalvagedBucket>;
  close(): Promise<void>;
}

export interface RebuildOptions {
  /** Bytes of one hash of this list's type. */
  readonly hashBytes: number;
  readonly bucketBits: number;
  /** Rows that will be added; checked at `commit`. */
  readonly rowCount: number;
  /** Leaf hashes that will be added; 0 or absent = none. Where given, it equals the new head's size. */
  readonly leafCount?: number;
  /**
   * Sequence of the view whose state this rebuild writes out (a merge in the background): deltas committed
   * after that view are carried over. Absent: the rebuild stands for a newer state, and a delta committed
   * since it began makes `commit` fail with `OLD_SIZE_MISMATCH`.
   */
  readonly folds?: number;
}

/** Writes a new base in bounded memory. Nothing is visible before `commit`; one at a time per list. */
export interface Rebuild {
  /** Canonical rows of bucket `b`; buckets come in ascending order, empty ones may be left out. */
  addBucket(b: number, rows: Uint8Array): Promise<void>;
  /** 32-byte leaf hashes of the next leaves. */
  addLeafHashes(hashes: Uint8Array): Promise<void>;
  /** Syncs everything, then makes it the list with one atomic rename of the head. */
  commit(newHead: ListHead): Promise<void>;
  /** Forgets what was written. Safe after `commit` (does nothing). */
  abort(): Promise<void>;
}

/** Verified or unverified bundles on their way into a rebuild: lets a cut first sync go on where it stopped. */
export interface StagedBundles {
  /** Bundles that survived, in order. */
  read(): AsyncIterable<StoredBundle>;
  append(bundles: readonly StoredBundle[]): Promise<void>;
  discard(): Promise<void>;
}

export interface ListStore {
  readonly origin: string;
  /** undefined: nothing was ever committed. Throws `STORAGE_FAILED` for damage, truncation or rollback. */
  load(): Promise<LoadedList | undefined>;
  /** For repairing a list that `load` refuses. Damage never makes it fail. */
  salvage(): Promise<Salvage>;
  /** Appends one synced record to the delta log. `USAGE` where no base exists yet. */
  commitDelta(delta: DeltaCommit): Promise<void>;
  /** Newer freshness and liveness for the committed size, without a commit. */
  putStatements(freshness: Uint8Array, liveness: Uint8Array): Promise<void>;
  beginRebuild(options: RebuildOptions): Promise<Rebuild>;
  staging(): Promise<StagedBundles>;
  /** Reads and authenticates every byte of base and deltas; throws `STORAGE_FAILED` naming what is bad. */
  scrub(): Promise<void>;
  /** Removes the list (a closed generation, `leave`). Its head's notes can be kept as a document first. */
  drop(): Promise<void>;
}

/**
 * What the hoster's store offers to sync, SDK and telemetry. Everything that returns a promise of a write
 * MUST be durable when it resolves. Any write error is fatal: the store then answers `STORAGE_FAILED` to
 * every write until it is closed, reopened and thereby checked; a failed write is unknown, not absent.
 */

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
  rows(): Promise<RowTable>;
  /** The same rows, one bucket at a time, in bounded memory. */
  buckets(): AsyncIterable<Uint8Array>;
  /** Leaf hashes of the base, 32 bytes each, in pieces; empty where the base was written without them. */
  leafHashes(): AsyncIterable<Uint8Array>;
  /** Bundles committed since the base, in order. */
  deltas(): AsyncIterable<StoredBundle>;
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

export type JournalAction = 'hold' | 'block';
export type JournalState = 'held' | 'blocked' | 'released' | 'handed-over' | 'deleted';

/** One match that quarantined one object. An object stays quarantined while any of its entries does. */
export interface JournalEntry {
  /** 32 hexadecimal digits, random. */
  readonly id: string;
  /** The integrator's own reference of the object. */
  readonly ref: string;
  /** 16 bytes. */
  readonly itemId: Uint8Array;
  readonly origin: string;
  readonly addIndex: number;
  /** Checkpoint under which it matched. */
  readonly size: number;
  readonly root: Uint8Array;
  readonly action: JournalAction;
  readonly timeMs: number;
  /** Caused by the operator's test list: excluded from every figure. */
  readonly drill: boolean;
  readonly state: JournalState;
  readonly changedMs: number;
}

export type NewJournalEntry = Omit<JournalEntry, 'id' | 'state' | 'changedMs'>;

export interface JournalChange {
  readonly sequence: number;
  readonly id: string;
  readonly timeMs: number;
  readonly state: JournalState;
  /** Why: `match`, `withdrawn`, `suppressed`, `operator`, or the integrator's word; ≤ 256 bytes. */
  readonly cause: string;
}

export interface Journal {
  /** One synced batch. The same (ref, origin, add_index) that is still quarantined is not entered twice. */
  add(entries: readonly NewJournalEntry[]): Promise<JournalEntry[]>;
  get(id: string): Promise<JournalEntry | undefined>;
  byState(state: JournalState, options?: { after?: string; limit?: number }): Promise<JournalEntry[]>;
  byRef(ref: string): Promise<JournalEntry[]>;
  byRecord(origin: string, addIndex: number): Promise<JournalEntry[]>;
  byItem(itemId: Uint8Array): Promise<JournalEntry[]>;
  /**
   * Moves entries; answers those that really moved. held and blocked go to released, handed-over or deleted;
   * released and handed-over to deleted; everything else is left as it is.
   */
  move(ids: readonly string[], state: JournalState, cause: string): Promise<JournalEntry[]>;
  /** Releases every quarantined entry that these records of `origin` caused; answers the released ones. */
  release(origin: string, addIndexes: readonly number[], cause: string): Promise<JournalEntry[]>;
  history(id?: string): Promise<JournalChange[]>;
}

export type SpoolState = 'queued' | 'sent' | 'receipted';

export interface SpooledReport {
  /** 32 hexadecimal digits, random, persisted before the report is first sent. */
  readonly id: string;
  /** From 1, without gaps. */
  readonly sequence: number;
  /** SHA-256 of the report before; 32 zero bytes for the first. */
  readonly previous: Uint8Array;
  readonly window: string;
  readonly revision: number;
  /** The signed report, sent again byte for byte. */
  readonly bytes: Uint8Array;
  readonly state: SpoolState;
  readonly queuedMs: number;
  readonly receipt: Uint8Array;
  readonly monitorReceipt: Uint8Array;
}

export interface ReportSlot {
  readonly id: string;
  readonly sequence: number;
  readonly previous: Uint8Array;
}

export interface Spool {
  /**
   * Closes a window: hands its counts to `build`, and stores the report and forgets the counts in one synced
   * batch, so that they are reported exactly once. `WINDOW_OVERLAP` where (window, revision) was queued before.
   */
  enqueue(
    window: string,
    revision: number,
    build: (slot: ReportSlot, counts: WindowCounts) => Uint8Array | Promise<Uint8Array>,
  ): Promise<SpooledReport>;
  /** In order of sequence; without `state` all that are kept. */
  list(state?: SpoolState): Promise<SpooledReport[]>;
  get(id: string): Promise<SpooledReport | undefined>;
  markSent(id: string): Promise<void>;
  putReceipt(id: string, receipt: Uint8Array): Promise<void>;
  putMonitorReceipt(id: string, receipt: Uint8Array): Promise<void>;
  /** Forgets a report; `USAGE` unless server and monitor have both answered. */
  remove(id: string): Promise<void>;
  /** What the next report will carry. */
  next(): Promise<{ sequence: number; previous: Uint8Array }>;
}

export interface WindowCounts {
  readonly window: string;
  readonly counts: ReadonlyMap<string, number>;
  /** Distinct members seen, by set name. */
  readonly distinct: ReadonlyMap<string, number>;
}

/**
 * Counts by window. Counting is synchronous and costs no I/O; a write-behind makes it durable within one
 * second. A crash loses at most what was counted in that second, and never counts twice.
 */
export interface Counters {
  add(window: string, name: string, n?: number): void;
  /** Counts `member` once per window and set; only a keyed digest of it is kept. */
  addDistinct(window: string, set: string, member: Uint8Array): void;
  read(window: string): Promise<WindowCounts>;
  windows(): Promise<string[]>;
  flush(): Promise<void>;
}

export type DocumentKind = 'root' | 'directory' | 'evidence' | 'other';

/** Versioned signed documents, verbatim. Readable by other processes while a writer runs. */
export interface Documents {
  /** Durable when it resolves. Other bytes under a version that exists: `EQUIVOCATION`. */
  put(kind: DocumentKind, name: string, version: number, bytes: Uint8Array): Promise<void>;
  get(kind: DocumentKind, name: string, version: number): Promise<Uint8Array | undefined>;
  versions(kind: DocumentKind, name: string): Promise<number[]>;
  /** `STORAGE_FAILED` where a version that was once stored is gone. */
  latest(kind: DocumentKind, name: string): Promise<{ version: number; bytes: Uint8Array } | undefined>;
}

/** Small values by name: probation start, suppressions, cursors. */
export interface Settings {
  get(name: string): Promise<Uint8Array | undefined>;
  put(name: string, value: Uint8Array): Promise<void>;
  remove(name: string): Promise<void>;
}

/** What a reader leaves for the writer: journal entries of a process that does not hold the ledger. */
export interface Inbox {
  put(entries: readonly NewJournalEntry[]): Promise<void>;
  /** Writer only: moves everything into the journal, exactly once; answers how many entries. */
  absorb(): Promise<number>;
}

export interface Store {
  readonly readOnly: boolean;
  /** The writer before stopped without closing: verify the full Merkle root before a list serves. */
  readonly unclean: boolean;
  list(origin: string): ListStore;
  origins(): Promise<string[]>;
  readonly documents: Documents;
  readonly inbox: Inbox;
  /** These four throw `STORAGE_FAILED` in a read-only store: one process holds the ledger. */
  readonly journal: Journal;
  readonly spool: Spool;
  readonly counters: Counters;
  readonly settings: Settings;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

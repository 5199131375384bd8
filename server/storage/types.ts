/**
 * The storage seam of the server: what services see. One implementation of these interfaces stands on the
 * `Kernel` and is shared by all backends. Every method may reject with `STORAGE_FAILED` (a damaged value, or a
 * store that failed before: reopen it) and, where it takes a signal, with `CANCELLED`. Roots and hashes are 32
 * bytes, times Unix milliseconds, sizes and indexes below 2^53.
 */
import type { ProofPlan } from '../../sdk/core/index.js';

/** The committed end of one origin's log. */
export interface Head {
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
  /** Compact range of [0, size): roots of the complete subtrees, largest first. */
  readonly compactRange: readonly Uint8Array[];
  /** Signed checkpoint note for (size, root), verbatim. */
  readonly note: Uint8Array;
  /** Newest two-key note, verbatim; empty when there is none yet. */
  readonly anchor: Uint8Array;
  /** The caller's own summary of the state at `size` (at most 1 MiB), committed with the head. */
  readonly state: Uint8Array;
  /** Grows with every change of this head, merged notes included. */
  readonly revision: number;
}

/** A staged range of one log: bytes and tree nodes durable, visible to nobody until a commit links it. */
export interface Segment {
  /** 32 hex digits. */
  readonly id: string;
  readonly origin: string;
  readonly from: number;
  readonly to: number;
  /** Root of [0, from), which a commit compares with the head's. */
  readonly fromRoot: Uint8Array;
  readonly root: Uint8Array;
  readonly compactRange: readonly Uint8Array[];
  /** SHA-256 of the packed entry bytes of [from, to) as one bundle. */
  readonly digest: Uint8Array;
  readonly createdMs: number;
}

/** Packed leaves `(u16 len | leaf)*` from index `first` on; an erased leaf is `u16 0 | 32 B leaf hash`. */
export interface Bundle {
  readonly first: number;
  readonly count: number;
  readonly bytes: Uint8Array;
}

/** Writes one segment. Memory is bounded whatever its length. Not for concurrent calls. */
export interface Stager {
  /**
   * Adds checked, packed leaves (at most 4 MiB a call; framing is checked again). Bundles are cut anew to
   * 64–256 KiB. Throws `MALFORMED`.
   */
  append(bytes: Uint8Array): Promise<void>;
  /** MUST be durable, tree nodes included, once it resolves. At least one leaf. */
  finish(): Promise<Segment>;
  /** Gives the bytes back; also after `finish`, as long as nothing committed the segment. */
  abort(): Promise<void>;
}

export interface CommitPart {
  readonly origin: string;
  /** Segment ids, each beginning where the one before ends; the first at the head. */
  readonly segments: readonly string[];
  /** What the note says; compared with the last segment's. */
  readonly size: number;
  readonly root: Uint8Array;
  readonly note: Uint8Array;
  readonly anchor: Uint8Array;
  readonly state: Uint8Array;
}

export interface ReadOptions {
  readonly from: number;
  readonly to: number;
  readonly signal?: AbortSignal;
}

export interface LogStore {
  /** The committed head, or undefined for an origin without one. */
  head(origin: string): Promise<Head | undefined>;
  /** All heads, by origin. */
  heads(): AsyncIterable<Head>;
  /**
   * Begins a segment at the head of `origin` (size 0 where there is none) or, with `after`, at the end of a
   * finished segment. Throws `NOT_FOUND` for an unknown `after`.
   */
  stage(origin: string, after?: string): Promise<Stager>;
  /** A finished segment, or undefined; committed ones are found for ever, dropped ones no more. */
  segment(id: string): Promise<Segment | undefined>;
  /** The packed leaves of a finished segment, committed or not (before a commit they are re-read and re-hashed). */
  readSegment(id: string, signal?: AbortSignal): AsyncIterable<Bundle>;
  /**
   * Makes all parts visible together, or none: compare-and-swap on every origin's (size, root). MUST be
   * durable once it resolves; readers MUST never see one part without the others. Documents are put in the
   * same transaction. Throws `OLD_SIZE_MISMATCH` where a head moved, `ROOT_MISMATCH` where `size` or `root`
   * is not the last segment's, `NOT_FOUND` for an unknown segment. Cost does not depend on the segments'
   * length.
   */
  commit(parts: readonly CommitPart[], documents?: readonly DocumentPut[]): Promise<readonly Head[]>;
  /**
   * Replaces notes (and state) of the same (size, root): for merged signature lines and anchors. Resolves to
   * undefined, having written nothing, when the head's revision is no longer `current.revision`.
   */
  replaceNotes(
    current: Head,
    change: Partial<Pick<Head, 'note' | 'anchor' | 'state'>>,
  ): Promise<Head | undefined>;
  /**
   * Bundles that cover exactly [from, to) in order, small neighbours joined, none above 256 KiB. Pulls from
   * the store only as fast as the consumer reads. Throws `UNKNOWN_ORIGIN`, and `SIZE_AHEAD` when `to` is above
   * the committed size. A gap or damaged bundle is `STORAGE_FAILED`, never a short answer.
   */
  read(origin: string, options: ReadOptions): AsyncIterable<Bundle>;
  /** Packed leaf hashes of [from, to), at most 8,192 (256 KiB) a piece. Throws as `read`. */
  readLeafHashes(origin: string, options: ReadOptions): AsyncIterable<Bundle>;
  /**
   * A reader of tree nodes for inclusion and consistency proofs: the hash of the complete subtree of 2^level
   * leaves at `index`. Every node lies in one tile of 256 hashes; tiles are read once per reader, so that a
   * proof costs O(log n) reads. Throws `SIZE_AHEAD` for a node that is not complete at the committed size.
   */
  nodes(origin: string): NodeReader;
  /**
   * Replaces the leaves by `u16 0 | leaf hash` in place, durably and physically (older bytes are purged before
   * it resolves). Already erased ones are skipped; resolves to how many were erased. Indexes ascending.
   * Roots, sizes and notes do not change. Throws `UNKNOWN_ORIGIN`, `SIZE_AHEAD`.
   */
  erase(origin: string, indexes: readonly number[], signal?: AbortSignal): Promise<number>;
}

export interface NodeReader {
  /** One complete node; 32 bytes. */
  node(level: number, index: number): Promise<Uint8Array>;
  /** Reads all nodes of a plan (`planInclusion`, `planConsistency`) and hands back what folding it needs. */
  load(plan: ProofPlan): Promise<(level: number, index: number) => Uint8Array>;
}

/** What PrepareBatch fixed, over one or several origins. */
export interface PreparedBatch {
  /** 32 hex digits, chosen by the store. */
  readonly id: string;
  readonly createdMs: number;
  /** Segment ids; their origins are distinct. */
  readonly segments: readonly string[];
  /** The caller's bytes (the answer that was given, say), at most 1 MiB. */
  readonly body: Uint8Array;
  /** AbortBatch hides a batch and deletes nothing. */
  readonly hidden: boolean;
}

export interface PreparedStore {
  /** MUST be durable once it resolves. Throws `NOT_FOUND` for an unknown segment. */
  put(segments: readonly string[], body: Uint8Array): Promise<PreparedBatch>;
  get(id: string): Promise<PreparedBatch | undefined>;
  /** Oldest first. */
  list(options?: PageOptions): Promise<Page<PreparedBatch>>;
  /** False for an unknown id. */
  hide(id: string): Promise<boolean>;
  /**
   * Deletes what no commit can use any more: segments whose `from` a head has passed, or older than 30 days
   * (unfinished ones: one day), with the batches that name them. Never a committed segment. Resolves to how
   * many segments went. Safe beside all other calls and when cut off.
   */
  sweep(signal?: AbortSignal): Promise<number>;
}

/**
 * Kinds of versioned small values. History is kept for `root` and `directory`; of the others the newest
 * version only. `idempotency` remembers answers by request digest.
 */
export type DocumentKind =
  | 'root'
  | 'directory'
  | 'freshness'
  | 'liveness'
  | 'config'
  | 'snapshot-index'
  | 'case'
  | 'idempotency';

export interface Document {
  readonly kind: DocumentKind;
  /** At most 256 bytes of UTF-8 without NUL. */
  readonly name: string;
  /** 1 for the first, then +1 each. */
  readonly version: number;
  /** At most 4 MiB, verbatim. */
  readonly bytes: Uint8Array;
}

/** Succeeds only where the newest version is `version` − 1 (none for 1). */
export type DocumentPut = Document;

export interface DocumentStore {
  /** The newest version, or the one named; undefined when there is none. */
  get(kind: DocumentKind, name: string, version?: number): Promise<Document | undefined>;
  /**
   * Puts all or none, durably. False, having written nothing, where a newest version is not the one before:
   * of two concurrent puts of one version exactly one succeeds.
   */
  put(...documents: readonly DocumentPut[]): Promise<boolean>;
  /** Newest version of each name of a kind, by name. */
  list(kind: DocumentKind, options?: PageOptions): Promise<Page<Document>>;
  /** All kept versions of a name, ascending. */
  versions(kind: DocumentKind, name: string, options?: PageOptions): Promise<Page<Document>>;
  /** Deletes every version. For `idempotency`, `case` and `config` only; others are `USAGE`. */
  drop(kind: DocumentKind, name: string): Promise<void>;
}

export interface PageOptions {
  /** 1–1,000, default 100. */
  readonly pageSize?: number;
  /** As returned; checked, since it comes from a peer: a foreign one is `MALFORMED`. */
  readonly pageToken?: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Empty at the end. */
  readonly nextPageToken: string;
}

/** A signed telemetry report as it was received. */
export interface StoredReport {
  readonly member: string;
  /** Label of the window as the caller writes it, ordered as text (`2026-11-24` or `2026-11-24T07`). */
  readonly window: string;
  readonly revision: number;
  readonly receivedMs: number;
  /** Position in order of arrival over all members, from 1, dense; set by the store. */
  readonly sequence: number;
  readonly bytes: Uint8Array;
}

export interface StoredReceipt {
  readonly member: string;
  readonly window: string;
  readonly revision: number;
  /** Who signed: the server at once, the monitor when it read. */
  readonly by: 'server' | 'monitor';
  readonly bytes: Uint8Array;
}

export interface ReportQuery extends PageOptions {
  readonly member?: string;
  /** Inclusive lower and exclusive upper bound of the window label; need `member`. */
  readonly fromWindow?: string;
  readonly toWindow?: string;
}

export interface TelemetryStore {
  /**
   * Stores a report with the server's receipt, durably, in one transaction. A report with the same (member,
   * window, revision) and the same bytes resolves to the stored one (`fresh` false, receipt of the first
   * time); other bytes are `TELEMETRY_CONFLICT`. Of concurrent ones exactly one is fresh.
   */
  put(
    report: Omit<StoredReport, 'sequence'>,
    receipt: Uint8Array,
  ): Promise<{ report: StoredReport; receipt: Uint8Array; fresh: boolean }>;
  get(member: string, window: string, revision: number): Promise<StoredReport | undefined>;
  /** By member, window, revision. */
  list(query: ReportQuery): Promise<Page<StoredReport>>;
  /** In order of arrival, after `sequence` (0 for all): what a watch sends. */
  arrivals(after: number, limit: number, signal?: AbortSignal): Promise<readonly StoredReport[]>;
  /** Replaces an earlier receipt by the same party. */
  putReceipt(receipt: StoredReceipt): Promise<void>;
  receipt(
    member: string,
    window: string,
    revision: number,
    by: StoredReceipt['by'],
  ): Promise<StoredReceipt | undefined>;
}

/** The newest state a member reported for one list. */
export interface StoredSyncState {
  readonly member: string;
  readonly origin: string;
  readonly receivedMs: number;
  readonly bytes: Uint8Array;
}

export interface SyncStateStore {
  /** Keeps the one with the larger receivedMs (the later call among equals), durably. */
  put(state: StoredSyncState): Promise<void>;
  get(member: string, origin: string): Promise<StoredSyncState | undefined>;
  /** By (origin, member); of one origin only where it is named. */
  list(options?: PageOptions & { readonly origin?: string }): Promise<Page<StoredSyncState>>;
}

export interface BudgetStore {
  /**
   * Adds `amount` to the counter of (member, budget, window) unless that passes `limit`; resolves to what is
   * left. Durable before it resolves; concurrent spends never pass the limit together. Throws
   * `BUDGET_EXCEEDED`, having added nothing. A member's older windows of that budget are dropped.
   */
  spend(member: string, budget: string, window: number, amount: number, limit: number): Promise<number>;
  spent(member: string, budget: string, window: number): Promise<number>;
}

/** Which set of parts: uploads by their id, snapshots by (origin, anchor size). */
export interface PartsKey {
  readonly space: 'upload' | 'snapshot';
  /** At most 256 bytes of UTF-8 without NUL. */
  readonly name: string;
  /** Anchor size for snapshots, 0 for uploads. */
  readonly version: number;
}

/** The index that makes a set complete and immutable. */
export interface PartsIndex extends PartsKey {
  readonly createdMs: number;
  readonly count: number;
  /** The caller's description, at most 1 MiB. */
  readonly body: Uint8Array;
}

export interface PartsStore {
  /** One part (at most 4 MiB), durable. Overwrites while the set is open; `USAGE` once it is complete. */
  putPart(key: PartsKey, number: number, bytes: Uint8Array): Promise<void>;
  /** Closes the set: parts 0 … count−1 MUST be there (`NOT_FOUND`). Visible to `index` from here on. */
  complete(key: PartsKey, count: number, body: Uint8Array): Promise<PartsIndex>;
  index(key: PartsKey): Promise<PartsIndex | undefined>;
  /** Complete sets of a name, by version ascending. */
  versions(space: PartsKey['space'], name: string): Promise<readonly PartsIndex[]>;
  /** One part, complete set or not; undefined when absent. */
  part(key: PartsKey, number: number): Promise<Uint8Array | undefined>;
  /** Parts from `from` on, in order; a gap in a complete set is `STORAGE_FAILED`. */
  parts(
    key: PartsKey,
    from?: number,
    signal?: AbortSignal,
  ): AsyncIterable<{ number: number; bytes: Uint8Array }>;
  /** Deletes index and parts; `purge` also removes older bytes physically. */
  drop(key: PartsKey, options?: { readonly purge?: boolean }): Promise<void>;
}

export interface CheckOptions {
  /**
   * False: heads, segment chain, edge tiles and root of every log, O(log n) reads each. True: also every row's
   * checksum, every bundle replayed, every leaf hash, tile and root computed anew.
   */
  readonly full: boolean;
  readonly signal?: AbortSignal;
  /** Called now and then with the number of leaves replayed so far. */
  readonly onProgress?: (leaves: number) => void;
}

export interface CheckReport {
  readonly ok: boolean;
  /** One sentence each: the kind of key, the origin and position where known; never contents. */
  readonly problems: readonly { readonly origin?: string; readonly message: string }[];
  readonly origins: number;
  readonly leaves: number;
}

export interface Storage {
  readonly logs: LogStore;
  readonly prepared: PreparedStore;
  readonly documents: DocumentStore;
  readonly telemetry: TelemetryStore;
  readonly syncStates: SyncStateStore;
  readonly budgets: BudgetStore;
  readonly parts: PartsStore;
  /** Looks, repairs nothing, never throws for damage it finds. Safe while serving (a scrubber calls it). */
  check(options: CheckOptions): Promise<CheckReport>;
  /** Why the store stopped: any failed write is fatal until it is closed, reopened and checked. */
  readonly failure: Error | undefined;
  /** Waits for running writes; idempotent. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

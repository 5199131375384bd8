/** The seam's part for everything but logs: documents, member tables, parts. */

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
  /** Forgets it; no error where there is none. */
  drop(member: string, origin: string): Promise<void>;
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

import type { ErrorCode, StaleCause } from '../core/index.js';

/** How current a list is at a moment. */
export interface ListCurrency {
  readonly state: 'FRESH' | 'STALE' | 'EXPIRED';
  /** Why it is not FRESH, worst first. */
  readonly causes: readonly StaleCause[];
  /** When it was last FRESH, Unix milliseconds, at most now; undefined: never. */
  readonly lastFreshMs: number | undefined;
}

/** What a verified update did to the set, for whoever keeps an index or a journal over it. */
export interface Changes {
  readonly origin: string;
  /** True where rows were renumbered: indexes are built anew from `replica.state`. */
  readonly rebuilt: boolean;
  /**
   * Rows of the state's arena, live after and not before, and the reverse; an amended record is in both. Readable
   * until the next sync of the list; empty where `rebuilt`.
   */
  readonly added: Uint32Array;
  readonly removed: Uint32Array;
  /** add_index of records that left the set for good. */
  readonly withdrawn: readonly number[];
}

/** A source that did not help, and why. */
export interface SourceFailure {
  readonly source: string;
  readonly code: ErrorCode;
  readonly message: string;
}

/** Something that people should hear of. */
export type SyncAlarm =
  | { readonly kind: 'hold'; readonly index: number; readonly untilMs: number }
  | { readonly kind: 'anomalies'; readonly count: number }
  /** What was stored of the list could not be read: out of service, or repaired where a sync tells it. */
  | { readonly kind: 'damaged'; readonly code: ErrorCode; readonly message: string }
  /** A signed statement names a newer state than any source serves. */
  | { readonly kind: 'withheld' }
  /** A statement that was served was refused; the older one stays. */
  | { readonly kind: 'statement'; readonly what: 'freshness' | 'liveness'; readonly code: ErrorCode };

export type SyncPath = 'none' | 'statements' | 'delta' | 'rebuild' | 'snapshot';

/** What one sync of one list did. */
export interface SyncResult {
  readonly origin: string;
  readonly path: SyncPath;
  readonly from: number;
  /** Committed size, and its root. */
  readonly size: number;
  readonly root: Uint8Array;
  /** Who served what was used. */
  readonly source: string;
  readonly changes: Changes;
  /** The source's wish before the next look, milliseconds. */
  readonly minWaitMs: number;
  /** Every source hides a newer state that a valid statement names. */
  readonly withheld: boolean;
  readonly failures: readonly SourceFailure[];
  readonly alarms: readonly SyncAlarm[];
}

export interface SyncOptions {
  readonly signal?: AbortSignal;
  /** Entries verified so far, and how many there will be; while a snapshot arrives, its bytes. */
  readonly onProgress?: (done: number, total: number) => void;
}

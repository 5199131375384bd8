import type { CheckpointBundle } from '../../proto/gen/hashfed/v1/common.js';
import type { GetSnapshotIndexResponse, PullSnapshotResponse } from '../../proto/gen/hashfed/v1/list.js';
import type { ReportSyncStateRequest } from '../../proto/gen/hashfed/v1/telemetry_exchange.js';
import type {
  Clock,
  CosignerPolicy,
  ErrorCode,
  PurposeName,
  Random,
  StaleCause,
  Suite,
} from '../core/index.js';
import type { Documents, ListStore, StoredBundle } from '../store/index.js';

/** What a source answers to GetCheckpoint; nothing of it is verified. */
export interface ServedCheckpoint {
  readonly bundle: CheckpointBundle;
  /** Wait at least this long before asking again, milliseconds. */
  readonly minWaitMs: number;
}

/** One event of a watch stream; `bundle` is absent in heartbeats. */
export interface WatchEvent {
  readonly bundle: CheckpointBundle | undefined;
}

/**
 * A server or mirror, as followers see it. Nothing it answers is trusted. Every method throws HashfedError, and
 * CANCELLED once `signal` fires.
 */
export interface Source {
  /** For people and results: the address. */
  readonly name: string;
  root(publisher: string, version: number, signal?: AbortSignal): Promise<Uint8Array>;
  checkpoint(origin: string, signal?: AbortSignal): Promise<ServedCheckpoint>;
  /** Consistency proof of `from` in the tree of `to`, hashes of 32 bytes. */
  consistency(origin: string, from: number, to: number, signal?: AbortSignal): Promise<Uint8Array[]>;
  /** Entries [from, to). Ends normally only where the source says that it is done; bundles are unchecked. */
  entries(origin: string, from: number, to: number, signal?: AbortSignal): AsyncIterable<StoredBundle>;
  snapshotIndex(origin: string, maxSize: number, signal?: AbortSignal): Promise<GetSnapshotIndexResponse>;
  /** `maxBytes`: more than this is refused. */
  snapshot(
    origin: string,
    size: number,
    fromBucket: number,
    maxBytes: number,
    signal?: AbortSignal,
  ): AsyncIterable<PullSnapshotResponse>;
  watch(origins: readonly string[], signal?: AbortSignal): AsyncIterable<WatchEvent>;
  /** Answers after how many seconds to report again at the latest. */
  report(request: ReportSyncStateRequest, signal?: AbortSignal): Promise<number>;
  close(): void;
}

/** Where verified lists and signed documents are kept; `Store` of sdk/store is one. */
export interface SyncStore {
  list(origin: string): ListStore;
  readonly documents: Documents;
}

/** A publisher that is followed, and what is pinned of it. */
export interface PublisherPin {
  /** `members/{member}`. */
  readonly publisher: string;
  /** SHA-256 of its version-1 root body, 32 bytes. */
  readonly fingerprint: Uint8Array;
}

/** What following needs from the outside. */
export interface SyncEnvironment {
  readonly store: SyncStore;
  readonly suite: Suite;
  readonly clock: Clock;
  readonly random: Random;
  /** Default: none are asked for. */
  readonly cosigners?: CosignerPolicy;
}

/** A list that is followed, and for what it may be used here. */
export interface ListChoice {
  readonly origin: string;
  readonly purpose: PurposeName;
}

export type StandingState = 'EMPTY' | 'FRESH' | 'STALE' | 'EXPIRED';

/** How current a list is at a moment. */
export interface Standing {
  readonly state: StandingState;
  /** Empty where the state is EMPTY or FRESH. */
  readonly causes: readonly StaleCause[];
  /** When the list was FRESH last, Unix milliseconds, at most now; undefined: never. */
  readonly lastFreshMs: number | undefined;
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
  | { readonly kind: 'withheld' }
  /** A statement that was served was refused; the older one stays. */
  | { readonly kind: 'statement'; readonly what: 'freshness' | 'liveness'; readonly code: ErrorCode };

export type SyncPath = 'none' | 'statements' | 'delta' | 'rebuild' | 'snapshot';

/** What one sync of one list did. */
export interface SyncResult {
  readonly origin: string;
  readonly path: SyncPath;
  /** Committed sizes before and after. */
  readonly from: number;
  readonly to: number;
  /** Records that are live now and were not before, and the reverse; an amended one is in both. */
  readonly added: number;
  readonly removed: number;
  readonly standing: Standing;
  /** Who served what was used. */
  readonly source: string;
  readonly failures: readonly SourceFailure[];
  readonly alarms: readonly SyncAlarm[];
  /** Ask again after this long at the earliest, milliseconds. */
  readonly minWaitMs: number;
}

/** How far a sync is. */
export interface SyncProgress {
  readonly origin: string;
  readonly phase: 'resume' | 'pull' | 'snapshot' | 'verify' | 'commit';
  /** Entries, or bytes of a snapshot. */
  readonly done: number;
  readonly total: number;
}

export interface SyncOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: SyncProgress) => void) | undefined;
}

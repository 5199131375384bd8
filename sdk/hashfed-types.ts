import type { Counting } from './counting.js';
import type { PhotoDnaComparator, Policy } from './match/index.js';
import type { MatchingList } from './matching-list.js';
import type { ObjectOptions, PhotoDnaHasher } from './pipeline/index.js';
import type { JournalEntry } from './store/index.js';
import type { RootBook, SyncAlarm, SyncDeps, SyncResult } from './sync/index.js';
import type { TelemetryDesk } from './telemetry-desk.js';

export interface ListConfig {
  readonly origin: string;
  readonly purpose: MatchingList['purpose'];
}

export interface HashfedParts {
  readonly deps: SyncDeps;
  readonly book: RootBook;
  readonly lists: readonly ListConfig[];
  readonly policy: Policy;
  readonly sdkVersion: string;
  readonly counting?: Counting;
  readonly telemetry?: TelemetryDesk;
  readonly photodna?: PhotoDna;
}

/** A licensee's PhotoDNA: how values are made, and how two are compared. Nothing of it is in this package. */
export interface PhotoDna {
  readonly hasher: PhotoDnaHasher;
  readonly comparator: PhotoDnaComparator;
}

/** What one checked object is called, and who brought it. */
export type CheckOptions = ObjectOptions;

/** One list as a person or a script reads it. */
export interface ListStatus {
  readonly origin: string;
  readonly purpose: string;
  readonly size: number;
  /** Live records. */
  readonly present: number;
  readonly batch_no: number;
  readonly checkpoint_root: string;
  readonly state: 'FRESH' | 'STALE' | 'EXPIRED' | 'EMPTY';
  readonly stale: boolean;
  /** Unix milliseconds; null: never. */
  readonly last_fresh_ms: number | null;
  readonly sealed_ms: number | null;
}

/** What one round of syncing did. */
export interface SyncSummary {
  readonly results: readonly (SyncResult & { readonly released: number })[];
  readonly failures: readonly { readonly origin: string; readonly error: unknown }[];
}

export interface HashfedEvents {
  /** Objects that nothing keeps quarantined any more. */
  release: [entries: readonly JournalEntry[]];
  /** One list was brought up to date. */
  synced: [result: SyncResult & { readonly released: number }];
  /** People should look: a hold, an anomaly, damage on disk, a source that withholds, a statement that was refused. */
  alarm: [alarm: SyncAlarm & { readonly origin: string }];
  /** A list could not be followed: the last good state stays in force. */
  failed: [failure: { readonly origin: string; readonly error: unknown }];
}

/**
 * The storage seam of the server: what services see. One implementation of these interfaces stands on the
 * `Kernel` and is shared by all backends. Every method may reject with `STORAGE_FAILED` (a damaged value, or a
 * store that failed before: reopen it) and, where it takes a signal, with `CANCELLED`. Roots and hashes are 32
 * bytes, times Unix milliseconds, sizes and indexes below 2^53.
 */
import type { LogStore, PreparedStore } from './log-types.js';
import type {
  BudgetStore,
  DocumentStore,
  PartsStore,
  SyncStateStore,
  TelemetryStore,
} from './table-types.js';

export type * from './log-types.js';
export type * from './table-types.js';

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

/**
 * What the hoster's store offers to sync, SDK and telemetry. Everything that returns a promise of a write
 * MUST be durable when it resolves. Any write error is fatal: the store then answers `STORAGE_FAILED` to
 * every write until it is closed, reopened and thereby checked; a failed write is unknown, not absent.
 */

import type { Counters, Documents, Inbox, Journal, Settings, Spool } from './ledger-types.js';
import type { ListStore } from './list-types.js';

export type * from './ledger-types.js';
export type * from './list-types.js';

export interface Store {
  readonly readOnly: boolean;
  /** The writer before stopped without closing: verify the full Merkle root before a list serves. */
  readonly unclean: boolean;
  /** A key for files that belong to the store and lie beside it, 32 bytes; `salt` is the file's random id. */
  keyFor(use: 'inventory', salt: Uint8Array): Uint8Array;
  list(origin: string): ListStore;
  origins(): Promise<string[]>;
  readonly documents: Documents;
  readonly inbox: Inbox;
  /** Writing them takes the writer; a reader leaves what it wants in the inbox. */
  readonly settings: Settings;
  /** These two throw `STORAGE_FAILED` in a read-only store: one process holds the ledger. */
  readonly journal: Journal;
  readonly spool: Spool;
  /** In a read-only store what is counted goes to the writer through the inbox. */
  readonly counters: Counters;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** What the store offers beside lists: journal, spool, counters, documents, settings, inbox. */

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

/** `refused`: the server took it never, for good; `receipt` then holds the reason's code as text. */
export type SpoolState = 'queued' | 'sent' | 'receipted' | 'refused';

export interface SpooledReport {
  /** 32 hexadecimal digits, random, persisted before the report is first sent. */
  readonly id: string;
  /** From 1, without gaps. */
  readonly sequence: number;
  /** Digest of the report before, as its builder gave it; 32 zero bytes for the first. */
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

/** What a revision was made from, and what it became. */
export interface RevisionSlot extends ReportSlot {
  /** From 1 in each window. */
  readonly revision: number;
  /** `basis` of the revision before; undefined for the first. */
  readonly lastBasis: Uint8Array | undefined;
}

export interface BuiltReport {
  readonly bytes: Uint8Array;
  /** What the next report names as the one before, 32 bytes. */
  readonly digest: Uint8Array;
  /** Tells this revision's content from the next one's; at most 64 bytes. */
  readonly basis: Uint8Array;
}

/** The newest revision of a window. */
export interface WindowRevision {
  readonly window: string;
  readonly revision: number;
}

export interface Spool {
  /**
   * Queues the next revision of a window that goes on counting: the counts stay, so that revisions are cumulative and
   * a later one replaces an earlier one. One synced batch. Resolves to undefined where `build` has nothing to say.
   */
  revise(
    window: string,
    build: (
      slot: RevisionSlot,
      counts: WindowCounts,
    ) => BuiltReport | undefined | Promise<BuiltReport | undefined>,
  ): Promise<SpooledReport | undefined>;
  /** The newest revision of every window that has one and was not forgotten. */
  revisions(): Promise<WindowRevision[]>;
  /** Drops a window's counts and its revision number: nothing will be reported of it any more. */
  forget(window: string): Promise<void>;
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
  /** The server refused it for good, with this code; nothing happens to a report that has its receipt. */
  refuse(id: string, code: string): Promise<void>;
  /** Forgets a report; `USAGE` unless it was refused, or server and monitor have both answered. */
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
 * second. A crash loses at most what was counted in that second, and never counts twice. In a read-only store
 * counts are handed to the writer through the inbox (within two seconds); reading them there is `STORAGE_FAILED`.
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

/** Small values by name: suppressions, cursors. Readable by other processes while a writer runs. */
export interface Settings {
  get(name: string): Promise<Uint8Array | undefined>;
  put(name: string, value: Uint8Array): Promise<void>;
  remove(name: string): Promise<void>;
  names(): Promise<string[]>;
}

/** Counts of one window that a reader hands over. */
export interface CountsHandover {
  readonly window: string;
  readonly counts: ReadonlyMap<string, number>;
  /** Members by set name. */
  readonly distinct: ReadonlyMap<string, readonly Uint8Array[]>;
}

/** What a reader leaves for the writer, durably: the writer absorbs it at its next turn. */
export interface Inbox {
  put(entries: readonly NewJournalEntry[]): Promise<void>;
  /** undefined removes the setting. */
  putSetting(name: string, value: Uint8Array | undefined): Promise<void>;
  /** What a reader counted. */
  putCounts(counts: readonly CountsHandover[]): Promise<void>;
  /** Writer only: moves everything into journal, settings and counters, exactly once; answers how many there were. */
  absorb(): Promise<number>;
}

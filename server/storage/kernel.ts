/**
 * The kernel: all that a backend has to implement. An ordered map from binary keys to values with atomic
 * conditional transactions; everything typed (logs, documents, member tables …) is shared code on top of it.
 * The contract suite in test/contract/storage runs on every implementation and states these clauses as tests.
 */

/** Half-open range of keys in byte order (unsigned, shorter first). */
export interface KeyRange {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
}

export interface ScanOptions extends KeyRange {
  /** Most rows to yield; without it all. */
  readonly limit?: number;
  /** Descending order. */
  readonly reverse?: boolean;
  /** Values are empty then, and unchecked. */
  readonly keysOnly?: boolean;
  readonly signal?: AbortSignal;
}

export interface Row {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** Holds when the value at `key` is exactly these bytes, or when there is none (`null`). */
export interface Precondition {
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

export interface Transaction {
  /** All must hold, judged together with the writes as one atomic step. */
  readonly checks?: readonly Precondition[];
  readonly puts?: readonly Row[];
  /** Deleting what is absent is no error. A key is in `puts` or `deletes`, never in both. */
  readonly deletes?: readonly Uint8Array[];
}

/** What a whole-store verification found. Empty `problems` means sound. */
export interface KernelReport {
  readonly rows: number;
  /** Sentences that name the kind of key, never its contents. */
  readonly problems: readonly string[];
}

export interface Kernel {
  /**
   * The value at `key`, or undefined when there is none. MUST see every transaction that resolved before the
   * call. MUST reject with `STORAGE_FAILED`, naming the kind of key, when the stored bytes are not those that
   * were written. The caller owns the result and may keep it.
   */
  get(key: Uint8Array): Promise<Uint8Array | undefined>;
  /** As `get` for each key, in their order. */
  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]>;
  /**
   * Rows in order, each checked as in `get`. MUST read as of one moment not before the call, MUST hold no
   * more than a few MiB however slowly the consumer reads, MUST reject with `CANCELLED` soon after `signal`
   * aborts, and MUST release what it holds when the consumer stops early.
   */
  scan(options: ScanOptions): AsyncIterable<Row>;
  /**
   * Applies all writes, or none. Resolves to false, having written nothing, when a check does not hold. Once
   * it resolves to true the writes MUST survive a power cut. Concurrent transactions MUST behave as if one ran
   * after the other. A rejection with `STORAGE_FAILED` leaves the outcome *unknown*: the writes may be there
   * after reopening, whole, or not at all; until reopened every later call MUST reject (`failure` is set).
   */
  transact(transaction: Transaction): Promise<boolean>;
  /** Overwritten and deleted values in the range MUST be physically gone once this resolves. */
  purge(range: KeyRange): Promise<void>;
  /** Reads and checks every row, and that none is missing or extra as far as the backend can tell. */
  verify(signal?: AbortSignal): Promise<KernelReport>;
  /** Why the store stopped working, or undefined while it works. Cleared by reopening only. */
  readonly failure: Error | undefined;
  /** Waits for running transactions, then releases everything. MUST be idempotent. */
  close(): Promise<void>;
}

import { HashfedError, malformed } from '../../core/index.js';
import { type AppliedChanges, applyChanges, type Changes, newMarks } from './apply.js';
import { findRows } from './batch.js';
import { type KnownRows, surveyRows, tableFromKeys, tableFromRows } from './build.js';
import { type KeyBytes, MERGE_RECORDS, MERGE_SHARE } from './limits.js';
import { type BackgroundOptions, Merge, runInBackground } from './merge.js';
import { NODE, Overlay } from './overlay.js';
import { attachProbe, type Probe } from './probe.js';
import { endOfKey, probeRow, type Table } from './table.js';
import type { ExactBytes, ExactHandle } from './types.js';

/**
 * Exact matching of one list: answers at memory speed, takes changes without a rebuild. A *row* is the position of
 * a record in the sorted table; records added since have row numbers from `rowCount` on, and a merge renumbers.
 * Methods that take a hash throw `MALFORMED` for a wrong length.
 */
export class ExactIndex {
  readonly keyBytes: KeyBytes;
  readonly #writable: boolean;
  #table: Table;
  #probe: Probe;
  #overlay: Overlay;
  /** The overlay's own counters: [0] is 0 while nothing changed. Kept at hand for the match path. */
  #changed: Int32Array;
  #size: number;
  #marks = newMarks();
  #merging: Changes[] | undefined;

  private constructor(table: Table, overlay: Overlay, writable: boolean) {
    this.keyBytes = table.keyBytes;
    this.#table = table;
    this.#probe = attachProbe(table.memory, table);
    this.#overlay = overlay;
    this.#changed = overlay.arrays.control;
    this.#writable = writable;
    this.#size = table.count;
  }

  /** Over a table that is complete and nobody else's. */
  static of(table: Table): ExactIndex {
    return new ExactIndex(table, new Overlay(table.keyBytes), true);
  }

  static empty(keyBytes: KeyBytes): ExactIndex {
    return ExactIndex.fromRows(keyBytes, []);
  }

  /**
   * From canonical rows sorted by (hash, add_index), in pieces of whole rows (bucket by bucket, say). With `known`
   * each piece is read once and may be garbage after; without, all are held to count them first.
   * Throws `MALFORMED` where rows are not sorted, end within a record, or are not as many as `known` says.
   */
  static fromRows(keyBytes: KeyBytes, pieces: Iterable<Uint8Array>, known?: KnownRows): ExactIndex {
    if (known !== undefined) {
      return ExactIndex.of(tableFromRows(keyBytes, pieces, known));
    }
    const all = [...pieces];
    return ExactIndex.fromRows(keyBytes, all, surveyRows(keyBytes, all));
  }

  /**
   * From flat sorted keys; row i is key i. Such an index knows no add_index: of several records of one hash it
   * removes any, and it cannot tell a record that is added twice. Throws `MALFORMED` where they are not sorted.
   */
  static fromKeys(keyBytes: KeyBytes, keys: Uint8Array): ExactIndex {
    return ExactIndex.of(tableFromKeys(keyBytes, keys));
  }

  /** A reader over another thread's index. Its `size` and `apply` belong to the writer. */
  static attach(handle: ExactHandle): ExactIndex {
    return new ExactIndex(handle.table, new Overlay(handle.table.keyBytes, handle.overlay), false);
  }

  share(): ExactHandle {
    return { format: 2, table: this.#table, overlay: this.#overlay.arrays };
  }

  /** A reader's arrays were replaced (by growth or a merge): it answers as of then; ask for a new handle. */
  get superseded(): boolean {
    return this.#overlay.superseded;
  }

  /** Live records; in a reader, the table's. */
  get size(): number {
    return this.#size;
  }

  get rowCount(): number {
    return this.#table.count;
  }

  get bytes(): ExactBytes {
    const { memory, ids } = this.#table;
    const table = memory.buffer.byteLength;
    return { table, ids: ids?.byteLength ?? 0, overlay: this.#overlay.bytes };
  }

  /** Is any record of this hash live? */
  has(hash: Uint8Array): boolean {
    if (hash.length !== this.keyBytes) wrongLength(this.keyBytes);
    if (!this.#mayHaveChanged(hash)) return probeRow(this.#table, this.#probe, hash) >= 0;
    const entry = this.#overlay.entry(hash, 0);
    if (entry >= 0) return this.#overlay.arrays.live[entry]! > 0;
    return probeRow(this.#table, this.#probe, hash) >= 0;
  }

  /** Row of the first live record of this hash, or −1. */
  find(hash: Uint8Array): number {
    if (hash.length !== this.keyBytes) wrongLength(this.keyBytes);
    return this.#mayHaveChanged(hash) ? this.#findChanged(hash) : probeRow(this.#table, this.#probe, hash);
  }

  /** Rows of all live records of this hash: ascending, added ones last. */
  rows(hash: Uint8Array): number[] {
    if (hash.length !== this.keyBytes) wrongLength(this.keyBytes);
    const entry = this.#mayHaveChanged(hash) ? this.#overlay.entry(hash, 0) : -1;
    const removed = new Set<number>();
    const added: number[] = [];
    if (entry >= 0) this.#walk(entry, removed, added);
    const first = probeRow(this.#table, this.#probe, hash);
    const rows: number[] = [];
    if (first >= 0) {
      for (let row = first, end = endOfKey(this.#table, first); row < end; row++) {
        if (!removed.has(row)) rows.push(row);
      }
    }
    return rows.concat(added.reverse());
  }

  /** add_index of a row, or undefined where the index was built from bare keys. */
  addIndexOf(row: number): number | undefined {
    if (row >= this.#table.count) return this.#overlay.arrays.values[row - this.#table.count];
    return this.#table.ids?.[row];
  }

  /**
   * First row, or −1, of each key in `keys` (flat, `keyBytes` each). `out` holds at least as many numbers and is
   * returned. Throws `MALFORMED` where `keys` ends within a key.
   */
  matchMany(keys: Uint8Array, out = new Int32Array(keys.length / this.keyBytes)): Int32Array {
    const count = keys.length / this.keyBytes;
    if (!Number.isInteger(count)) malformed('keys', 'end within a key');
    if (out.length < count) malformed('out', 'is too short');
    findRows(this.#table, this.#probe, keys, out);
    if (this.#overlay.size > 0) this.#overlayRows(keys, out, count);
    return out;
  }

  /** One bit a key, bit i in byte i / 8 from the least significant bit up; set where the key is listed. */
  matchBitmap(keys: Uint8Array): Uint8Array {
    const rows = this.matchMany(keys);
    const bits = new Uint8Array(Math.ceil(rows.length / 8));
    for (let i = 0; i < rows.length; i++) if (rows[i]! >= 0) bits[i >>> 3]! |= 1 << (i & 7);
    return bits;
  }

  /**
   * Takes a batch of changes; other calls of this thread see all of it or nothing. Throws `MALFORMED` for a wrong
   * length, before anything changed. Repeated additions and absent removals are skipped and counted.
   */
  apply(changes: Changes): AppliedChanges {
    this.#checkWritable();
    const batch = { added: [...(changes.added ?? [])], removed: [...(changes.removed ?? [])] };
    for (const { hash } of batch.added) if (hash.length !== this.keyBytes) wrongLength(this.keyBytes);
    for (const { hash } of batch.removed) if (hash.length !== this.keyBytes) wrongLength(this.keyBytes);
    this.#merging?.push(batch);
    const applied = applyChanges({ table: this.#table, overlay: this.#overlay, ...this.#marks }, batch);
    this.#size += applied.added - applied.removed;
    this.#changed = this.#overlay.arrays.control;
    return applied;
  }

  /** Enough changed that matching and memory gain from a merge. */
  get wantsMerge(): boolean {
    return this.#overlay.nodes > Math.max(MERGE_RECORDS, this.#table.count * MERGE_SHARE);
  }

  /** Folds the overlay into a new table, a slice at a time; matching and `apply` go on meanwhile. */
  beginMerge(): Merge {
    this.#checkWritable();
    if (this.#merging !== undefined) throw new HashfedError('USAGE', 'a merge is already running');
    this.#merging = [];
    return new Merge(this.#table, this.#overlay.clone(), {
      done: (table) => this.#swap(table),
      cancelled: () => {
        this.#merging = undefined;
      },
    });
  }

  /** Runs a merge with pauses between its slices. Throws `CANCELLED` when aborted; nothing is changed then. */
  async merge(options: BackgroundOptions = {}): Promise<void> {
    await runInBackground(this.beginMerge(), options);
  }

  #swap(table: Table): void {
    const later = this.#merging ?? [];
    const old = this.#overlay;
    this.#merging = undefined;
    this.#table = table;
    this.#probe = attachProbe(table.memory, table);
    this.#overlay = new Overlay(this.keyBytes);
    this.#changed = this.#overlay.arrays.control;
    this.#marks = newMarks();
    this.#size = table.count;
    for (const changes of later) this.apply(changes);
    old.supersede();
  }

  #mayHaveChanged(hash: Uint8Array): boolean {
    return this.#changed[0] !== 0 && this.#overlay.mayHold(hash, 0);
  }

  #findChanged(hash: Uint8Array): number {
    const entry = this.#overlay.entry(hash, 0);
    return entry < 0 ? probeRow(this.#table, this.#probe, hash) : this.#firstRow(hash, entry);
  }

  #firstRow(hash: Uint8Array, entry: number): number {
    if (this.#overlay.arrays.live[entry]! <= 0) return -1;
    return this.rows(hash)[0] ?? -1;
  }

  #walk(entry: number, removed: Set<number>, added: number[]): void {
    const { heads, kinds, values, nexts } = this.#overlay.arrays;
    for (let node = Atomics.load(heads, entry) - 1; node >= 0; node = nexts[node]! - 1) {
      if (kinds[node] === NODE.ADDED) added.push(this.#table.count + node);
      else if (kinds[node] === NODE.REMOVED_ROW) removed.add(values[node]!);
    }
  }

  #overlayRows(keys: Uint8Array, out: Int32Array, count: number): void {
    for (let i = 0; i < count; i++) {
      const at = i * this.keyBytes;
      const entry = this.#overlay.mayHold(keys, at) ? this.#overlay.entry(keys, at) : -1;
      if (entry < 0) continue;
      out[i] = this.#firstRow(keys.subarray(i * this.keyBytes, (i + 1) * this.keyBytes), entry);
    }
  }

  #checkWritable(): void {
    if (!this.#writable) throw new HashfedError('USAGE', 'only the thread that built an index changes it');
  }
}

function wrongLength(keyBytes: number): never {
  malformed('hash', `must be ${keyBytes} bytes`);
}

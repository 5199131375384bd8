import { setImmediate } from 'node:timers/promises';
import { HashfedError } from '../../core/index.js';
import { TableBuilder } from './build.js';
import { NODE, type Overlay } from './overlay.js';
import { endOfKey, findRow, type IdWidth, lowerBound, type Table } from './table.js';

export interface BackgroundOptions {
  readonly signal?: AbortSignal;
  /** Called between slices; the default lets the event loop run once. */
  readonly pause?: () => Promise<unknown>;
}

/** Keys are cut into slices by their first byte. A list whose hashes all start alike is merged in one slice. */
const SLICES = 256;

/** Where a merge delivers: the new table, or nothing when it was cancelled. */
export interface MergeEnd {
  done(table: Table): void;
  cancelled(): void;
}

/** One running merge. Call `step` until it answers true: the last one swaps the tables. */
export class Merge {
  readonly #old: Table;
  readonly #overlay: Overlay;
  readonly #builder: TableBuilder;
  readonly #entries: readonly Uint32Array[];
  readonly #end: MergeEnd;
  #slice = 0;
  #over = false;

  /** `overlay` is a copy that nobody changes. */
  constructor(old: Table, overlay: Overlay, end: MergeEnd) {
    this.#old = old;
    this.#overlay = overlay;
    this.#end = end;
    const { count, width } = outcome(old, overlay);
    this.#builder = new TableBuilder(old.keyBytes, count, width);
    this.#entries = splitByFirstByte(overlay);
  }

  /** Merges the next 256th of the keys; true when the new table is in place or the merge was cancelled. */
  step(): boolean {
    if (this.#over) return true;
    this.#mergeSlice(this.#slice++);
    if (this.#slice < SLICES) return false;
    this.#over = true;
    this.#end.done(this.#builder.finish());
    return true;
  }

  cancel(): void {
    if (this.#over) return;
    this.#over = true;
    this.#end.cancelled();
  }

  #mergeSlice(slice: number): void {
    const { directory, bits, keyBytes } = this.#old;
    const { keys } = this.#overlay.arrays;
    const end = directory[(slice + 1) << (bits - 8)]!;
    let row = directory[slice << (bits - 8)]!;
    for (const entry of sortEntries(this.#overlay, this.#entries[slice]!)) {
      const key = keys.subarray(entry * keyBytes, (entry + 1) * keyBytes);
      const from = lowerBound(this.#old, key);
      this.#builder.copy(this.#old, row, from);
      row = this.#mergeKey(entry, key, from);
    }
    this.#builder.copy(this.#old, row, end);
  }

  /** Writes what is live of one key; returns the row behind its rows in the old table. */
  #mergeKey(entry: number, key: Uint8Array, from: number): number {
    const { removed, added } = nodesOf(this.#overlay, entry);
    const end = findRow(this.#old, key) < 0 ? from : endOfKey(this.#old, from);
    for (let row = from; row < end; row++) if (!removed.has(row)) this.#builder.copy(this.#old, row, row + 1);
    for (const addIndex of added) this.#builder.add(key, 0, addIndex);
    return end;
  }
}

/** Steps until done. Throws `CANCELLED` when aborted; nothing is changed then. */
export async function runInBackground(merge: Merge, options: BackgroundOptions): Promise<void> {
  const pause = options.pause ?? (() => setImmediate());
  try {
    while (!merge.step()) {
      if (options.signal?.aborted === true) throw new HashfedError('CANCELLED', 'the merge was cancelled');
      await pause();
    }
  } finally {
    merge.cancel();
  }
}

function nodesOf(overlay: Overlay, entry: number): { removed: Set<number>; added: number[] } {
  const { heads, kinds, values, nexts } = overlay.arrays;
  const removed = new Set<number>();
  const added: number[] = [];
  for (let node = heads[entry]! - 1; node >= 0; node = nexts[node]! - 1) {
    if (kinds[node] === NODE.ADDED) added.push(values[node]!);
    else if (kinds[node] === NODE.REMOVED_ROW) removed.add(values[node]!);
  }
  return { removed, added: added.sort((a, b) => a - b) };
}

function outcome(old: Table, overlay: Overlay): { count: number; width: IdWidth } {
  const { kinds, values } = overlay.arrays;
  let count = old.count;
  let wide = old.ids instanceof Float64Array;
  for (let node = 0; node < overlay.nodes; node++) {
    if (kinds[node] === NODE.REMOVED_ROW) count--;
    if (kinds[node] !== NODE.ADDED) continue;
    count++;
    wide ||= values[node]! > 0xffff_ffff;
  }
  if (old.ids === undefined) return { count, width: 0 };
  return { count, width: wide ? 8 : 4 };
}

/** Entry numbers by first byte of their keys. */
function splitByFirstByte(overlay: Overlay): Uint32Array[] {
  const { keys } = overlay.arrays;
  const starts = new Uint32Array(SLICES + 1);
  for (let i = 0; i < overlay.size; i++) starts[keys[i * overlay.keyBytes]! + 1]!++;
  for (let b = 0; b < SLICES; b++) starts[b + 1]! += starts[b]!;
  const order = new Uint32Array(overlay.size);
  const next = starts.slice(0, SLICES);
  for (let i = 0; i < overlay.size; i++) order[next[keys[i * overlay.keyBytes]!]!++] = i;
  return Array.from({ length: SLICES }, (_, b) => order.subarray(starts[b], starts[b + 1]));
}

function sortEntries({ keyBytes, arrays }: Overlay, entries: Uint32Array): Uint32Array {
  const { keys } = arrays;
  return entries.sort((a, b) => {
    for (let i = a * keyBytes, j = b * keyBytes, end = i + keyBytes; i < end; i++, j++) {
      const byByte = keys[i]! - keys[j]!;
      if (byByte !== 0) return byByte;
    }
    return 0;
  });
}

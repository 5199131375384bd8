import { equalBytes, type RecordView } from './core/index.js';
import type { ListReplica } from './sync/index.js';

/** Prefix bits of an item id and of a row number that share one exact double. */
const PREFIX_BITS = 26;
const ROWS = 2 ** (52 - PREFIX_BITS);
/** Rows added since the table was sorted; beyond, it is sorted again at the next question. */
const MAX_RECENT = 20_000;

/** Finds a list's records by item: made at the first match, since most objects never match. */
export class ItemIndex {
  readonly #replica: ListReplica;
  #sorted: Float64Array | undefined;
  /** Rows added since the table was sorted, by the prefix of their item. */
  readonly #recent = new Map<number, number[]>();
  #recentRows = 0;

  constructor(replica: ListReplica) {
    this.#replica = replica;
  }

  /** Rows were renumbered, or another state took over. */
  reset(): void {
    this.#sorted = undefined;
    this.#forgetRecent();
  }

  added(rows: Iterable<number>): void {
    if (this.#sorted === undefined) return;
    for (const row of rows) this.#addRecent(row);
    if (this.#recentRows > MAX_RECENT) this.reset();
  }

  #addRecent(row: number): void {
    const prefix = prefixOf(this.#replica.state.arena.view(row).itemId);
    const rows = this.#recent.get(prefix);
    if (rows === undefined) this.#recent.set(prefix, [row]);
    else rows.push(row);
    this.#recentRows++;
  }

  #forgetRecent(): void {
    this.#recent.clear();
    this.#recentRows = 0;
  }

  /** The live records of an item, in no particular order. */
  records(itemId: Uint8Array): RecordView[] {
    const { state } = this.#replica;
    const sorted = this.#table();
    const prefix = prefixOf(itemId);
    const rows = new Set(this.#recent.get(prefix));
    for (
      let i = lowerBound(sorted, prefix * ROWS);
      i < sorted.length && Math.floor(sorted[i]! / ROWS) === prefix;
      i++
    ) {
      rows.add(sorted[i]! % ROWS);
    }
    const live = [...rows].filter((row) => state.rowByIndex(state.arena.addIndex(row)) === row);
    return live.map((row) => state.arena.view(row)).filter((record) => equalBytes(record.itemId, itemId));
  }

  #table(): Float64Array {
    if (this.#sorted !== undefined) return this.#sorted;
    const { state } = this.#replica;
    const sorted = new Float64Array(state.count);
    let n = 0;
    for (let b = 0; b < 2 ** state.bucketBits; b++) {
      for (const row of state.rowsOfBucket(b))
        sorted[n++] = prefixOf(state.arena.view(row).itemId) * ROWS + row;
    }
    this.#forgetRecent();
    this.#sorted = sorted.sort();
    return this.#sorted;
  }
}

function prefixOf(itemId: Uint8Array): number {
  return ((itemId[0]! << 18) | (itemId[1]! << 10) | (itemId[2]! << 2) | (itemId[3]! >>> 6)) >>> 0;
}

function lowerBound(sorted: Float64Array, wanted: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

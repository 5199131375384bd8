import { NODE, type Overlay } from './overlay.js';
import type { RecordKey } from './rows.js';
import { endOfKey, findRow, type Table } from './table.js';

/** Records that entered and left a list. An amendment changes neither. */
export interface Changes {
  readonly added?: Iterable<RecordKey>;
  readonly removed?: Iterable<RecordKey>;
}

export interface AppliedChanges {
  readonly added: number;
  readonly removed: number;
  /** Additions of records that are there. */
  readonly repeated: number;
  /** Removals of records that are not. */
  readonly absent: number;
}

/** What only the writer needs, so that each change costs the same however many a key has seen. */
export interface Marks {
  /** Overlay node of each added record that is live, by add_index. */
  readonly nodes: Map<number, number>;
  /** Overlay node of each row of the table that is removed, by row. */
  readonly gone: Map<number, number>;
}

export const newMarks = (): Marks => ({ nodes: new Map(), gone: new Map() });

export interface Target extends Marks {
  readonly table: Table;
  readonly overlay: Overlay;
}

/** Removals first: a record in both was amended, and stays where it is. */
export function applyChanges(target: Target, changes: Changes): AppliedChanges {
  let removed = 0;
  let absent = 0;
  for (const record of changes.removed ?? []) remove(target, record) ? removed++ : absent++;
  let added = 0;
  let repeated = 0;
  for (const record of changes.added ?? []) add(target, record) ? added++ : repeated++;
  return { added, removed, repeated, absent };
}

function add({ table, overlay, nodes, gone }: Target, { hash, addIndex }: RecordKey): boolean {
  if (nodes.has(addIndex)) return false;
  const first = findRow(table, hash);
  const end = first < 0 ? first : endOfKey(table, first);
  const row = first < 0 ? -1 : rowWithId(table, first, end, addIndex);
  if (row >= 0) return bringBack(overlay, gone, hash, row);
  const entry = overlay.ensure(hash, end - first);
  nodes.set(addIndex, overlay.push(entry, NODE.ADDED, addIndex, 1));
  return true;
}

/** A removed row is live again; false where it was not removed. */
function bringBack(overlay: Overlay, gone: Map<number, number>, hash: Uint8Array, row: number): boolean {
  const node = gone.get(row);
  if (node === undefined) return false;
  gone.delete(row);
  overlay.kill(overlay.entry(hash, 0), node, 1);
  return true;
}

function remove(target: Target, record: RecordKey): boolean {
  const { overlay, nodes } = target;
  const node = nodes.get(record.addIndex);
  if (node === undefined) return removeRow(target, record);
  const entry = overlay.entry(record.hash, 0);
  if (entry < 0) return false;
  nodes.delete(record.addIndex);
  overlay.kill(entry, node, -1);
  return true;
}

function removeRow({ table, overlay, gone }: Target, { hash, addIndex }: RecordKey): boolean {
  const first = findRow(table, hash);
  if (first < 0) return false;
  const end = endOfKey(table, first);
  const row =
    table.ids === undefined ? anyRow(overlay, hash, first, end) : rowWithId(table, first, end, addIndex);
  if (row < 0 || gone.has(row)) return false;
  gone.set(row, overlay.push(overlay.ensure(hash, end - first), NODE.REMOVED_ROW, row, -1));
  return true;
}

/** Rows of one key ascend by add_index. */
function rowWithId(table: Table, first: number, end: number, addIndex: number): number {
  const { ids } = table;
  if (ids === undefined) return -1;
  let low = first;
  let high = end;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ids[middle]! < addIndex) low = middle + 1;
    else high = middle;
  }
  return low < end && ids[low] === addIndex ? low : -1;
}

/** Without add_index the rows of a key are as good as each other: they go in order. */
function anyRow(overlay: Overlay, hash: Uint8Array, first: number, end: number): number {
  const entry = overlay.entry(hash, 0);
  if (entry < 0) return first;
  const { heads, kinds, values, nexts } = overlay.arrays;
  let next = first;
  for (let node = heads[entry]! - 1; node >= 0; node = nexts[node]! - 1) {
    if (kinds[node] !== NODE.REMOVED_ROW) continue;
    next = values[node]! + 1;
    break;
  }
  return next < end ? next : -1;
}

import { BucketHasher, DIGEST_BYTES, emptyDigests } from './digest.js';
import { DEAD_CODE, ERASED_CODE } from './index-pages.js';
import type { ListSet } from './list-set.js';
import type { RecordArena } from './record-arena.js';
import { bucketOfRow, JOINED_PART, mergeInto, mergeRows, RowOrder } from './row-order.js';
import { sortSteps } from './row-sort.js';
import type { StagedSet } from './staged-set.js';
import { U32List } from './u32-list.js';

/** How a staged range changes the set: computed without touching it, then applied as a whole. */
export interface SetPlan {
  /** Rows that are live after and were not before, sorted; amended records appear here and in `removed`. */
  readonly added: Uint32Array;
  readonly removed: Uint32Array;
  /** Changed buckets, or a whole new order. */
  readonly touched: ReadonlyMap<number, Uint32Array>;
  readonly order: RowOrder | undefined;
  /** Bucket digests after; empty while bucket_bits is unknown (`bits` < 0). */
  readonly digests: Uint8Array;
}

/** Buckets that are worked out between two pauses: some tens of milliseconds at ten million records. */
const BUCKETS_A_SLICE = 1_024;

export function planSet(base: ListSet, staged: StagedSet, bits: number): SetPlan {
  const steps = planSteps(base, staged, bits);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** As `planSet`, with a pause at each yield: millions of records take seconds. Neither set may change meanwhile. */
export function* planSteps(base: ListSet, staged: StagedSet, bits: number): Generator<void, SetPlan> {
  const added = stagedRows(staged);
  yield;
  yield* sortSteps(base.arena, added);
  const removed = staged.removed.view().slice();
  const whole = base.order.bits !== bits || base.digests.length === 0;
  return whole ? yield* rebuild(base, added, removed, bits) : yield* update(base, added, removed);
}

function stagedRows(staged: StagedSet): Uint32Array {
  const rows = new U32List();
  staged.own.scan(staged.from, staged.next, (_, code) => {
    if (code !== ERASED_CODE) rows.push(code - 1);
    return true;
  });
  for (const code of staged.changed.values()) if (code !== DEAD_CODE) rows.push(code - 1);
  return rows.view();
}

/** Membership of row numbers, one bit each. */
function rowSet(arena: RecordArena, rows: Uint32Array): (row: number) => boolean {
  const bitmap = new Uint8Array((arena.capacity >>> 3) + 1);
  for (const row of rows) bitmap[row >>> 3]! |= 1 << (row & 7);
  return (row) => (bitmap[row >>> 3]! & (1 << (row & 7))) !== 0;
}

function* rebuild(
  base: ListSet,
  added: Uint32Array,
  removed: Uint32Array,
  bits: number,
): Generator<void, SetPlan> {
  const { arena, sha } = base;
  const rows =
    base.count === 0 ? added.slice() : mergeRows(arena, base.order.all(), added, rowSet(arena, removed));
  yield;
  const order = RowOrder.build(arena, Math.max(bits, 0), rows);
  const plan = { added, removed, touched: new Map<number, Uint32Array>(), order };
  if (bits < 0) return { ...plan, digests: new Uint8Array(0) };
  const hasher = new BucketHasher(sha, arena);
  const digests = emptyDigests(sha, bits);
  for (let b = 0; b < order.buckets; b++) {
    if (b % BUCKETS_A_SLICE === 0) yield;
    const bucket = order.bucket(b);
    if (bucket.length > 0) digests.set(hasher.digest(b, bucket), DIGEST_BYTES * b);
  }
  return { ...plan, digests };
}

function* update(base: ListSet, added: Uint32Array, removed: Uint32Array): Generator<void, SetPlan> {
  const { arena, order } = base;
  const gone = rowSet(arena, removed);
  if (added.length + removed.length > order.buckets / JOINED_PART)
    return yield* renew(base, added, removed, gone);
  const runs = runsByBucket(arena, added, order.bits);
  const buckets = new Set(runs.keys());
  for (const row of removed) buckets.add(bucketOfRow(arena, row, order.bits));
  const touched = new Map<number, Uint32Array>();
  const hasher = new BucketHasher(base.sha, arena);
  const digests = base.digests.slice();
  for (const b of buckets) {
    const rows = mergeRows(arena, order.bucket(b), runs.get(b) ?? new Uint32Array(0), gone);
    touched.set(b, rows);
    digests.set(hasher.digest(b, rows), DIGEST_BYTES * b);
  }
  return { added, removed, touched, order: undefined, digests };
}

/** As `update`, where most buckets change: the new order is one array, and untouched buckets are copied into it. */
function* renew(
  base: ListSet,
  added: Uint32Array,
  removed: Uint32Array,
  gone: (row: number) => boolean,
): Generator<void, SetPlan> {
  const { arena, order, sha } = base;
  const leaves = new Uint8Array(order.buckets);
  for (const row of removed) leaves[bucketOfRow(arena, row, order.bits)] = 1;
  const rows = new Uint32Array(order.length + added.length - removed.length);
  const starts = new Uint32Array(order.buckets + 1);
  const hasher = new BucketHasher(sha, arena);
  const digests = base.digests.slice();
  let next = 0;
  for (let b = 0, at = 0; b < order.buckets; b++) {
    if (b % BUCKETS_A_SLICE === 0) yield;
    const from = next;
    while (next < added.length && bucketOfRow(arena, added[next]!, order.bits) === b) next++;
    const end = mergeInto(arena, order.bucket(b), added.subarray(from, next), gone, rows, at);
    starts[b + 1] = end;
    if (next > from || leaves[b] === 1)
      digests.set(hasher.digest(b, rows.subarray(at, end)), DIGEST_BYTES * b);
    at = end;
  }
  return { added, removed, touched: NONE_TOUCHED, order: RowOrder.of(order.bits, rows, starts), digests };
}

const NONE_TOUCHED: ReadonlyMap<number, Uint32Array> = new Map();

/** Views of the sorted rows, by bucket. */
function runsByBucket(arena: RecordArena, rows: Uint32Array, bits: number): Map<number, Uint32Array> {
  const runs = new Map<number, Uint32Array>();
  let start = 0;
  for (let i = 1; i <= rows.length; i++) {
    const bucket = bucketOfRow(arena, rows[start]!, bits);
    if (i < rows.length && bucketOfRow(arena, rows[i]!, bits) === bucket) continue;
    runs.set(bucket, rows.subarray(start, i));
    start = i;
  }
  return runs;
}

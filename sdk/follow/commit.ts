import type { StagedRange, Staging } from '../core/index.js';
import { hashBytes } from '../core/index.js';
import type { StoredBundle } from '../store/index.js';
import { FOLD_ABOVE } from './limits.js';
import type { Offer } from './offer.js';
import type { ListReplica } from './replica.js';

/** What a verified update did to the set, for whoever keeps an index or a journal over it. */
export interface Changes {
  readonly origin: string;
  /** True where rows were renumbered: indexes are built anew from `replica.state`. */
  readonly rebuilt: boolean;
  /** Rows of the state's arena, live after and not before, and the reverse; an amended record is in both. */
  readonly added: Uint32Array;
  readonly removed: Uint32Array;
  /** add_index of records that left the set for good. */
  readonly withdrawn: readonly number[];
}

export const NO_CHANGES = (origin: string): Changes => ({
  origin,
  rebuilt: false,
  added: new Uint32Array(),
  removed: new Uint32Array(),
  withdrawn: [],
});

/** A range that passed every check, and what it was pulled as. */
export interface VerifiedRange {
  readonly staging: Staging;
  readonly range: StagedRange;
  readonly tree: ListReplica['range'];
  /** Everything that was pulled, where it is few enough to be stored as a delta. */
  readonly bundles: readonly StoredBundle[] | undefined;
}

/** Takes the notes of an offer over into the replica; the caller makes them durable. */
export function takeNotes(replica: ListReplica, offer: Offer, nowMs: number, rootVersion: number): void {
  replica.checkpoint = offer.checkpoint.note;
  if (offer.anchor !== undefined) replica.anchor = offer.anchor.note;
  replica.extra = {
    ...replica.extra,
    rootVersion,
    firstSyncMs: replica.extra.firstSyncMs === 0 ? nowMs : replica.extra.firstSyncMs,
    committedMs: nowMs,
  };
}

/** Which records left the set for good: what was removed and not put back amended. */
function withdrawnBy(replica: ListReplica, { added, removed }: StagedRange): number[] {
  const { arena } = replica.state;
  const back = new Set<number>();
  for (const row of added) back.add(arena.addIndex(row));
  const gone: number[] = [];
  for (const row of removed) {
    const index = arena.addIndex(row);
    if (!back.has(index)) gone.push(index);
  }
  return gone;
}

/**
 * Makes a verified range durable, then current. A delta is one synced record; what is larger becomes a new base,
 * written whole beside the old one and put in force by one rename. The set in memory moves last for a delta; for a
 * new base it is what is written, so a failed write leaves the replica unusable until the store is reopened.
 */
export async function commitRange(replica: ListReplica, verified: VerifiedRange): Promise<Changes> {
  const { range, bundles } = verified;
  const withdrawn = withdrawnBy(replica, range);
  const entries = range.size - range.fromSize;
  const small = replica.hasBase && replica.pendingEntries + entries <= FOLD_ABOVE;
  const rebuilt = bundles === undefined || !small;
  if (rebuilt) await commitBase(replica, verified);
  else await commitDelta(replica, verified, bundles);
  replica.revision += 1;
  const { added, removed } = rebuilt ? NO_CHANGES('') : range;
  return { origin: replica.origin.text, rebuilt, added, removed, withdrawn };
}

async function commitDelta(
  replica: ListReplica,
  { staging, range, tree }: VerifiedRange,
  bundles: readonly StoredBundle[],
): Promise<void> {
  await replica.list.commitDelta({ bundles, newHead: replica.head(range.head, tree) });
  staging.commit();
  replica.range = tree;
  replica.pendingEntries += range.size - range.fromSize;
}

async function commitBase(replica: ListReplica, { staging, tree }: VerifiedRange): Promise<void> {
  staging.commit();
  replica.range = tree;
  replica.state.compact();
  await writeBase(replica);
}

/** Writes everything resident as the list's new base. */
export async function writeBase(replica: ListReplica): Promise<void> {
  const { state } = replica;
  const options = {
    hashBytes: hashBytes(replica.origin.type),
    bucketBits: state.bucketBits,
    rowCount: state.count,
  };
  const rebuild = await replica.list.beginRebuild(options);
  try {
    for (let b = 0; b < 2 ** state.bucketBits; b++) {
      const rows = state.bytesOfBucket(b);
      if (rows.length > 0) await rebuild.addBucket(b, rows);
    }
    await rebuild.commit(replica.head());
  } finally {
    await rebuild.abort();
  }
  replica.hasBase = true;
  replica.pendingEntries = 0;
}

import { HashfedError, hashBytes, type ListState } from '../core/index.js';
import type { ListHead, ListStore, StoredBundle } from '../store/index.js';
import { changesOf } from './changes.js';
import { type Held, listHead } from './held.js';
import { FOLD_ENTRIES } from './limits.js';
import type { ListReplica } from './replica.js';
import type { VerifiedRange } from './stage.js';
import type { Content } from './stored-content.js';
import type { Changes } from './types.js';

/**
 * One synced record in the delta log; memory follows once it is durable. `bundles` are those of the range, at most
 * 100,000 entries.
 */
export async function commitDelta(
  replica: ListReplica,
  { staging, range, tree }: VerifiedRange,
  bundles: readonly StoredBundle[],
  held: Held,
): Promise<Changes> {
  const { state } = replica;
  try {
    const newHead = listHead(held, range.head, tree.hashes);
    await guarded(replica, () => replica.list.commitDelta({ bundles, newHead }));
  } catch (error) {
    staging.discard();
    throw error;
  }
  staging.commit();
  replica.pending += range.size - range.fromSize;
  replica.settle({ state, tree, held });
  return changesOf(state, range);
}

/** A new base of `content`, made the list by one rename; then memory follows. */
export async function commitRebuild(replica: ListReplica, content: Content & { held: Held }): Promise<void> {
  const head = listHead(content.held, content.state.head, content.tree.hashes);
  await guarded(replica, () => writeBase(replica.list, content.state, head));
  replica.pending = 0;
  replica.settle(content);
}

/** The same records under another head: newer notes for the size held. */
export async function commitHead(replica: ListReplica, held: Held): Promise<void> {
  const { state, tree } = replica;
  const newHead = listHead(held, state.head, tree.hashes);
  await guarded(replica, () => replica.list.commitDelta({ bundles: [], newHead }));
  replica.settle({ state, tree, held });
}

/** Newer statements for the size held. */
export async function commitStatements(replica: ListReplica, held: Held): Promise<void> {
  const none = new Uint8Array();
  const { freshness, liveness } = held;
  await guarded(replica, () =>
    replica.list.putStatements(freshness?.envelope ?? none, liveness?.envelope ?? none),
  );
  const { state, tree } = replica;
  replica.settle({ state, tree, held });
}

/** Folds the delta log into a new base where it has grown long; matching goes on meanwhile. */
export async function foldDeltas(replica: ListReplica): Promise<void> {
  const { held, state, tree } = replica;
  if (held === undefined || replica.pending < FOLD_ENTRIES) return;
  const head = listHead(held, state.head, tree.hashes);
  await guarded(replica, () => writeBase(replica.list, state, head));
  replica.pending = 0;
}

/** Writes a whole state as the list's new base. */
export async function writeBase(store: ListStore, state: ListState, head: ListHead): Promise<void> {
  const options = {
    hashBytes: hashBytes(state.origin.type),
    bucketBits: state.bucketBits,
    rowCount: state.count,
  };
  const rebuild = await store.beginRebuild(options);
  try {
    for (let b = 0; b < 2 ** state.bucketBits; b++) {
      const rows = state.bytesOfBucket(b);
      if (rows.length > 0) await rebuild.addBucket(b, rows);
    }
    await rebuild.commit(head);
  } finally {
    await rebuild.abort();
  }
}

/** What was written when a write failed is unknown: memory is read anew from the store before anything goes on. */
async function guarded(replica: ListReplica, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    await replica.reload().catch(() => {});
    if (error instanceof HashfedError) throw error;
    throw new HashfedError('STORAGE_FAILED', 'the list could not be stored', {
      origin: replica.origin.text,
      cause: error,
    });
  }
}

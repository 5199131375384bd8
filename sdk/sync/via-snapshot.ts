import {
  HashfedError,
  keysFor,
  malformed,
  type OriginSettings,
  requireTwoKeys,
  type VerifiedCheckpoint,
  verifyCheckpoint,
} from '../core/index.js';
import type { Attempt } from './advance.js';
import { SNAPSHOT_MIN_TAIL } from './limits.js';
import { bucketsOfSalvage, bucketsOfState, type LocalBuckets } from './local-buckets.js';
import { askSnapshotIndex } from './peer.js';
import {
  type Kept,
  proveContinuity,
  pullSnapshot,
  type VerifiedIndex,
  verifyIndex,
} from './snapshot-pull.js';
import type { Content } from './stored-content.js';

/** Bytes of an entry in a stream, for comparison only: a sha256 ADD. */
const TYPICAL_ENTRY_BYTES = 84;
/** A snapshot must save at least a fifth: the log proves more, and feeds mirrors. */
const WORTH = 0.8;
/** The source has none, or not this one any more: the log is as good. */
const NONE = new Set(['NOT_FOUND', 'UNIMPLEMENTED', 'RESET_REQUIRED', 'UNKNOWN_ORIGIN']);

/**
 * The verified set of an anchor's snapshot, where pulling what differs from the buckets held here is much shorter than
 * the entries; undefined where the log is to be used. Nothing of the replica has changed.
 */
export async function takeSnapshot(attempt: Attempt, settings: OriginSettings): Promise<Content | undefined> {
  const { replica, offer, options } = attempt;
  const tail = offer.checkpoint.size - replica.state.size;
  if (settings.origin.type === 'events' || (tail <= SNAPSHOT_MIN_TAIL && !replica.lost)) return undefined;
  const salvage = replica.lost ? await replica.list.salvage() : undefined;
  const local =
    salvage === undefined
      ? bucketsOfState(replica.state)
      : bucketsOfSalvage(attempt.deps.suite.sha256, salvage);
  try {
    return await trySnapshot(attempt, tail, local);
  } catch (error) {
    if (options.signal?.aborted || !(error instanceof HashfedError) || !NONE.has(error.code)) throw error;
    return undefined;
  } finally {
    await salvage?.close();
  }
}

async function trySnapshot(
  attempt: Attempt,
  tail: number,
  local: LocalBuckets,
): Promise<Content | undefined> {
  const { deps, replica, offer, options } = attempt;
  const origin = replica.origin.text;
  const served = await askSnapshotIndex(offer.source, origin, offer.checkpoint.size, options.signal);
  const marked = await local.same(served.bucketDigests);
  const bytes = Number(served.totalBytes) * partToPull(marked);
  const rest = (offer.checkpoint.size - Number(served.size)) * TYPICAL_ENTRY_BYTES;
  if (bytes + rest > WORTH * tail * TYPICAL_ENTRY_BYTES) return undefined;
  const anchor = verifySnapshotAnchor(attempt, served.anchorNote);
  if (anchor.size <= replica.size) return undefined;
  const index = verifyIndex(deps.suite.sha256, replica.origin, anchor, served);
  if (replica.held !== undefined)
    await proveContinuity(deps, offer.source, origin, replica.held.checkpoint, anchor, options.signal);
  await proveContinuity(deps, offer.source, origin, anchor, offer.checkpoint, options.signal);
  return await pull(attempt, index, marked && { local, marked }, bytes);
}

/** Buckets are about equally long. */
function partToPull(marked: Uint8Array | undefined): number {
  if (marked === undefined) return 1;
  return marked.reduce((sum, one) => sum + 1 - one, 0) / marked.length;
}

function verifySnapshotAnchor({ deps, replica, offer }: Attempt, note: Uint8Array): VerifiedCheckpoint {
  const policy = { keys: keysFor(offer.root, replica.origin.text), cosigners: { keys: [], needed: 0 } };
  const anchor = verifyCheckpoint(deps.suite, policy, note, { nowMs: deps.clock.nowMs() });
  requireTwoKeys(anchor);
  if (anchor.size > offer.checkpoint.size) malformed('anchor', 'is larger than the checkpoint');
  return anchor;
}

function pull(
  { deps, replica, offer, options }: Attempt,
  index: VerifiedIndex,
  kept: Kept | undefined,
  bytes: number,
): Promise<Content> {
  let done = 0;
  const onBytes = (more: number) => {
    done += more;
    options.onProgress?.(done, Math.max(done, Math.round(bytes)));
  };
  const { source } = offer;
  return pullSnapshot({ deps, source, origin: replica.origin, index, kept, signal: options.signal, onBytes });
}

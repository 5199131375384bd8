import {
  type AnchorCounts,
  type CompactRange,
  HashfedError,
  type StagedRange,
  type Staging,
} from '../../sdk/core/index.js';
import type { Segment } from '../storage/index.js';
import type { Engine } from './engine.js';
import { knownGoodFor } from './known-good.js';
import { LeafGuard } from './leaf-guard.js';
import { type ResidentList, treeOf } from './resident.js';
import { WithdrawnChanges } from './withdrawn.js';

/** A chain of segments judged on a fork of the committed state. MUST end in `commit` or `discard` of `staging`. */
export interface Judged {
  readonly staging: Staging;
  readonly range: StagedRange;
  readonly tree: CompactRange;
  /** Counts above the anchor, the range included; undefined while there is no anchor. */
  readonly sinceAnchor: AnchorCounts | undefined;
  /** What the memory of withdrawn hashes learns once the range is committed. */
  readonly withdrawn: WithdrawnChanges;
}

/**
 * Re-reads, re-hashes and replays segments above the committed head, and refuses everything that log rules leave to
 * servers. Throws ANOMALOUS_ENTRY, TARGET_ABSENT, DUPLICATE_RECORD, KNOWN_GOOD, FUTURE, NOT_SEALED,
 * PUBLISHER_INVALID, UPGRADE_REQUIRED, and CANCELLED when the signal aborts.
 */
export async function judgeSegments(
  engine: Engine,
  list: ResidentList,
  segments: readonly Segment[],
  anchorSize: number | undefined,
  signal?: AbortSignal,
): Promise<Judged> {
  const staging = list.state.stage();
  try {
    const { guard, withdrawn } = guardOf(engine, list, staging, signal);
    const tree = treeOf(engine, list.head);
    for (const { id } of segments)
      for await (const { first, count, bytes } of engine.storage.logs.readSegment(id, signal)) {
        await guard.append(bytes, first);
        tree.append(engine.suite.sha256.hashLeaves(bytes, count));
      }
    refuseAnomalies(staging, list.origin);
    const range = staging.finish();
    if (guard.refusal !== undefined) throw guard.refusal;
    refuseDuplicates(range, list.origin);
    const sinceAnchor = anchorSize === undefined ? undefined : range.countsSince(anchorSize);
    return { staging, range, tree, sinceAnchor, withdrawn };
  } catch (error) {
    staging.discard();
    throw error;
  }
}

function guardOf(engine: Engine, list: ResidentList, staging: Staging, signal: AbortSignal | undefined) {
  const withdrawn = new WithdrawnChanges();
  const guard = new LeafGuard({
    origin: list.origin,
    state: list.state,
    staging,
    nowMs: engine.clock.nowMs(),
    memory: engine.withdrawn,
    changes: withdrawn,
    isKnownGood: knownGoodFor(engine, list.origin),
    signal,
  });
  return { guard, withdrawn };
}

function refuseAnomalies(staging: Staging, origin: string): void {
  const first = staging.replay.anomalies.first[0];
  if (first === undefined) return;
  const detail = { field: `entries[${first.index}]`, origin };
  if (first.reason === 'dead_target') {
    throw new HashfedError('TARGET_ABSENT', `entry ${first.index} names no record that is live`, detail);
  }
  const why = first.reason === 'hash_type' ? 'has another hash type or length than the list' : 'is malformed';
  throw new HashfedError('ANOMALOUS_ENTRY', `entry ${first.index} ${why}`, detail);
}

function refuseDuplicates(range: StagedRange, origin: string): void {
  const [first] = range.duplicates();
  if (first === undefined) return;
  const detail = { field: `entries[${first}]`, origin };
  throw new HashfedError(
    'DUPLICATE_RECORD',
    `entry ${first} repeats a live record of the same hash and item`,
    detail,
  );
}

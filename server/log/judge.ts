import {
  type AnchorCounts,
  type CompactRange,
  HashfedError,
  MAX_AHEAD_MS,
  type StagedRange,
  type Staging,
} from '../../sdk/core/index.js';
import type { Segment } from '../storage/index.js';
import type { LogDeps } from './deps.js';
import { appendAll, type ResidentList, treeOf } from './resident.js';

/** A chain of segments judged on a fork of the committed state. MUST end in `commit` or `discard` of `staging`. */
export interface Judged {
  readonly staging: Staging;
  readonly range: StagedRange;
  readonly tree: CompactRange;
  /** Counts above the anchor, the range included; undefined while there is no anchor. */
  readonly sinceAnchor: AnchorCounts | undefined;
}

/**
 * Re-reads, re-hashes and replays segments above the committed head, and refuses everything that log rules leave to
 * servers: anomalies, duplicates, times out of order or ahead. Throws ANOMALOUS_ENTRY, TARGET_ABSENT,
 * DUPLICATE_RECORD, FUTURE, NOT_SEALED, PUBLISHER_INVALID, UPGRADE_REQUIRED, ROOT_MISMATCH.
 */
export async function judgeSegments(
  deps: LogDeps,
  list: ResidentList,
  segments: readonly Segment[],
  anchorSize: number | undefined,
): Promise<Judged> {
  const staging = list.state.stage();
  try {
    let tree = treeOf(deps, list.head);
    for (const { id } of segments)
      tree = await appendAll(deps, staging, tree, deps.storage.logs.readSegment(id));
    refuseAnomalies(staging, list.origin);
    const range = staging.finish();
    refuseDuplicates(range, list.origin);
    refuseTimes(deps, list, range);
    const sinceAnchor = anchorSize === undefined ? undefined : range.countsSince(anchorSize);
    return { staging, range, tree, sinceAnchor };
  } catch (error) {
    staging.discard();
    throw error;
  }
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
  throw new HashfedError(
    'DUPLICATE_RECORD',
    `entry ${first} repeats a live record of the same hash and item`,
    {
      field: `entries[${first}]`,
      origin,
    },
  );
}

/** Seals in order and not ahead of this server's clock; entry times lie between their seals by `leaf-times`. */
function refuseTimes(deps: LogDeps, list: ResidentList, range: StagedRange): void {
  const latest = deps.clock.nowMs() + MAX_AHEAD_MS;
  for (const { leaf, index } of range.seals) {
    if (leaf.timeMs > latest) {
      throw new HashfedError('FUTURE', `the seal at ${index} is more than ten minutes ahead`, {
        origin: list.origin,
        field: 'time_ms',
      });
    }
  }
}

import { equalBytes, HashfedError, type ListState } from '../../../sdk/core/index.js';
import { BatchBuilder } from '../batch/index.js';
import type { Workstation } from './open.js';
import type { Replica } from './replica.js';
import { findRecords, type WithdrawTarget } from './withdraw.js';

export interface HoldJob {
  readonly targets: readonly WithdrawTarget[];
  /** Everything that the newest batch of each list added, where it has this publish id, 16 bytes. */
  readonly publishId: Uint8Array | undefined;
  /** Number of the reason table, 1–255. */
  readonly reason: number;
  /** At most 72 hours from now, Unix milliseconds. */
  readonly untilMs: number;
  readonly batchFile: string;
}

interface Run {
  readonly origin: string;
  readonly from: number;
  readonly to: number;
}

/**
 * Makes a batch of HOLDs, neighbouring entries in one. Answers how many records they cover. Throws TARGET_ABSENT where
 * nothing of a target is listed.
 */
export async function writeHold(
  station: Workstation,
  replicas: ReadonlyMap<string, Replica>,
  job: HoldJob,
): Promise<number> {
  const runs = mergeRuns([...runsOfTargets(replicas, job), ...runsOfBatch(replicas, job.publishId)]);
  const timeMs = station.clock.nowMs();
  const builder = await BatchBuilder.create(job.batchFile, station.random);
  try {
    for (const { origin, from, to } of runs)
      await builder.put(origin, {
        kind: 'hold',
        timeMs,
        from,
        to,
        reason: job.reason,
        untilMs: job.untilMs,
      });
    const basedOn = new Map([...replicas].map(([origin, { state }]) => [origin, state.size]));
    await builder.finish({ createdMs: timeMs, source: 'hold', refusedRows: 0, basedOn });
  } catch (error) {
    await builder.abort();
    throw error;
  }
  return runs.reduce((sum, run) => sum + covered(replicas.get(run.origin)!.state, run), 0);
}

function runsOfTargets(replicas: ReadonlyMap<string, Replica>, { targets }: HoldJob): Run[] {
  if (targets.length === 0) return [];
  return findRecords(replicas, { targets, wholeItems: false }).map(({ origin, addIndex }) => ({
    origin,
    from: addIndex,
    to: addIndex + 1,
  }));
}

function runsOfBatch(replicas: ReadonlyMap<string, Replica>, publishId: Uint8Array | undefined): Run[] {
  if (publishId === undefined) return [];
  const runs = [...replicas].flatMap(([origin, { state }]) => {
    const { seal } = state.head;
    if (seal === undefined || !equalBytes(seal.publishId, publishId)) return [];
    const before = state.counts.marks.findLast(({ size }) => size <= seal.index)?.size ?? 0;
    return before < seal.index ? [{ origin, from: before, to: seal.index }] : [];
  });
  if (runs.length === 0)
    throw new HashfedError('TARGET_ABSENT', 'no list of the collection has this as its newest batch', {
      field: 'batch',
    });
  return runs;
}

/** Sorted, neighbours and overlaps joined: no record may be held twice. */
function mergeRuns(runs: readonly Run[]): Run[] {
  const sorted = [...runs].sort((a, b) =>
    a.origin === b.origin ? a.from - b.from : a.origin < b.origin ? -1 : 1,
  );
  const merged: Run[] = [];
  for (const run of sorted) {
    const last = merged.at(-1);
    if (last?.origin === run.origin && run.from <= last.to)
      merged[merged.length - 1] = { ...last, to: Math.max(last.to, run.to) };
    else merged.push(run);
  }
  return merged;
}

function covered(state: ListState, { from, to }: Run): number {
  let count = 0;
  for (let index = from; index < to; index += 1) if (state.rowByIndex(index) !== undefined) count += 1;
  return count;
}

import { HashfedError } from './errors.js';
import { coverRanges } from './holds.js';
import { ERASED_CODE } from './index-pages.js';
import { HELD_OLD_MS, MAX_HELD_OLD_RECORDS } from './limits.js';
import type { RecordArena } from './record-arena.js';
import type { ChangesSince, HeldRange, RunningCounts } from './running-counts.js';

/** What was done above an anchor (docs/spec/signatures.md, "The limit for one key"). */
export interface AnchorCounts extends ChangesSince {
  readonly anchorSize: number;
  /** Records in the set at the anchor: what the limit is computed from. */
  readonly anchorSetCount: number;
  /** HOLD leaves. */
  readonly holds: number;
  /** Distinct live records older than seven days that they cover; at most one above the limit is counted. */
  readonly heldOld: number;
  /** Whether a live record is covered by two of them. */
  readonly heldTwice: boolean;
}

/** Walks live indexes of a set in [from, to), ascending, until `visit` answers false. */
export type LiveScan = (from: number, to: number, visit: (index: number, code: number) => boolean) => void;

/** Throws `NOT_FOUND` if no mark of exactly this size is kept. */
export function anchorCounts(
  counts: RunningCounts,
  arena: RecordArena,
  scan: LiveScan,
  anchorSize: number,
): AnchorCounts {
  const mark = counts.at(anchorSize);
  if (mark === undefined) throw new HashfedError('NOT_FOUND', 'anchor: no counts are kept for this size');
  const held = counts.held.filter((range) => range.index >= anchorSize);
  const heldTwice = anyLive(scan, coverRanges(coverRanges(held).twice).once);
  return {
    anchorSize,
    anchorSetCount: mark.setCount,
    ...counts.since(mark),
    holds: held.length,
    heldOld: countOld(arena, scan, held),
    heldTwice,
  };
}

function anyLive(scan: LiveScan, ranges: readonly { from: number; to: number }[]): boolean {
  let found = false;
  for (const { from, to } of ranges) {
    scan(from, to, () => {
      found = true;
      return false;
    });
    if (found) return true;
  }
  return false;
}

/** Each index is looked at once: in the first range, by start, that covers it. */
function countOld(arena: RecordArena, scan: LiveScan, held: readonly HeldRange[]): number {
  let old = 0;
  let done = 0;
  for (const range of [...held].sort((a, b) => a.from - b.from)) {
    const from = Math.max(range.from, done);
    done = Math.max(done, range.to);
    if (from >= range.to || old > MAX_HELD_OLD_RECORDS) continue;
    scan(from, range.to, (_, code) => {
      if (code !== ERASED_CODE && arena.listedMs(code - 1) + HELD_OLD_MS < range.atMs) old++;
      return old <= MAX_HELD_OLD_RECORDS;
    });
  }
  return old;
}

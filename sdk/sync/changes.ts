import type { ListState, StagedRange } from '../core/index.js';
import type { Changes } from './types.js';

const NO_ROWS = new Uint32Array();

export function noChanges(origin: string): Changes {
  return { origin, rebuilt: false, added: NO_ROWS, removed: NO_ROWS, withdrawn: [] };
}

/** What a range did to the set. Call it before the range is committed. */
export function changesOf({ arena, origin }: ListState, { added, removed }: StagedRange): Changes {
  const back = new Set<number>();
  for (const row of added) back.add(arena.addIndex(row));
  const withdrawn: number[] = [];
  for (const row of removed) {
    const index = arena.addIndex(row);
    if (!back.has(index)) withdrawn.push(index);
  }
  return { origin: origin.text, rebuilt: false, added, removed, withdrawn };
}

/** As `changesOf` where rows are numbered anew. */
export function rebuiltBy(changes: Changes): Changes {
  return { ...changes, rebuilt: true, added: NO_ROWS, removed: NO_ROWS };
}

/** Another state took over: whatever it does not know was withdrawn. */
export function replacedBy(before: ListState, after: ListState): Changes {
  const withdrawn: number[] = [];
  for (let b = 0; b < 2 ** before.bucketBits; b++) {
    for (const row of before.rowsOfBucket(b)) {
      const index = before.arena.addIndex(row);
      if (after.rowByIndex(index) === undefined) withdrawn.push(index);
    }
  }
  return { ...noChanges(after.origin.text), rebuilt: true, withdrawn };
}

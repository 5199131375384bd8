import type { ListState, StagedRange } from '../core/index.js';
import type { Changes } from './types.js';

const NO_ROWS = new Uint32Array();

export function noChanges(origin: string): Changes {
  return { origin, rebuilt: false, added: NO_ROWS, removed: NO_ROWS, withdrawn: [] };
}

/** What a range did to the set. Call it right after the range is committed: then the rows that left can be read. */
export function changesOf(state: ListState, { added, removed }: StagedRange): Changes {
  const withdrawn: number[] = [];
  for (const row of removed) {
    const index = state.arena.addIndex(row);
    if (state.rowByIndex(index) === undefined) withdrawn.push(index);
  }
  return { origin: state.origin.text, rebuilt: false, added, removed, withdrawn };
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

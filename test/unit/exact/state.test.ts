import { describe, expect, it } from 'vitest';
import { ListState, type StagedRange } from '../../../sdk/core/index.js';
import { type Changes, ExactIndex } from '../../../sdk/match/index.js';
import { LogBuilder } from '../../support/log-builder.js';
import { testSha256 } from '../../support/sha256.js';

/** What a client does with a committed range: rows of the arena are record views already. */
function changesOf(state: ListState, range: StagedRange): Changes {
  const views = (rows: Uint32Array) => Array.from(rows, (row) => state.arena.view(row));
  return { added: views(range.added), removed: views(range.removed) };
}

function* pieces(state: ListState): Generator<Uint8Array> {
  for (let b = 0; b < 2 ** state.bucketBits; b++) yield state.bytesOfBucket(b);
}

describe('an index over a list', () => {
  it('is built from its buckets, follows its ranges, and agrees with its lookups', () => {
    const log = new LogBuilder('police.example/known/sha256/g1');
    const state = ListState.empty(log.origin, testSha256);
    const index = ExactIndex.empty(32);
    let done = 0;
    for (let round = 0; round < 5; round++) {
      for (let i = 0; i < 40; i++) log.add(`${round}-${i % 30}`);
      if (round > 0) for (let i = 0; i < 10; i++) log.withdraw(round * 3 + i);
      if (round > 0) log.amend(34 + round);
      log.seal();
      const staging = state.stage();
      staging.append(log.bundle(done, log.size, new Set()), done);
      const range = staging.finish();
      const changes = changesOf(state, range);
      staging.commit();
      expect(index.apply(changes)).toMatchObject({ repeated: 0, absent: 0 });
      done = log.size;
      const built = ExactIndex.fromRows(32, pieces(state), { count: state.count, logSize: state.size });
      const wrong = [...state.records()].filter(({ hash }) => {
        const ids = `${state.lookup(hash).map((r) => r.addIndex)}`;
        return [index, built].some((x) => `${x.rows(hash).map((row) => x.addIndexOf(row))}` !== ids);
      });
      expect([wrong, index.size, built.size]).toEqual([[], state.count, state.count]);
    }
  });
});

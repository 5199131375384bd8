import { toHex } from './core/index.js';
import type { HashfedParts, ListStatus } from './hashfed-types.js';
import type { MatchingList } from './matching-list.js';

/** One list as it is told to people and programs. */
export function statusOf(
  { deps, book }: Pick<HashfedParts, 'deps' | 'book'>,
  list: MatchingList,
): ListStatus {
  const { origin, purpose, replica } = list;
  const { state, lastFreshMs } = list.info(deps, book);
  const { seal } = replica.head;
  return {
    origin,
    purpose,
    size: replica.size,
    present: replica.size === 0 ? 0 : (seal?.setCount ?? 0),
    batch_no: seal?.batchNo ?? 0,
    checkpoint_root: toHex(replica.root),
    state,
    stale: state !== 'FRESH',
    last_fresh_ms: lastFreshMs ?? null,
    sealed_ms: seal?.timeMs ?? null,
  };
}

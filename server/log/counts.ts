import type { ChangeCounts } from '../../proto/gen/hashfed/v1/publish.js';
import type { AnchorCounts } from '../../sdk/core/index.js';

export function changeCounts(counts: AnchorCounts, setCount: number): ChangeCounts {
  return {
    added: BigInt(counts.added),
    amended: BigInt(counts.amended),
    withdrawn: BigInt(counts.withdrawn),
    withdrawnOlder: BigInt(counts.withdrawnOld),
    holds: BigInt(counts.holds),
    heldOlder: BigInt(counts.heldOld),
    setCount: BigInt(setCount),
  };
}

/** Where nothing can be counted: there is no anchor yet. */
export function noCounts(setCount: number): ChangeCounts {
  return {
    added: 0n,
    amended: 0n,
    withdrawn: 0n,
    withdrawnOlder: 0n,
    holds: 0n,
    heldOlder: 0n,
    setCount: BigInt(setCount),
  };
}

/** Results of one query: rows within the distance, each once, up to the cap. */

import {
  BLOCK_HIGH,
  BLOCK_LIVE,
  BLOCK_MASK,
  BLOCK_SEEN,
  QUERY,
  RESULT_DISTANCES,
  RESULT_ROWS,
} from './layout';
import { blockOf } from './rows';

export let found: u32 = 0;
/** Set when a row beyond the cap matched. */
export let full: bool = false;
export let limit: u32 = 0;
let cap: u32 = 0;

/** Wraps the query and empties the results. */
export function start(maxDistance: u32, maxResults: u32): void {
  store<u64>(QUERY + 32, load<u64>(QUERY));
  limit = maxDistance;
  cap = maxResults;
  found = 0;
  full = false;
}

/** Second half, liveness and duplicates of a row whose first half is at distance `low`. */
export function consider(row: u32, low: u32): void {
  const block = blockOf(row);
  const index = row & BLOCK_MASK;
  const at = block + BLOCK_HIGH + ((<usize>index) << 4);
  const distance =
    low +
    <u32>popcnt(load<u64>(QUERY, 16) ^ load<u64>(at)) +
    <u32>popcnt(load<u64>(QUERY, 24) ^ load<u64>(at, 8));
  if (distance > limit) return;
  const byte = block + <usize>(index >> 3);
  const bit: u32 = 1 << (index & 7);
  if ((load<u8>(byte + BLOCK_LIVE) & bit) === 0) return;
  const seen = <u32>load<u8>(byte + BLOCK_SEEN);
  if ((seen & bit) !== 0) return;
  if (found === cap) {
    full = true;
    return;
  }
  store<u8>(byte + BLOCK_SEEN, seen | bit);
  store<u32>(RESULT_ROWS + ((<usize>found) << 2), row);
  store<u8>(RESULT_DISTANCES + <usize>found, distance);
  found++;
}

/** Clears the marks that this query set. */
export function finish(): void {
  for (let i: u32 = 0; i < found; i++) {
    const row = load<u32>(RESULT_ROWS + ((<usize>i) << 2));
    store<u8>(blockOf(row) + BLOCK_SEEN + <usize>((row & BLOCK_MASK) >> 3), 0);
  }
}

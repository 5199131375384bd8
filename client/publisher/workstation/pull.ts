import { checkBundle, MAX_BUNDLE_BYTES, malformed } from '../../../sdk/core/index.js';
import { readStream } from '../../../sdk/rpc/index.js';
import { ListServiceService } from '../../../sdk/rpc/services/list.js';
import { MAX_BUNDLE_LEAVES } from '../files/index.js';
import { IDLE_MS, MAX_ENTRY_WIRE_BYTES, UPLOAD_MS } from './limits.js';
import type { Workstation } from './open.js';

/** Checked bundles. */
export interface PulledBundle {
  readonly first: number;
  readonly count: number;
  readonly bundle: Uint8Array;
}

/** Entries [from, to) in order, without gap. Throws MALFORMED for anything else. Nothing is verified yet. */
export async function* pullEntries(
  { channel, signal }: Workstation,
  origin: string,
  from: number,
  to: number,
): AsyncGenerator<PulledBundle> {
  if (from === to) return;
  const request = { origin, from: BigInt(from), to: BigInt(to), leafHashesOnly: false };
  const limits = {
    deadlineMs: UPLOAD_MS,
    idleMs: IDLE_MS,
    maxBytes: (to - from) * MAX_ENTRY_WIRE_BYTES + 4096,
    signal,
  };
  let next = from;
  for await (const message of readStream(channel, ListServiceService.pullEntries, request, limits)) {
    const { bundle, firstIndex, count } = message;
    if (bundle.length > MAX_BUNDLE_BYTES) malformed('bundle', `is over ${MAX_BUNDLE_BYTES} bytes`);
    if (firstIndex !== BigInt(next) || checkBundle(bundle, MAX_BUNDLE_LEAVES) !== count)
      malformed('bundle', 'does not continue what came before');
    yield { first: next, count, bundle };
    next += count;
    if (next > to) malformed('bundle', 'holds more than was asked for');
  }
  if (next !== to) malformed('bundle', 'the entries end early');
}

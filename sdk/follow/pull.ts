import { ListServiceService } from '../../proto/gen/hashfed/v1/list_service.js';
import { checkBundle, HashfedError, MAX_BUNDLE_BYTES, malformed } from '../core/index.js';
import { backoffMs, pause, readStream } from '../rpc/index.js';
import type { StoredBundle } from '../store/index.js';
import type { Source, SyncDeps } from './deps.js';
import { ENTRY_BYTES, PULL_ATTEMPTS, PULL_IDLE_MS, PULL_MS } from './limits.js';

export interface PullOptions {
  readonly origin: string;
  readonly from: number;
  readonly to: number;
  readonly signal?: AbortSignal;
}

/**
 * Bundles that cover exactly [from, to), each checked for framing, position and size. A stream that is cut goes on at
 * the cursor, on the same source, as long as each attempt brings something. Throws MALFORMED, and what the source
 * answers.
 */
export async function* pullEntries(
  deps: SyncDeps,
  source: Source,
  options: PullOptions,
): AsyncGenerator<StoredBundle> {
  let next = options.from;
  let idleAttempts = 0;
  while (next < options.to) {
    const before = next;
    try {
      for await (const bundle of pullOnce(source, options, next)) {
        yield bundle;
        next += bundle.count;
      }
      if (next < options.to) throw new HashfedError('UNAVAILABLE', 'the source ended its answer too early');
    } catch (error) {
      idleAttempts = next > before ? 0 : idleAttempts + 1;
      if (!isCut(error) || idleAttempts >= PULL_ATTEMPTS) throw error;
      await pause(backoffMs(deps.random, idleAttempts), options.signal);
    }
  }
}

function isCut(error: unknown): boolean {
  return error instanceof HashfedError && ['UNAVAILABLE', 'OVERLOADED', 'DEADLINE'].includes(error.code);
}

async function* pullOnce(
  source: Source,
  { origin, to, signal }: PullOptions,
  from: number,
): AsyncGenerator<StoredBundle> {
  const request = { origin, from: BigInt(from), to: BigInt(to), leafHashesOnly: false };
  const limits = {
    deadlineMs: PULL_MS,
    idleMs: PULL_IDLE_MS,
    maxBytes: (to - from) * ENTRY_BYTES + MAX_BUNDLE_BYTES,
    ...(signal && { signal }),
  };
  let next = from;
  for await (const { firstIndex, count, bundle } of readStream(
    source.channel,
    ListServiceService.pullEntries,
    request,
    limits,
  )) {
    if (bundle.length > MAX_BUNDLE_BYTES) malformed('bundle', `is over ${MAX_BUNDLE_BYTES} bytes`);
    if (firstIndex !== BigInt(next)) malformed('first_index', 'does not follow what came before');
    if (checkBundle(bundle, to - next) !== count || count === 0)
      malformed('count', 'is not the number of entries');
    yield { firstIndex: next, count, bytes: bundle };
    next += count;
  }
}

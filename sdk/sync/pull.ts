import { checkBundle, HashfedError, MAX_BUNDLE_BYTES, malformed } from '../core/index.js';
import { backoffMs, pause } from '../rpc/index.js';
import type { StoredBundle } from '../store/index.js';
import type { Source, SyncDeps } from './deps.js';
import { MAX_IDLE_RESUMES } from './limits.js';
import { Pace } from './pace.js';
import { askEntries } from './peer.js';

/** A run of entries that is asked for. */
export interface PullOptions {
  readonly origin: string;
  readonly from: number;
  readonly to: number;
  readonly signal?: AbortSignal | undefined;
}

/** The transport failed: the cursor goes on, at the same source. */
export const CUT: ReadonlySet<string> = new Set(['UNAVAILABLE', 'DEADLINE', 'OVERLOADED']);

/**
 * Pulls [from, to) bundle by bundle, each checked for place, count, framing and size. A stream that is cut is taken
 * up again at the cursor; one that ends early is `MALFORMED`, one that hardly moves `DEADLINE`.
 */
export async function* pullEntries(
  deps: Pick<SyncDeps, 'random' | 'clock'>,
  source: Source,
  { origin, from, to, signal }: PullOptions,
): AsyncGenerator<StoredBundle> {
  let next = from;
  let idle = 0;
  const pace = new Pace(deps.clock);
  while (next < to) {
    const before = next;
    try {
      const bundles = askEntries(source, origin, next, to, signal);
      for await (const bundle of pace.of(bundles, ({ bytes }) => bytes.length)) {
        checkPlace(bundle, next, to);
        next += bundle.count;
        yield bundle;
      }
      if (next < to) malformed('entries', 'the stream ended before its last entry');
    } catch (error) {
      if (!(error instanceof HashfedError) || !CUT.has(error.code) || pace.tooSlow) throw error;
      idle = next > before ? 0 : idle + 1;
      if (idle > MAX_IDLE_RESUMES) throw error;
      await pause(Math.max(backoffMs(deps.random, idle), error.detail.retryAfterMs ?? 0), signal);
    }
  }
}

function checkPlace({ firstIndex, count, bytes }: StoredBundle, next: number, to: number): void {
  if (firstIndex !== next) malformed('first_index', 'does not continue what was pulled');
  if (bytes.length > MAX_BUNDLE_BYTES) malformed('bundle', `is over ${MAX_BUNDLE_BYTES} bytes`);
  if (checkBundle(bytes, to - next) !== count) malformed('count', 'is not that of the bundle');
}

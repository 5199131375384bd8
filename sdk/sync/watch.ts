import type { CheckpointBundle } from '../../proto/gen/hashfed/v1/common.js';
import { HashfedError, type Random } from '../core/index.js';
import { pause, readStream } from '../rpc/index.js';
import { ListServiceService } from '../rpc/services/list.js';
import type { Source, SyncDeps } from './deps.js';
import { SWEEP_MS, WATCH_BACKOFF_MAX_MS, WATCH_BACKOFF_MIN_MS, WATCH_IDLE_MS } from './limits.js';

/**
 * Yields origins that may have moved: all at once at first, then each whenever a source says so, and all again every
 * few minutes, since the source that is watched may withhold. What a stream says only wakes us: data is always pulled
 * and verified by `syncList`. Sources take turns when one fails. Ends when the signal aborts.
 */
export async function* watchOrigins(
  deps: SyncDeps,
  origins: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<readonly string[]> {
  const { sources, random } = deps;
  let failures = 0;
  for (let turn = 0; !signal.aborted; turn++) {
    yield origins;
    const source = sources[turn % Math.max(1, sources.length)];
    if (source === undefined || signal.aborted) return;
    const heard = yield* follow(source, origins, signal);
    failures = heard ? 0 : failures + 1;
    await pause(backoff(random, failures), signal).catch(() => undefined);
  }
}

/** True where the stream lived. It is left after a while: then every source is asked. */
async function* follow(
  source: Source,
  origins: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<readonly string[], boolean> {
  const limits = {
    deadlineMs: SWEEP_MS,
    idleMs: WATCH_IDLE_MS,
    maxBytes: Number.POSITIVE_INFINITY,
    signal,
  };
  const seen = new Map<string, string>();
  let heard = false;
  try {
    const request = { origins: [...origins] };
    const method = ListServiceService.watchCheckpoints;
    for await (const { checkpoint } of readStream(source.channel, method, request, limits)) {
      heard = true;
      if (checkpoint === undefined || !origins.includes(checkpoint.origin)) continue;
      if (isNews(seen, checkpoint)) yield [checkpoint.origin];
    }
  } catch (error) {
    if (!(error instanceof HashfedError)) throw error;
  }
  return heard;
}

/** A source that repeats itself wakes nobody. */
function isNews(seen: Map<string, string>, { origin, note, freshness, liveness }: CheckpointBundle): boolean {
  const said = [note, freshness, liveness].map((one) => Buffer.from(one).toString('latin1')).join();
  const before = seen.get(origin);
  seen.set(origin, said);
  return before !== said;
}

/** Doubled each time, the lower half kept, so that clients do not come back all at once. */
function backoff(random: Random, failures: number): number {
  const whole = Math.min(WATCH_BACKOFF_MAX_MS, WATCH_BACKOFF_MIN_MS * 2 ** failures);
  const [high = 0, low = 0] = random.bytes(2);
  return whole / 2 + ((high * 256 + low) / 65_536) * (whole / 2);
}

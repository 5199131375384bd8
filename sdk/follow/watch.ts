import type { CheckpointBundle } from '../../proto/gen/hashfed/v1/common.js';
import { ListServiceService } from '../../proto/gen/hashfed/v1/list_service.js';
import { HashfedError } from '../core/index.js';
import { backoffMs, MAX_DEADLINE_MS, pause, readStream } from '../rpc/index.js';
import type { SyncDeps } from './deps.js';
import { WATCH_MAX_WAIT_MS } from './limits.js';

/** A heartbeat comes at the latest after this long, milliseconds; then the stream is dead. */
const SILENCE_MS = 90_000;

/**
 * Yields each origin that may have moved: at once for all, then whenever a server says so, and at least every minute
 * while no stream stands. What a stream says only wakes us: data is always pulled and verified by `syncList`. Ends when
 * the signal aborts.
 */
export async function* watchOrigins(
  deps: SyncDeps,
  origins: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<readonly string[]> {
  yield origins;
  for (let failures = 0; !signal.aborted; failures++) {
    const source = deps.sources[failures % Math.max(1, deps.sources.length)];
    if (source === undefined) return;
    try {
      const limits = {
        deadlineMs: MAX_DEADLINE_MS,
        idleMs: SILENCE_MS,
        maxBytes: Number.POSITIVE_INFINITY,
        signal,
      };
      for await (const { checkpoint } of readStream(
        source.channel,
        ListServiceService.watchCheckpoints,
        { origins: [...origins] },
        limits,
      )) {
        failures = -1;
        if (isWatched(checkpoint, origins)) yield [checkpoint.origin];
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof HashfedError)) throw error;
    }
    const waitMs = Math.min(WATCH_MAX_WAIT_MS, 10 * backoffMs(deps.random, Math.max(0, failures)));
    await pause(waitMs, signal).catch(() => undefined);
    if (!signal.aborted) yield origins;
  }
}

function isWatched(
  checkpoint: CheckpointBundle | undefined,
  origins: readonly string[],
): checkpoint is CheckpointBundle {
  return checkpoint !== undefined && origins.includes(checkpoint.origin);
}

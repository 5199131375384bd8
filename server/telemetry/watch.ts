import {
  TelemetryKind,
  type WatchTelemetryRequest,
  type WatchTelemetryResponse,
} from '../../proto/gen/hashfed/v1/telemetry_exchange.js';
import { MAX_U53, malformed } from '../../sdk/core/index.js';
import type { TelemetryDeps } from './deps.js';
import type { Feed } from './feed.js';
import { recordOf } from './receive.js';
import type { SyncStates } from './sync-states.js';

const HEARTBEAT_MS = 15_000;
/** Reports read at once; the next are read when these have left. */
const READ = 64;

/**
 * What is kept after the cursor, then what arrives, and heartbeats. Nothing is queued for a slow reader: each answer is
 * read from the store when the one before has left.
 */
export async function* watchTelemetry(
  deps: Pick<TelemetryDeps, 'storage'>,
  states: SyncStates,
  feed: Feed,
  { kind, after }: WatchTelemetryRequest,
  signal: AbortSignal,
): AsyncGenerator<WatchTelemetryResponse> {
  if (!Object.values<number>(TelemetryKind).includes(kind)) malformed('kind', 'is unknown');
  if (after >= BigInt(MAX_U53)) malformed('after', 'is not below 2^53');
  const onlyStates = kind === TelemetryKind.SYNC_STATE;
  let report = onlyStates ? 0 : Number(after);
  let state = onlyStates ? Number(after) : 0;
  const subscription = feed.subscribe();
  try {
    while (!signal.aborted) {
      if (kind !== TelemetryKind.REPORT)
        for (const record of states.since(state)) {
          yield { report: undefined, syncState: record };
          state = Number(record.arrival);
        }
      const arrived = onlyStates ? [] : await deps.storage.telemetry.arrivals(report, READ, signal);
      for (const stored of arrived) {
        yield { report: await recordOf(deps, stored), syncState: undefined };
        report = stored.sequence;
      }
      if (arrived.length === READ) continue;
      if (!(await subscription.wait(HEARTBEAT_MS, signal)) && !signal.aborted)
        yield { report: undefined, syncState: undefined };
    }
  } finally {
    subscription.close();
  }
}

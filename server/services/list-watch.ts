import type { CheckpointBundle } from '../../proto/gen/hashfed/v1/common.js';
import type { WatchCheckpointsRequest, WatchCheckpointsResponse } from '../../proto/gen/hashfed/v1/list.js';
import { malformed, parseOrigin } from '../../sdk/core/index.js';
import type { Engine, Statements } from '../log/index.js';
import type { CallContext } from '../shell/index.js';

const HEARTBEAT_MS = 15_000;
const MAX_WATCHED = 256;

/** The present state of each list, then every change, and a heartbeat where nothing happens. */
export async function* watch(
  engine: Engine,
  statements: Statements,
  request: WatchCheckpointsRequest,
  { caller, signal }: CallContext,
): AsyncGenerator<WatchCheckpointsResponse> {
  if (request.origins.length === 0 || request.origins.length > MAX_WATCHED)
    malformed('origins', `needs 1 to ${MAX_WATCHED}`);
  const watched = new Set(request.origins.map((origin) => parseOrigin(origin).text));
  for (const origin of watched) {
    caller.requireReadable(origin);
    engine.roots.of(origin);
  }
  const due = new Set(watched);
  let wake = (): void => {};
  const stop = engine.lists.onChange((origin) => {
    if (!watched.has(origin)) return;
    due.add(origin);
    wake();
  });
  const event = (checkpoint: CheckpointBundle | undefined): WatchCheckpointsResponse => ({
    checkpoint,
    serverTimeMs: BigInt(engine.clock.nowMs()),
    heartbeatMs: HEARTBEAT_MS,
  });
  try {
    while (!signal.aborted) {
      for (const origin of due) {
        due.delete(origin);
        if (caller.mayRead(origin)) yield event(statements.bundle(origin));
      }
      if (due.size === 0)
        await sleep(HEARTBEAT_MS, signal, (resolve) => {
          wake = resolve;
        });
      if (due.size === 0 && !signal.aborted) yield event(undefined);
    }
  } finally {
    stop();
  }
}

/** Resolves after `ms`, on abort, or when what `arm` was given is called. */
function sleep(ms: number, signal: AbortSignal, arm: (wake: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
    arm(end);
  });
}

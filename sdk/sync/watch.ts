import type { HashfedError, Random } from '../core/index.js';
import { pause } from '../rpc/index.js';
import { SWEEP_MS, WATCH_BACKOFF_MAX_MS, WATCH_BACKOFF_MIN_MS } from './limits.js';
import { asHashfed } from './offers.js';
import type { ListReplica } from './replica.js';
import { type SyncDeps, syncList, syncOffered } from './sync-list.js';
import type { Source, SyncOptions, SyncResult } from './types.js';

/** What a watcher hears. */
export interface WatchOptions extends SyncOptions {
  /** Ends the watch. */
  readonly signal: AbortSignal;
  readonly onResult?: (result: SyncResult) => void;
  /** One list could not be brought up to date; the watch goes on. */
  readonly onFailure?: (origin: string, error: HashfedError) => void;
  /** The stream of a source ended or failed; the next one is tried. */
  readonly onDisconnect?: (source: string, error: HashfedError | undefined) => void;
}

/**
 * Keeps lists up to date until `signal` fires. One source's stream says when there is something new; entries are
 * pulled by the same code as ever; all sources are asked at intervals, since the one watched may withhold.
 */
export async function watch(
  deps: SyncDeps,
  replicas: readonly ListReplica[],
  options: WatchOptions,
): Promise<void> {
  const watched = new Map(replicas.map((replica) => [replica.origin.text, replica]));
  const sweeping = sweep(deps, replicas, options);
  for (let attempt = 0, turn = 0; !options.signal.aborted; turn++) {
    const source = deps.sources[turn % deps.sources.length]!;
    const heard = await follow(deps, watched, source, options);
    attempt = heard ? 0 : attempt + 1;
    await idle(backoff(deps.env.random, attempt), options.signal);
  }
  await sweeping;
}

/** True where the source had something to say before it ended. */
async function follow(
  deps: SyncDeps,
  watched: ReadonlyMap<string, ListReplica>,
  source: Source,
  options: WatchOptions,
): Promise<boolean> {
  let heard = false;
  let failure: HashfedError | undefined;
  try {
    for await (const { bundle } of source.watch([...watched.keys()], options.signal)) {
      heard = true;
      const replica = bundle === undefined ? undefined : watched.get(bundle.origin);
      if (bundle === undefined || replica === undefined) continue;
      await attempt(replica, options, async () => {
        try {
          return await syncOffered(deps, replica, source, bundle, options);
        } catch (error) {
          if (deps.sources.length === 1 || options.signal.aborted) throw error;
          return await syncList(deps, replica, options);
        }
      });
    }
  } catch (error) {
    failure = asHashfed(error);
  }
  if (!options.signal.aborted) options.onDisconnect?.(source.name, failure);
  return heard;
}

async function sweep(deps: SyncDeps, replicas: readonly ListReplica[], options: WatchOptions): Promise<void> {
  while (!options.signal.aborted) {
    for (const replica of replicas) {
      if (options.signal.aborted) return;
      await attempt(replica, options, () => syncList(deps, replica, options));
    }
    await idle(SWEEP_MS / 2 + jitter(deps.env.random, SWEEP_MS / 2), options.signal);
  }
}

async function attempt(
  replica: ListReplica,
  options: WatchOptions,
  sync: () => Promise<SyncResult>,
): Promise<void> {
  try {
    options.onResult?.(await sync());
  } catch (error) {
    if (!options.signal.aborted) options.onFailure?.(replica.origin.text, asHashfed(error));
  }
}

/** Doubled each time, the lower half kept, so that clients do not come back all at once. */
function backoff(random: Random, attempt: number): number {
  const whole = Math.min(WATCH_BACKOFF_MAX_MS, WATCH_BACKOFF_MIN_MS * 2 ** attempt);
  return whole / 2 + jitter(random, whole / 2);
}

function jitter(random: Random, span: number): number {
  const [high = 0, low = 0] = random.bytes(2);
  return ((high * 256 + low) / 65_536) * span;
}

async function idle(ms: number, signal: AbortSignal): Promise<void> {
  await pause(ms, signal).catch(() => {});
}

import { DirectoryServiceService } from '../../proto/gen/hashfed/v1/directory_service.js';
import type { Equivocation } from '../../proto/gen/hashfed/v1/federation.js';
import { FederationServiceService } from '../../proto/gen/hashfed/v1/federation_service.js';
import { HashfedError } from '../../sdk/core/index.js';
import { callUnary, pause } from '../../sdk/rpc/index.js';
import { type Source, watchOrigins } from '../../sdk/sync/index.js';
import type { DirectoryKeeper } from '../access/index.js';
import { followList } from './follow.js';
import { asHashfed } from './offers.js';
import type { Following } from './types.js';

/** Which lists there are is looked at anew this often, milliseconds. */
const SWEEP_MS = 5 * 60_000;
/** Roots and member directory are asked for this often, milliseconds: a member that was revoked must not read on. */
const CURRENT_MS = 60_000;
/** Pause where there is nothing to watch yet, milliseconds. */
const IDLE_MS = 5_000;
/** Deadline of a small call, milliseconds. */
const CALL_MS = 30_000;
/** Directory versions taken in one look: a hostile upstream cannot make us walk for ever. */
const MAX_DIRECTORY_STEPS = 256;

export interface CycleOptions {
  readonly following: Following;
  /** The mirror's own copy of the member directory: entitlements travel with it. */
  readonly directory: DirectoryKeeper;
  /** Origins to carry; undefined: all that the trusted roots name. */
  readonly lists: readonly string[] | undefined;
}

/** Follows until the signal aborts. One failing list or upstream keeps none of the others. */
export async function followForever(options: CycleOptions, signal: AbortSignal): Promise<void> {
  const { following } = options;
  following.equivocations.onFound((evidence) => void tellUpstreams(following, evidence));
  await keepCurrent(options, signal);
  const keeping = repeat(() => keepCurrent(options, signal), CURRENT_MS, signal);
  keeping.catch(() => undefined);
  while (!signal.aborted) {
    const sweep = AbortSignal.any([signal, AbortSignal.timeout(SWEEP_MS)]);
    const origins = originsToCarry(options);
    if (origins.length === 0) await pause(IDLE_MS, signal).catch(() => undefined);
    else await followUntil(following, origins, sweep, signal);
  }
  await keeping;
}

async function repeat(work: () => Promise<void>, everyMs: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await pause(everyMs, signal).catch(() => undefined);
    if (!signal.aborted) await work();
  }
}

async function keepCurrent(options: CycleOptions, signal: AbortSignal): Promise<void> {
  await refreshRoots(options.following, signal);
  await refreshDirectory(options, signal);
}

/**
 * Every upstream is watched, not one at a time: of mirrors that follow each other, or themselves, none would hear what
 * is new. What several say at once is looked at once.
 */
async function followUntil(
  following: Following,
  origins: readonly string[],
  sweep: AbortSignal,
  signal: AbortSignal,
): Promise<void> {
  const due = new Set(origins);
  let wake = (): void => undefined;
  const watchOne = async (source: Source): Promise<void> => {
    for await (const moved of watchOrigins({ ...following.deps, sources: [source] }, origins, sweep)) {
      for (const origin of moved) due.add(origin);
      wake();
    }
  };
  const watching = Promise.all(following.deps.sources.map(watchOne));
  watching.catch(() => undefined);
  sweep.addEventListener('abort', () => wake(), { once: true });
  while (!sweep.aborted) {
    for (const origin of due) {
      due.delete(origin);
      // A long first pull outlives the sweep.
      await followQuietly(following, origin, signal);
    }
    if (due.size === 0 && !sweep.aborted)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
  }
  await watching;
}

function originsToCarry({ following, lists }: CycleOptions): string[] {
  const { deps, book } = following;
  const named = deps.trust.flatMap(({ publisher }) => [...(book.newest(publisher)?.origins.keys() ?? [])]);
  return lists === undefined ? named : named.filter((origin) => lists.includes(origin));
}

async function followQuietly(following: Following, origin: string, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { log } = following.engine;
  try {
    const { from, size, failures } = await followList(following, origin, signal);
    if (size > from) log.info('mirror.followed', { origin, size, count: size - from });
    for (const { code } of failures) log.warn('mirror.upstream', { origin, code });
  } catch (error) {
    if (!signal.aborted) log.warn('mirror.stayed', { origin, code: asHashfed(error).code, error });
  }
}

async function refreshRoots({ deps, book, engine }: Following, signal: AbortSignal): Promise<void> {
  for (const source of deps.sources)
    for (const { publisher } of deps.trust)
      await book.refresh(source, publisher, signal).catch((error: unknown) => {
        if (!signal.aborted)
          engine.log.warn('mirror.root', { member: publisher.slice('members/'.length), error });
      });
}

/** Later versions of the member directory, each checked against the one before: who may read here follows who may there. */
async function refreshDirectory({ following, directory }: CycleOptions, signal: AbortSignal): Promise<void> {
  for (const source of following.deps.sources)
    try {
      for (let step = 0; step < MAX_DIRECTORY_STEPS; step++) {
        const version = BigInt(directory.current.version + 1);
        const limits = { deadlineMs: CALL_MS, signal };
        const answer = await callUnary(
          source.channel,
          DirectoryServiceService.getDirectory,
          { version },
          limits,
        );
        await directory.put(answer.envelope);
      }
    } catch (error) {
      const known = error instanceof HashfedError && error.code === 'NOT_FOUND';
      if (!known && !signal.aborted) following.engine.log.warn('mirror.directory', { error });
    }
}

/** Best effort: evidence is kept here whatever others do with it. */
async function tellUpstreams({ deps, engine }: Following, equivocation: Equivocation): Promise<void> {
  await Promise.all(deps.sources.map((source) => tell(source, equivocation).catch(() => undefined)));
  engine.log.info('equivocation.told', { origin: equivocation.origin, count: deps.sources.length });
}

async function tell({ channel }: Source, equivocation: Equivocation): Promise<void> {
  const limits = { deadlineMs: CALL_MS, retries: 0 };
  await callUnary(channel, FederationServiceService.reportEquivocation, { equivocation }, limits);
}

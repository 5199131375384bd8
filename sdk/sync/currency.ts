import {
  type Clock,
  FRESH_MS,
  HashfedError,
  judgeCurrency,
  type OriginSettings,
  type PublisherRoot,
  settingsOf,
} from '../core/index.js';
import { guardOf } from './clock-guard.js';
import type { SyncDeps } from './deps.js';
import type { Held, Stated } from './held.js';
import type { ListReplica } from './replica.js';
import type { RootBook } from './root-book.js';
import type { ListCurrency } from './types.js';

/** All that a judgement of currency takes from the clock, to the millisecond. */
export interface Moment {
  readonly nowMs: number;
  readonly monotonicMs: number;
  readonly told: number;
}

export function momentOf(clock: Clock): Moment {
  const monotonicMs = Math.floor(clock.monotonicMs());
  return { nowMs: clock.nowMs(), monotonicMs, told: guardOf(clock).told };
}

export function isSameMoment(a: Moment, b: Moment): boolean {
  return a === b || (a.nowMs === b.nowMs && a.monotonicMs === b.monotonicMs && a.told === b.told);
}

/**
 * How current a list is now, as verdicts and metrics state it. Nothing verified yet is for the caller to see from
 * `replica.size`. Throws `UNKNOWN_ORIGIN` where no root names the list, `GENERATION_CLOSED`.
 */
export function currencyOf(deps: SyncDeps, book: RootBook, replica: ListReplica): ListCurrency {
  const root = book.of(replica.origin.text);
  const settings = settingsOf(root, replica.origin.text);
  replica.useRoot(root);
  const { held, head } = replica;
  const guard = guardOf(deps.clock);
  const nowMs = deps.clock.nowMs();
  if (held === undefined) return { state: 'STALE', causes: ['FRESHNESS'], lastFreshMs: undefined };
  guard.sawTime(replica.appliedMs ?? 0);
  const judgement = judgeCurrency({
    nowMs,
    clockTrusted: guard.trusted(),
    rootExpiresMs: root.expiresMs,
    hasLiveKey: root.roles.live.keys.length > 0,
    settings,
    held: held.checkpoint,
    sealMs: head.seal?.timeMs ?? 0,
    freshness: held.freshness?.statement,
    liveness: held.liveness?.statement,
    freshnessHeldMs: heldFor(deps, held.freshness),
    livenessHeldMs: heldFor(deps, held.liveness),
  });
  if (judgement.state === 'FRESH' && namesNewerRoot(held, root))
    return { state: 'STALE', causes: ['WITHHELD'], lastFreshMs: lastFresh(held, settings, nowMs) };
  const fresh = judgement.state === 'FRESH';
  return { ...judgement, lastFreshMs: fresh ? nowMs : lastFresh(held, settings, nowMs) };
}

/** Verifies the stored statements again under the roots held now; what no longer verifies is left aside. */
export function restoreStatements(_deps: SyncDeps, book: RootBook, replica: ListReplica): void {
  try {
    replica.useRoot(book.of(replica.origin.text));
  } catch (error) {
    if (!(error instanceof HashfedError)) throw error;
  }
}

/** Somebody hides the root that a statement rests on: a key may have been revoked in it. */
function namesNewerRoot({ freshness, liveness }: Held, { version }: PublisherRoot): boolean {
  return [freshness, liveness].some((one) => (one?.statement?.rootVersion ?? 0) > version);
}

function heldFor(deps: SyncDeps, stated: Stated<unknown> | undefined): number {
  const since = stated?.acceptedMono;
  return since === undefined ? 0 : deps.clock.monotonicMs() - since;
}

/** The latest moment at which both statements still made the list FRESH, and what is known from before. */
function lastFresh(held: Held, settings: OriginSettings, nowMs: number): number | undefined {
  const freshness = held.freshness?.statement;
  const liveness = held.liveness?.statement;
  let last = held.lastFreshMs;
  if (freshness !== undefined && freshness.size >= held.checkpoint.size) {
    const until = freshness.issuedAtMs + FRESH_MS;
    const alive = liveness === undefined ? until : liveness.timeMs + settings.maxSilenceMs;
    last = Math.max(last, Math.min(until, alive));
  }
  return last === 0 ? undefined : Math.min(last, nowMs);
}

import {
  FRESH_MS,
  type Freshness,
  type Judgement,
  judgeCurrency,
  type Liveness,
  settingsOf,
  verifyFreshness,
  verifyLiveness,
} from '../core/index.js';
import type { SyncDeps } from './deps.js';
import type { HeldStatement, ListReplica } from './replica.js';
import type { RootBook } from './root-book.js';

/** How current a list is, as verdicts and metrics state it. */
export interface ListCurrency extends Judgement {
  /** When it was last FRESH, Unix milliseconds; undefined: never. */
  readonly lastFreshMs: number | undefined;
}

/** EMPTY aside, which the caller sees from `replica.size`. Throws UNKNOWN_ORIGIN where no root names the list. */
export function currencyOf(deps: SyncDeps, book: RootBook, replica: ListReplica): ListCurrency {
  const root = book.of(replica.origin.text);
  const settings = settingsOf(root, replica.origin.text);
  const { freshness, liveness, state } = replica;
  const nowMs = deps.clock.nowMs();
  const heldFor = (held: HeldStatement<unknown> | undefined): number =>
    held === undefined || held.acceptedAt === 0 ? 0 : deps.clock.monotonicMs() - held.acceptedAt;
  const judgement = judgeCurrency({
    nowMs,
    clockTrusted: true,
    rootExpiresMs: root.expiresMs,
    hasLiveKey: root.roles.live.keys.length > 0 && liveness !== undefined,
    settings,
    held: { size: replica.size, root: replica.root },
    sealMs: state.head.seal?.timeMs ?? 0,
    freshness: freshness?.statement,
    liveness: liveness?.statement,
    freshnessHeldMs: heldFor(freshness),
    livenessHeldMs: heldFor(liveness),
  });
  return { ...judgement, lastFreshMs: judgement.state === 'FRESH' ? nowMs : lastFresh(replica, nowMs) };
}

/** A statement kept a list FRESH until it was 15 minutes old. */
function lastFresh({ freshness, size }: ListReplica, nowMs: number): number | undefined {
  if (freshness === undefined || freshness.statement.size < size) return undefined;
  return Math.min(nowMs, freshness.statement.issuedAtMs + FRESH_MS);
}

/** Verifies the stored statements of a list again under the roots held now; what no longer verifies is left aside. */
export function restoreStatements(deps: SyncDeps, book: RootBook, replica: ListReplica): void {
  const nowMs = deps.clock.nowMs();
  const origin = replica.origin.text;
  const tryOne = <T extends Freshness | Liveness>(
    envelope: Uint8Array,
    verify: () => T,
  ): HeldStatement<T> | undefined => {
    if (envelope.length === 0) return undefined;
    try {
      return { statement: verify(), acceptedAt: 0 };
    } catch {
      return undefined;
    }
  };
  replica.freshness = tryOne(replica.freshnessEnvelope, () =>
    verifyFreshness(deps.suite, book.of(origin), origin, replica.freshnessEnvelope, nowMs),
  );
  replica.liveness = tryOne(replica.livenessEnvelope, () =>
    verifyLiveness(deps.suite, book.of(origin), origin, replica.livenessEnvelope, nowMs),
  );
}

/** How current a list is: a pure function of time, statements, the newest SEAL and the root. */
import { FRESH_MS, MAX_AHEAD_MS } from './limits.js';
import type { OriginSettings, TreeState } from './root.js';
import type { Freshness, Liveness } from './statements.js';

export type Currency = 'FRESH' | 'STALE' | 'EXPIRED';
/** Why a list is not fresh, worst first. */
export type StaleCause =
  | 'ROOT_EXPIRED'
  | 'EXPIRED'
  | 'CLOCK'
  | 'WITHHELD'
  | 'FRESHNESS'
  | 'SILENCE'
  | 'SEAL_AGE';

export interface Judgement {
  readonly state: Currency;
  /** Empty exactly where the state is FRESH. */
  readonly causes: readonly StaleCause[];
}

export interface CurrencyInput {
  readonly nowMs: number;
  /** False where the clock is known to be wrong (it jumped, or was never set). */
  readonly clockTrusted: boolean;
  readonly rootExpiresMs: number;
  readonly hasLiveKey: boolean;
  readonly settings: OriginSettings;
  /** The state held, and the time of its newest SEAL. */
  readonly held: TreeState;
  readonly sealMs: number;
  /** Newest verified statements. */
  readonly freshness: Freshness | undefined;
  readonly liveness: Liveness | undefined;
  /** Monotonic milliseconds since each was accepted; 0 where unknown (after a restart). */
  readonly freshnessHeldMs: number;
  readonly livenessHeldMs: number;
}

/**
 * FRESH: the newest freshness statement covers the state held and is at most 15 minutes old. EXPIRED: past its
 * effective expiry, or the root's. STALE: everything else. What cannot be judged is STALE with cause CLOCK, never
 * fresh and never expired. An age is the larger of what the wall clock and the monotonic clock say, so that a
 * clock put back makes nothing younger.
 */
export function judgeCurrency(input: CurrencyInput): Judgement {
  if (!canJudge(input)) return { state: 'STALE', causes: ['CLOCK'] };
  const expired = expiries(input);
  const causes = [...expired, ...staleness(input)];
  if (causes.length === 0) return { state: 'FRESH', causes };
  return { state: expired.length > 0 ? 'EXPIRED' : 'STALE', causes };
}

/** Nothing that was verified may lie more than 10 minutes ahead: then our clock, or the publisher's, is wrong. */
function canJudge({ clockTrusted, nowMs, sealMs, freshness, liveness }: CurrencyInput): boolean {
  const times = [sealMs, freshness?.issuedAtMs ?? 0, liveness?.timeMs ?? 0];
  return clockTrusted && times.every((time) => time <= nowMs + MAX_AHEAD_MS);
}

function age(nowMs: number, timeMs: number, heldMs: number): number {
  return Math.max(nowMs - timeMs, heldMs);
}

function expiries({ nowMs, rootExpiresMs, freshness, freshnessHeldMs }: CurrencyInput): StaleCause[] {
  const causes: StaleCause[] = [];
  if (nowMs >= rootExpiresMs) causes.push('ROOT_EXPIRED');
  if (freshness === undefined) return causes;
  const span = freshness.effectiveExpiryMs - freshness.issuedAtMs;
  if (age(nowMs, freshness.issuedAtMs, freshnessHeldMs) >= span) causes.push('EXPIRED');
  return causes;
}

function staleness(input: CurrencyInput): StaleCause[] {
  const { nowMs, held, freshness, liveness, sealMs, settings } = input;
  const causes: StaleCause[] = [];
  if ((freshness?.size ?? 0) > held.size || (liveness?.size ?? 0) > held.size) causes.push('WITHHELD');
  if (!isFresh(input)) causes.push('FRESHNESS');
  if (isSilent(input)) causes.push('SILENCE');
  if (nowMs - sealMs > settings.maxSealAgeMs) causes.push('SEAL_AGE');
  return causes;
}

/** A newer checkpoint than the statement speaks of is applied, and STALE until a statement covers it. */
function isFresh({ freshness, freshnessHeldMs, held, nowMs }: CurrencyInput): boolean {
  if (freshness === undefined || freshness.size < held.size) return false;
  return age(nowMs, freshness.issuedAtMs, freshnessHeldMs) <= FRESH_MS;
}

/** Without a live key the newest SEAL is the publisher's last sign of life. */
function isSilent({ hasLiveKey, liveness, livenessHeldMs, nowMs, sealMs, settings }: CurrencyInput): boolean {
  if (!hasLiveKey) return nowMs - sealMs > settings.maxSilenceMs;
  return liveness === undefined || age(nowMs, liveness.timeMs, livenessHeldMs) > settings.maxSilenceMs;
}

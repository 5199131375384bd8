import { parseOrigin } from '../../core/index.js';
import { isListedClass } from './classification.js';
import type { Policy } from './policy.js';
import type { Candidate, Cause, ListInfo } from './types.js';

const HOUR_MS = 3_600_000;
/** A last FRESH moment this far ahead of the clock means that the clock cannot judge, milliseconds. */
const CLOCK_SLACK_MS = 600_000;

/** A candidate with its list and what was found out about it. */
export interface Judged {
  readonly candidate: Candidate;
  readonly list: ListInfo;
  /** Domain of the publisher. */
  readonly publisher: string;
  readonly suppressed: boolean;
  /** What keeps it from counting towards `block`. */
  readonly limits: readonly Cause[];
  /** The list is so old that `block` needs a confirmation whatever the rule says. */
  readonly needsConfirmation: boolean;
}

type Waits = { readonly probation_hours: number; readonly observe_hours: number };

/** Waits of a list: its own, its collection's, its publisher's, the policy's. */
export function waitsOf(policy: Policy, origin: string): Waits {
  const { domain, collection } = parseOrigin(origin);
  const names = [origin, `${domain}/${collection}`, domain];
  const own = names.flatMap((name) => (Object.hasOwn(policy.lists, name) ? [policy.lists[name]!] : []));
  return {
    probation_hours:
      own.find((w) => w.probation_hours !== undefined)?.probation_hours ?? policy.probation_hours,
    observe_hours: own.find((w) => w.observe_hours !== undefined)?.observe_hours ?? policy.observe_hours,
  };
}

/** Hours since the list was last FRESH; infinite if never, undefined where the clock cannot judge. */
export function ageHours(list: ListInfo, now: number): number | undefined {
  if (list.lastFreshMs === undefined) return Number.POSITIVE_INFINITY;
  if (list.lastFreshMs > now + CLOCK_SLACK_MS) return undefined;
  return Math.max(0, now - list.lastFreshMs) / HOUR_MS;
}

export function judge(candidate: Candidate, list: ListInfo, policy: Policy, now: number): Judged {
  const publisher = parseOrigin(candidate.origin).domain;
  const age = ageHours(list, now);
  const suppressed = isSuppressed(candidate, publisher, policy);
  const limits = suppressed ? (['suppressed'] as const) : limitsOf(candidate, list, policy, now);
  const needsConfirmation = age === undefined || age >= policy.staleness.confirm_after_hours;
  return { candidate, list, publisher, suppressed, limits, needsConfirmation };
}

function limitsOf(candidate: Candidate, list: ListInfo, policy: Policy, now: number): Cause[] {
  const waits = waitsOf(policy, list.origin);
  const limits: Cause[] = [];
  if (list.purpose === 'test') return limits;
  if (candidate.held === true) limits.push('held');
  if (list.purpose === 'listed' && isObserved(list, waits, now)) limits.push('observed');
  if (onProbation(candidate, waits, now)) limits.push('probation');
  if ((ageHours(list, now) ?? 0) >= policy.staleness.hold_after_hours) limits.push('stale');
  if (list.purpose === 'listed' && isUnknown(candidate)) limits.push('unknown');
  return limits;
}

function isObserved(list: ListInfo, waits: Waits, now: number): boolean {
  return now < (list.firstSyncMs ?? now) + waits.observe_hours * HOUR_MS;
}

/** From the client's own commit for what arrived after its first sync, from the listing for the first. */
function onProbation(candidate: Candidate, waits: Waits, now: number): boolean {
  return now < (candidate.arrivedMs ?? candidate.listedMs) + waits.probation_hours * HOUR_MS;
}

export function isUnknown(candidate: Candidate): boolean {
  return candidate.unknownReason === true || !isListedClass(candidate.scheme, candidate.code);
}

/** A classification of a policy covers the candidate. */
export function covers(c: { scheme: number; codes?: number[] | undefined }, candidate: Candidate): boolean {
  return c.scheme === candidate.scheme && (c.codes === undefined || c.codes.includes(candidate.code));
}

function isSuppressed(candidate: Candidate, publisher: string, { suppress }: Policy): boolean {
  if (suppress.items.includes(candidate.itemId) || suppress.publishers.includes(publisher)) return true;
  return suppress.classifications.some((c) => covers(c, candidate));
}

/** Within the policy's bounds for its type. Exact types always are. */
export function isMatch({ hashType, distance, quality }: Candidate, { perceptual }: Policy): boolean {
  if (hashType === 'pdq') {
    return (distance ?? 0) <= perceptual.pdq_max_distance && (quality ?? 100) >= perceptual.pdq_min_quality;
  }
  if (hashType !== 'photodna') return true;
  return (
    perceptual.photodna_max_distance === undefined || (distance ?? 0) <= perceptual.photodna_max_distance
  );
}

import { HashfedError } from '../../core/index.js';
import { bucketOf } from './classification.js';
import { ageHours, isMatch, type Judged, judge } from './limits.js';
import { type Group, groupItems, type Ruling, ruleOn } from './rules.js';
import {
  ACTIONS,
  type Action,
  type Cause,
  type DecideInput,
  FRESHNESS,
  type Freshness,
  type ListInfo,
  type Match,
  stronger,
  type Verdict,
} from './types.js';

interface Outcome {
  readonly action: Action;
  readonly causes: readonly Cause[];
  readonly vetoedBy?: NonNullable<Verdict['vetoed_by']>;
}

/**
 * The verdict on one object: from what matched, the state of the lists, the policy and the time, and nothing else.
 * Throws `USAGE` for a match whose list is not among `lists`.
 */
export function decide(input: DecideInput): Verdict {
  const judged = judgeAll(input);
  const listed = judged.filter((j) => j.list.purpose === 'listed');
  const good = judged.filter((j) => j.list.purpose === 'known-good');
  const groups = groupItems(listed, input.computed);
  const ruled = combine(ruleAll(groups, input));
  const vetoed = applyKnownGood(ruled, listed, good, input);
  const outcome = joinOthers(vetoed, judged);
  const observed = isObservedOnly(groups, ruled, outcome, input);
  return {
    action: outcome.action,
    matches: judged.map(toMatch),
    freshness: worst(input.lists),
    ...(outcome.vetoedBy !== undefined && { vetoed_by: outcome.vetoedBy }),
    ...(groups.some((g) => g.collision) && { collision: true as const }),
    ...(observed && { observed: true as const }),
    ...(listed.some((j) => surges(j, input)) && { alarm: 'breaker' as const }),
    because: [...new Set([...outcome.causes, ...(observed ? (['observed'] as const) : [])])].sort(),
    ...(input.perceptual !== undefined && { perceptual: input.perceptual }),
  };
}

function judgeAll({ matches, lists, policy, now }: DecideInput): Judged[] {
  if (matches.length === 0) return [];
  const byOrigin = new Map(lists.map((list) => [list.origin, list]));
  const judged: Judged[] = [];
  for (const candidate of matches) {
    const list = byOrigin.get(candidate.origin);
    if (list === undefined) throw new HashfedError('USAGE', 'a match names a list that was not asked');
    if (!isMatch(candidate, policy)) continue;
    if (list.purpose === 'known-good' && candidate.hashType !== 'sha256') continue;
    judged.push(judge(candidate, list, policy, now));
  }
  return judged;
}

function ruleAll(groups: readonly Group[], { policy }: DecideInput): Outcome[] {
  return groups.map((group) => {
    const ruling = ruleOn(group, groups, policy);
    const surging = policy.breaker.enabled && group.judged.some((j) => j.candidate.surging === true);
    return surging ? breakCircuit(ruling) : ruling;
  });
}

/** Confirmed exact matches stand: the breaker must not be a way to hide them. */
function breakCircuit(ruling: Ruling): Outcome {
  if (ruling.action !== 'block' || ruling.confirmed) return ruling;
  return { action: 'hold', causes: ['breaker'], vetoedBy: 'breaker' };
}

/** The strongest of several outcomes, with the causes of those that are as strong. */
function combine(outcomes: readonly Outcome[]): Outcome {
  const action = outcomes.reduce<Action>((max, o) => stronger(max, o.action), 'none');
  const deciding = outcomes.filter((o) => o.action === action);
  const vetoedBy = deciding.find((o) => o.vetoedBy !== undefined)?.vetoedBy;
  const causes = action === 'block' ? [] : deciding.flatMap((o) => o.causes);
  return { action, causes, ...(vetoedBy !== undefined && { vetoedBy }) };
}

function applyKnownGood(
  ruled: Outcome,
  listed: readonly Judged[],
  good: readonly Judged[],
  { policy, now }: DecideInput,
): Outcome {
  const { veto, allow_unconfirmed } = policy.known_good;
  const usable = good.filter((j) => !j.suppressed);
  if (!veto || usable.length === 0 || ACTIONS.indexOf(ruled.action) < ACTIONS.indexOf('hold')) return ruled;
  const trusted = usable.some((j) => mayAllow(j, policy.staleness.hold_after_hours, now));
  if (allow_unconfirmed && trusted && isUnconfirmed(listed)) {
    return { action: 'allow', causes: ['known-good'], vetoedBy: 'known-good' };
  }
  if (ruled.action !== 'block') return ruled;
  return { action: 'hold', causes: ['known-good'], vetoedBy: 'known-good' };
}

/** A known-good entry that is itself in doubt, new or old only softens. */
function mayAllow({ limits, list }: Judged, holdAfterHours: number, now: number): boolean {
  const age = ageHours(list, now);
  return (
    !limits.includes('held') && !limits.includes('probation') && age !== undefined && age < holdAfterHours
  );
}

/** Nobody but one analyst of one publisher ever said so. */
function isUnconfirmed(listed: readonly Judged[]): boolean {
  const live = listed.filter((j) => !j.suppressed);
  return (
    live.every((j) => j.candidate.verifications === 0) && new Set(live.map((j) => j.publisher)).size <= 1
  );
}

/** Test items and known-good files count where nothing stronger does; suppressed ones let pass. */
function joinOthers(ruled: Outcome, judged: readonly Judged[]): Outcome {
  const tests = judged.some((j) => j.list.purpose === 'test' && !j.suppressed);
  if (tests && stronger(ruled.action, 'test') === 'test') return { action: 'test', causes: [] };
  if (ruled.action === 'none' && judged.length > 0) {
    const suppressed = judged.every((j) => j.suppressed);
    const cause = suppressed ? 'suppressed' : 'known-good';
    return { action: 'allow', causes: [cause], ...(suppressed && { vetoedBy: 'suppressed' as const }) };
  }
  const passed =
    ruled.action === 'allow' && ruled.vetoedBy === undefined && ruled.causes.includes('suppressed');
  return passed ? { ...ruled, vetoedBy: 'suppressed' } : ruled;
}

/** Without the lists that only observe, the action would be weaker. */
function isObservedOnly(
  groups: readonly Group[],
  ruled: Outcome,
  outcome: Outcome,
  input: DecideInput,
): boolean {
  if (outcome.action !== 'hold' || ruled.action !== 'hold') return false;
  const enforced = groups.map((group) => ({
    ...group,
    judged: group.judged.filter((j) => !j.limits.includes('observed')),
  }));
  const rest = combine(
    ruleAll(
      enforced.filter((g) => g.judged.length > 0),
      input,
    ),
  );
  return stronger(rest.action, 'test') === 'test';
}

function surges(judged: Judged, { policy }: DecideInput): boolean {
  return policy.breaker.enabled && judged.candidate.surging === true && !judged.suppressed;
}

function worst(lists: readonly ListInfo[]): Freshness {
  return lists.reduce<Freshness>(
    (max, { state }) => (FRESHNESS.indexOf(state) > FRESHNESS.indexOf(max) ? state : max),
    lists.length === 0 ? 'EMPTY' : 'FRESH',
  );
}

function toMatch({ candidate: c, list, limits }: Judged): Match {
  return {
    origin: c.origin,
    add_index: c.addIndex,
    item_id: c.itemId,
    hash_type: c.hashType,
    classification: { scheme: c.scheme, code: c.code, bucket: bucketOf(c.scheme, c.code) },
    verifications: c.verifications,
    ...(c.distance !== undefined && { distance: c.distance }),
    ...(c.quality !== undefined && { quality: c.quality }),
    listed_at: c.listedMs,
    size: list.size,
    ...(limits.length > 0 && { limited_by: limits }),
  };
}

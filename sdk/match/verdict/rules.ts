import { equalBytes } from '../../core/index.js';
import { agreeingPublishers } from './agreement.js';
import { covers, isUnknown, type Judged } from './limits.js';
import type { Evidence, Policy, Rule } from './policy.js';
import type { Action, Cause, DecideInput, ItemHash } from './types.js';

/** All that matched of one item of one publisher; item ids of different publishers have nothing to do with each other. */
export interface Group {
  readonly judged: readonly Judged[];
  readonly collision: boolean;
}

/** What the rules say of a group. */
export interface Ruling {
  readonly action: Action;
  readonly causes: readonly Cause[];
  /** Exact evidence that another analyst or another publisher confirms. */
  readonly confirmed: boolean;
}

/** What is enough to call a match confirmed, for staleness and the breaker. */
const CONFIRMED = { verifications: 1, publishers: 2 };
const PERCEPTUAL: ReadonlySet<string> = new Set(['pdq', 'photodna']);
const EXACT: readonly Evidence[] = ['sha256', 'md5+sha1'];

export function groupItems(judged: readonly Judged[], computed: DecideInput['computed']): Group[] {
  const groups = new Map<string, Judged[]>();
  for (const one of judged) {
    const key = `${one.publisher} ${one.candidate.itemId}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return [...groups.values()].map((group) => ({ judged: group, collision: collides(group, computed) }));
}

/** One exact hash agrees, and for another type the item has hashes of which none is the object's. */
function collides(group: readonly Judged[], computed: DecideInput['computed']): boolean {
  return group.some(({ candidate }) => {
    if (PERCEPTUAL.has(candidate.hashType)) return false;
    const siblings = candidate.siblings ?? [];
    return siblings.some(({ hashType }) => {
      const own = computed[hashType];
      const matched = group.some((other) => other.candidate.hashType === hashType);
      return own !== undefined && !matched && !siblings.some((s) => isSame(s, hashType, own));
    });
  });
}

function isSame(sibling: ItemHash, hashType: string, own: Uint8Array): boolean {
  return sibling.hashType === hashType && equalBytes(sibling.hash, own);
}

/**
 * The first rule that applies decides; `others` are all groups of the object, for agreement. A publisher's HOLD on
 * any record of the item that matched keeps all of it from `block`.
 */
export function ruleOn(group: Group, others: readonly Group[], policy: Policy): Ruling {
  const live = group.judged.filter((j) => !j.suppressed);
  if (live.length === 0) return { action: 'allow', causes: ['suppressed'], confirmed: false };
  const confirmed = EXACT.some((e) => isConfirmed(CONFIRMED, [e], group, others, undefined));
  if (group.collision) return { action: 'hold', causes: ['collision'], confirmed };
  const rule = policy.rules.find((r) => applies(r, group, others));
  const action = rule?.action ?? policy.otherwise;
  if (action === 'block') {
    const held = live.some((j) => j.limits.includes('held'));
    return { action: held ? 'hold' : 'block', causes: held ? ['held'] : [], confirmed };
  }
  if (action === 'allow' && live.some((j) => isUnknown(j.candidate))) {
    return { action: 'hold', causes: ['unknown'], confirmed };
  }
  return { action, causes: rule === undefined ? whyNot(live, group, policy) : ['rule'], confirmed };
}

function applies(rule: Rule, group: Group, others: readonly Group[]): boolean {
  const evidence = rule.evidence;
  const counted = countedBy(rule, group);
  if (!hasEvidence(evidence, counted)) return false;
  if (rule.confirmed_by !== undefined && !isConfirmed(rule.confirmed_by, evidence, group, others, rule))
    return false;
  const strict = rule.action === 'block' && counted.some((j) => j.needsConfirmation);
  return !strict || isConfirmed(CONFIRMED, evidence, group, others, rule);
}

/** The candidates of a group that a rule looks at; what is limited never counts towards `block`. */
function countedBy(rule: Rule | undefined, { judged, collision }: Group): Judged[] {
  return judged.filter((j) => {
    if (j.suppressed || collision) return false;
    if ((rule?.action ?? 'block') === 'block' && j.limits.length > 0) return false;
    if (rule === undefined) return true;
    if (rule.publishers !== undefined && !rule.publishers.includes(j.publisher)) return false;
    if (rule.max_distance !== undefined && (j.candidate.distance ?? 0) > rule.max_distance) return false;
    return rule.classifications === undefined || rule.classifications.some((c) => covers(c, j.candidate));
  });
}

/** Verifications behind one kind of evidence, or −1 where the group has none of it. A pair is as good as its weaker half. */
function verifications(evidence: Evidence, judged: readonly Judged[]): number {
  const best = (type: string) =>
    judged.reduce(
      (max, { candidate: c }) => (c.hashType === type ? Math.max(max, c.verifications) : max),
      -1,
    );
  return Math.min(...evidence.split('+').map(best));
}

function hasEvidence(evidence: readonly Evidence[] | undefined, judged: readonly Judged[]): boolean {
  if (evidence === undefined) return judged.length > 0;
  return evidence.some((e) => verifications(e, judged) >= 0);
}

/** By enough verifications of this item, or by enough publishers with the same kind of evidence for theirs. */
function isConfirmed(
  by: NonNullable<Rule['confirmed_by']>,
  evidence: readonly Evidence[] | undefined,
  group: Group,
  others: readonly Group[],
  rule: Rule | undefined,
): boolean {
  const counted = countedBy(rule, group);
  if (!hasEvidence(evidence, counted)) return false;
  const most = Math.max(...(evidence ?? ALONE).map((e) => verifications(e, counted)));
  if (by.verifications !== undefined && most >= by.verifications) return true;
  if (by.publishers === undefined) return false;
  const agreeing = others
    .map((other) => countedBy(rule, other))
    .filter((other) => hasEvidence(evidence, other));
  return agreeingPublishers(agreeing.flat()) >= by.publishers;
}

const ALONE: readonly Evidence[] = ['sha256', 'sha1', 'md5', 'pdq', 'photodna'];

/** Why the rules of `block` do not apply, as far as that can be said in a word. */
function whyNot(live: readonly Judged[], group: Group, policy: Policy): Cause[] {
  const free = live.filter((j) => j.limits.length === 0);
  const limits = live.flatMap((j) => j.limits);
  if (free.length === 0) return limits;
  if (free.every((j) => PERCEPTUAL.has(j.candidate.hashType))) return [...limits, 'perceptual'];
  const wanted = policy.rules.filter((r) => r.action === 'block');
  if (wanted.some((r) => hasEvidence(r.evidence, countedBy(r, group)))) return [...limits, 'unconfirmed'];
  const meantForOthers = wanted.length === 0 || wanted.some((r) => hasEvidence(r.evidence, free));
  return [...limits, meantForOthers ? 'rule' : 'weak-hash'];
}

import type { Policy, Rule } from './policy.js';

const EVIDENCE_WORDS = {
  sha256: 'the same sha256',
  'md5+sha1': 'the same md5 and sha1 of one item',
  sha1: 'the same sha1',
  md5: 'the same md5',
  pdq: 'a similar PDQ hash',
  photodna: 'a similar PhotoDNA hash',
} as const;
/** Evidence that somebody can make on purpose, or that is only likeness. */
const WEAK = new Set(['sha1', 'md5', 'pdq', 'photodna']);

const or = (parts: readonly string[]): string => parts.join(' or ');
const count = (n: number, one: string, many: string): string => `${n} ${n === 1 ? one : many}`;
const hours = (n: number): string => count(n, 'hour', 'hours');

function describeRule(rule: Rule, position: number): string[] {
  const parts = [`Rule ${position} (${rule.name}): ${rule.action}`];
  parts.push(
    rule.evidence === undefined ? 'on any match' : `on ${or(rule.evidence.map((e) => EVIDENCE_WORDS[e]))}`,
  );
  const { verifications, publishers } = rule.confirmed_by ?? {};
  const by: string[] = [];
  if (verifications !== undefined)
    by.push(`at least ${count(verifications, 'other analyst', 'other analysts')} agreed`);
  if (publishers !== undefined)
    by.push(`at least ${publishers} publishers list it on assessments of their own`);
  if (by.length > 0) parts.push(`if ${or(by)}`);
  if (rule.classifications !== undefined)
    parts.push(`for ${rule.classifications.map(describeClass).join(', ')}`);
  if (rule.publishers !== undefined) parts.push(`from ${rule.publishers.join(', ')}`);
  if (rule.max_distance !== undefined) parts.push(`up to distance ${rule.max_distance}`);
  return [`${parts.join(', ')}.`, ...warnings(rule)];
}

function warnings(rule: Rule): string[] {
  if (rule.action !== 'block') return [];
  const weak = (rule.evidence ?? [...WEAK]).filter((e) => WEAK.has(e));
  const lines: string[] = [];
  if (weak.length > 0)
    lines.push(`Warning: ${rule.name} blocks on ${weak.join(', ')} alone, which harmless files can share.`);
  if (rule.confirmed_by === undefined) lines.push(`Warning: ${rule.name} blocks on the word of one person.`);
  return lines;
}

function describeClass({ scheme, codes }: { scheme: number; codes?: number[] | undefined }): string {
  return codes === undefined ? `scheme ${scheme}` : `scheme ${scheme} codes ${codes.join(' and ')}`;
}

function describeWaits(policy: Policy): string[] {
  const lines = [
    `New entries yield at most hold for ${hours(policy.probation_hours)}.`,
    `A list only counts for ${hours(policy.observe_hours)} after its first sync: verdicts say hold, and observed.`,
  ];
  for (const [name, { probation_hours, observe_hours }] of Object.entries(policy.lists)) {
    const parts: string[] = [];
    if (probation_hours !== undefined) parts.push(`probation ${hours(probation_hours)}`);
    if (observe_hours !== undefined) parts.push(`observation ${hours(observe_hours)}`);
    if (parts.length > 0) lines.push(`For ${name}: ${parts.join(', ')}.`);
  }
  return lines;
}

function describeGuards({ known_good, breaker, staleness, perceptual }: Policy): string[] {
  const lines = [
    'An object that agrees with an item by one hash and disagrees by another is held: a collision.',
  ];
  lines.push(
    known_good.veto ? 'A known-good sha256 turns block into hold.' : 'Warning: known-good lists are ignored.',
  );
  if (known_good.veto && known_good.allow_unconfirmed) {
    lines.push('It lets pass what only one publisher lists and nobody else confirmed.');
  }
  if (breaker.enabled) {
    lines.push(
      `An item that matches at least ${breaker.min_uploaders} uploaders and ${breaker.factor} times its usual number ` +
        'raises an alarm; unconfirmed and perceptual matches of it are held.',
    );
  } else lines.push('Warning: the breaker is off.');
  lines.push(
    `${hours(staleness.confirm_after_hours)} after a list was last fresh, block needs another analyst or two ` +
      `publishers; after ${hours(staleness.hold_after_hours)} everything is held.`,
    `PDQ hashes match up to distance ${perceptual.pdq_max_distance}, from quality ${perceptual.pdq_min_quality}.`,
  );
  if (perceptual.pdq_dihedral === true) lines.push('Turned and mirrored copies match as well.');
  if ((perceptual.pdq_frames ?? 1) > 1)
    lines.push(`Of animations ${perceptual.pdq_frames} frames are hashed, spread evenly.`);
  return lines;
}

function describeRetention({ retention }: Policy): string[] {
  const { preserve_days, delete_after_days, forget_released_after_days, decide_within_days } = retention;
  const dayCount = (n: number) => count(n, 'day', 'days');
  const end =
    delete_after_days === undefined
      ? 'it never ends by itself'
      : `it ends after ${dayCount(delete_after_days)}`;
  return [
    `What is blocked or handed over is kept for ${dayCount(preserve_days)} at least; ${end}.`,
    `What is held waits ${dayCount(decide_within_days)} for a decision before it is reported; the record of what was ` +
      `released is closed after ${dayCount(forget_released_after_days)}.`,
  ];
}

function describeSuppressed({ suppress }: Policy): string[] {
  const lines: string[] = [];
  if (suppress.items.length > 0) lines.push(`Let pass: ${count(suppress.items.length, 'item', 'items')}.`);
  if (suppress.publishers.length > 0)
    lines.push(`Let pass, whatever it is: all of ${suppress.publishers.join(', ')}.`);
  if (suppress.classifications.length > 0)
    lines.push(`Let pass: ${suppress.classifications.map(describeClass).join(', ')}.`);
  return lines;
}

/** The effective policy in sentences, one a line; what is risky begins with "Warning:". */
export function describePolicy(policy: Policy): string[] {
  return [
    ...policy.rules.flatMap((rule, i) => describeRule(rule, i + 1)),
    `Everything else that matches: ${policy.otherwise}.`,
    'Entries that a publisher put on HOLD, and classifications unknown to this version: at most hold.',
    ...describeWaits(policy),
    ...describeGuards(policy),
    ...describeRetention(policy),
    ...describeSuppressed(policy),
  ];
}

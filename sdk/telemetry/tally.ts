import { Action, MatchKind } from '../../proto/gen/hashfed/v1/enums.js';
import { fromHex } from '../core/index.js';
import { BUCKET, strongestBucket, type Verdict } from '../match/index.js';

/** What telemetry reads of a checked object: no name, no hash, no user. */
export interface TalliedObject {
  readonly verdict: Verdict;
  readonly bytes: number;
  /** It arrived in this window (an upload), rather than lying there. */
  readonly received?: boolean;
}

/** One step of a counter, or one member of a distinct set. */
export type Increment =
  | { readonly kind: 'add'; readonly name: string; readonly n: number }
  | { readonly kind: 'distinct'; readonly set: string; readonly member: Uint8Array };

/** Counter names: `group|what[|…]`, group `n` (figures) or `d` (drill); `c|…` for coverage. */
export const GROUPS = { figures: 'n', drill: 'd' } as const;
export type Group = keyof typeof GROUPS;

/** Plain sums by their names in counters. */
export const SUMS = {
  bytes: 'b',
  quarantines: 'q',
  releases: 'r',
  otherReleases: 'x',
  undecodable: 'u',
  vetoes: 'v',
  collisions: 'k',
} as const;
export type Sum = keyof typeof SUMS;

export const RECEIVED = 'c|received';

const ACTIONS: Readonly<Record<Verdict['action'], Action>> = {
  none: Action.NONE,
  allow: Action.ALLOW,
  test: Action.TEST,
  hold: Action.HOLD,
  block: Action.BLOCK,
};
const EXACT = new Set(['md5', 'sha1', 'sha256']);

/** The name of a plain sum. */
export const sumName = (group: Group, sum: Sum): string => `${GROUPS[group]}|${SUMS[sum]}`;

/**
 * Everything one object adds to its window, in any order. It is in exactly one cell, by its final action; an object that
 * was only observed was let pass. `publisherOf` names the publisher of a list, undefined where that is not known.
 */
export function tallyObject(
  { verdict, bytes, received }: TalliedObject,
  publisherOf: (origin: string) => string | undefined,
): Increment[] {
  const group: Group = verdict.action === 'test' ? 'drill' : 'figures';
  const add = (name: string, n: number): Increment => ({ kind: 'add', name, n });
  const matches = countedMatches(verdict, group);
  const steps = [add(cellName(group, verdict, matches), 1), add(sumName(group, 'bytes'), bytes)];
  for (const [origin, kind] of hitsOf(matches)) steps.push(add(`${GROUPS[group]}|h|${origin}|${kind}`, 1));
  if (verdict.perceptual === 'undecodable') steps.push(add(sumName(group, 'undecodable'), 1));
  if (matches.length > 0) for (const sum of eventsOf(verdict)) steps.push(add(sumName(group, sum), 1));
  if (received === true) steps.push(add(RECEIVED, 1));
  return [...steps, ...distinctOf(group, matches, publisherOf)];
}

/** Matches that count: none where nothing was done; test items only where they alone decided. */
function countedMatches({ action, matches }: Verdict, group: Group): Verdict['matches'] {
  if (action === 'none') return [];
  return matches.filter(({ classification }) => group === 'drill' || classification.bucket !== BUCKET.TEST);
}

function cellName(group: Group, verdict: Verdict, matches: Verdict['matches']): string {
  if (matches.length === 0) return `${GROUPS[group]}|o|${Action.NONE}|${BUCKET.NONE}|${MatchKind.NONE}`;
  const action = verdict.observed === true ? Action.ALLOW : ACTIONS[verdict.action];
  return `${GROUPS[group]}|o|${action}|${strongestBucket(matches)}|${kindOf(matches)}`;
}

const kindOf = (matches: Verdict['matches']): MatchKind =>
  matches.some(({ hash_type }) => EXACT.has(hash_type)) ? MatchKind.EXACT : MatchKind.PERCEPTUAL;

/** Each list once, by its strongest kind of match. */
function hitsOf(matches: Verdict['matches']): Map<string, MatchKind> {
  const hits = new Map<string, MatchKind>();
  for (const match of matches) {
    const kind = Math.max(hits.get(match.origin) ?? 0, kindOf([match])) as MatchKind;
    hits.set(match.origin, kind);
  }
  return hits;
}

function eventsOf(verdict: Verdict): Sum[] {
  const { action, observed, vetoed_by, collision } = verdict;
  const quarantined = observed !== true && (action === 'hold' || action === 'block' || action === 'test');
  return [
    ...(quarantined ? (['quarantines'] as const) : []),
    ...(vetoed_by !== undefined ? (['vetoes'] as const) : []),
    ...(collision === true ? (['collisions'] as const) : []),
  ];
}

function distinctOf(
  group: Group,
  matches: Verdict['matches'],
  publisherOf: (origin: string) => string | undefined,
): Increment[] {
  return matches.flatMap(({ origin, item_id }) => {
    const publisher = publisherOf(origin);
    if (publisher === undefined) return [];
    return [{ kind: 'distinct' as const, set: `${GROUPS[group]}|${publisher}`, member: fromHex(item_id) }];
  });
}

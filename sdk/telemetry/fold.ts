import type { Classification } from '../../proto/gen/hashfed/v1/classification.js';
import { type Action, MatchKind } from '../../proto/gen/hashfed/v1/enums.js';
import type { ListHits, ObjectCount, TelemetryCounts } from '../../proto/gen/hashfed/v1/telemetry.js';
import { MAX_LISTS, MAX_PUBLISHERS } from './limits.js';
import { GROUPS, type Group, type Sum, sumName } from './tally.js';
import type { WindowUnit } from './window.js';

/** A window's counters, as the store reads them. */
export interface CountedWindow {
  readonly counts: ReadonlyMap<string, number>;
  readonly distinct: ReadonlyMap<string, number>;
}

/** Folds counters into the message: sorted, without zeros. An hour has totals only. Never more than a report takes. */
export function foldCounts(counted: CountedWindow, group: Group, unit: WindowUnit): TelemetryCounts {
  const sum = (name: Sum): bigint => BigInt(counted.counts.get(sumName(group, name)) ?? 0);
  return {
    objects: foldCells(counted, group, unit),
    listHits: unit === 'hour' ? [] : foldHits(counted, group),
    distinctItems: unit === 'hour' ? [] : foldDistinct(counted, group),
    bytes: sum('bytes'),
    quarantines: sum('quarantines'),
    releases: sum('releases'),
    otherReleases: sum('otherReleases'),
    undecodable: sum('undecodable'),
    vetoes: sum('vetoes'),
    collisions: sum('collisions'),
  };
}

/** True where nothing was counted. */
export function isEmpty({ objects, listHits, distinctItems, ...sums }: TelemetryCounts): boolean {
  const lists = objects.length + listHits.length + distinctItems.length;
  return lists === 0 && Object.values(sums).every((n) => n === 0n);
}

function foldCells({ counts }: CountedWindow, group: Group, unit: WindowUnit): ObjectCount[] {
  const cells = new Map<number, ObjectCount>();
  for (const [name, n] of counts) {
    const [of, what, action, bucket, match] = name.split('|');
    if (of !== GROUPS[group] || what !== 'o' || n === 0) continue;
    const cell = {
      action: Number(action) as Action,
      classification: (unit === 'hour' ? 0 : Number(bucket)) as Classification,
      match: (unit === 'hour' ? 0 : Number(match)) as MatchKind,
    };
    const key = cellKey(cell);
    cells.set(key, { ...cell, count: (cells.get(key)?.count ?? 0n) + BigInt(n) });
  }
  return [...cells].sort(([a], [b]) => a - b).map(([, cell]) => cell);
}

/** Orders cells by (action, classification, match). */
export function cellKey({ action, classification, match }: Omit<ObjectCount, 'count'>): number {
  return (action * 256 + classification) * 256 + match;
}

function foldHits({ counts }: CountedWindow, group: Group): ListHits[] {
  const hits = new Map<string, { exact: bigint; perceptual: bigint }>();
  for (const [name, n] of counts) {
    const [of, what, origin = '', kind] = name.split('|');
    if (of !== GROUPS[group] || what !== 'h' || n === 0) continue;
    const held = hits.get(origin) ?? { exact: 0n, perceptual: 0n };
    held[Number(kind) === MatchKind.EXACT ? 'exact' : 'perceptual'] += BigInt(n);
    hits.set(origin, held);
  }
  return byName(hits)
    .slice(0, MAX_LISTS)
    .map(([origin, { exact, perceptual }]) => ({ origin, exact, perceptual }));
}

function foldDistinct({ distinct }: CountedWindow, group: Group) {
  const prefix = `${GROUPS[group]}|`;
  const sets = [...distinct].filter(([set, n]) => set.startsWith(prefix) && n > 0);
  return byName(new Map(sets.map(([set, n]) => [set.slice(prefix.length), n] as const)))
    .slice(0, MAX_PUBLISHERS)
    .map(([publisher, n]) => ({ publisher, items: BigInt(n) }));
}

const byName = <T>(map: ReadonlyMap<string, T>): [string, T][] =>
  [...map].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));

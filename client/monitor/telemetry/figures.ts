import { Classification } from '../../../proto/gen/hashfed/v1/classification.js';
import { Action } from '../../../proto/gen/hashfed/v1/enums.js';
import type { ObjectCount, TelemetryCounts } from '../../../proto/gen/hashfed/v1/telemetry.js';
import { actionName, classificationName, matchName } from '../../../sdk/telemetry/index.js';
import type { VerifiedReport } from './read.js';

/** Sums that may be added over hosters and windows. */
export interface Totals {
  readonly reports: number;
  readonly objects_checked: number;
  readonly objects_matched: number;
  readonly bytes: number;
  readonly quarantines: number;
  readonly releases: number;
  readonly other_releases: number;
  readonly undecodable: number;
  readonly vetoes: number;
  readonly collisions: number;
}

/** A group of the figures: its key, and the sums of what is in it. */
export type Row<K extends string> = { readonly [key in K]: string } & Totals;

export interface Figures {
  readonly totals: Totals;
  readonly hosters: number;
  /** In order of names, never of figures: nobody is ranked. */
  readonly by_hoster: readonly Row<'hoster'>[];
  readonly by_day: readonly Row<'day'>[];
  readonly by_action: readonly { readonly action: string; readonly objects: number }[];
  readonly by_classification: readonly { readonly classification: string; readonly objects: number }[];
  readonly by_match: readonly { readonly match: string; readonly objects: number }[];
  /** Hits overlap between lists and are added along one list only. */
  readonly by_list: readonly { readonly list: string; readonly exact: number; readonly perceptual: number }[];
  /** Per window, never added up. */
  readonly distinct_items: readonly {
    readonly hoster: string;
    readonly window: string;
    readonly publisher: string;
    readonly items: number;
  }[];
  readonly drill: Totals;
  /** Arrived after their window had closed: in no figure. */
  readonly late: number;
}

const NOTHING: Totals = {
  reports: 0,
  objects_checked: 0,
  objects_matched: 0,
  bytes: 0,
  quarantines: 0,
  releases: 0,
  other_releases: 0,
  undecodable: 0,
  vetoes: 0,
  collisions: 0,
};

/**
 * The figures of a set of reports: pure, in any order, any of them any number of times. Of each window the newest
 * revision counts, where it was in time.
 */
export function figuresOf(received: readonly VerifiedReport[]): Figures {
  const counting = newest(received.filter(({ inTime }) => inTime));
  const day = ({ window }: VerifiedReport): string => window.label.slice(0, 10);
  const cells = counting.flatMap(({ report }) => report.counts?.objects ?? []);
  return {
    totals: sum(counting),
    hosters: new Set(counting.map(({ report }) => report.member)).size,
    by_hoster: rows('hoster', counting, ({ report }) => report.member),
    by_day: rows('day', counting, day),
    by_action: countCells(cells, ({ action }) => actionName(action)).map(([action, objects]) => ({
      action,
      objects,
    })),
    by_classification: countCells(cells, ({ classification }) => classificationName(classification)).map(
      ([classification, objects]) => ({ classification, objects }),
    ),
    by_match: countCells(cells, ({ match }) => matchName(match)).map(([match, objects]) => ({
      match,
      objects,
    })),
    by_list: hits(counting),
    distinct_items: distinct(counting),
    drill: sum(counting, ({ report }) => report.drill),
    late: newest(received).filter(({ inTime }) => !inTime).length,
  };
}

/** The highest revision of each member and window. */
export function newest(reports: readonly VerifiedReport[]): VerifiedReport[] {
  const kept = new Map<string, VerifiedReport>();
  for (const one of reports) {
    const key = `${one.report.member} ${one.window.label}`;
    const held = kept.get(key);
    if (held === undefined || held.report.revision < one.report.revision) kept.set(key, one);
  }
  return sorted(kept).map(([, report]) => report);
}

/** Everything that matched material on a list: what only a known-good list matched is not among it. */
export function isMatch({ action, classification }: ObjectCount): boolean {
  return action !== Action.NONE && classification !== Classification.KNOWN_GOOD;
}

function totalsOf(counts: TelemetryCounts): Omit<Totals, 'reports'> {
  const objects = (cells: readonly ObjectCount[]): number =>
    cells.reduce((all, { count }) => all + Number(count), 0);
  return {
    objects_checked: objects(counts.objects),
    objects_matched: objects(counts.objects.filter(isMatch)),
    bytes: Number(counts.bytes),
    quarantines: Number(counts.quarantines),
    releases: Number(counts.releases),
    other_releases: Number(counts.otherReleases),
    undecodable: Number(counts.undecodable),
    vetoes: Number(counts.vetoes),
    collisions: Number(counts.collisions),
  };
}

function sum(
  reports: readonly VerifiedReport[],
  countsOf = ({ report }: VerifiedReport): TelemetryCounts | undefined => report.counts,
): Totals {
  const all: Record<keyof Totals, number> = { ...NOTHING };
  for (const one of reports) {
    const counts = countsOf(one);
    if (counts === undefined) continue;
    all.reports += 1;
    for (const [name, n] of Object.entries(totalsOf(counts))) all[name as keyof Totals] += n;
  }
  return all;
}

function rows<K extends string>(
  key: K,
  reports: readonly VerifiedReport[],
  groupOf: (report: VerifiedReport) => string,
): Row<K>[] {
  const groups = new Map<string, VerifiedReport[]>();
  for (const one of reports) {
    const name = groupOf(one);
    const group = groups.get(name) ?? [];
    group.push(one);
    groups.set(name, group);
  }
  return sorted(groups).map(([name, group]) => ({ [key]: name, ...sum(group) }) as Row<K>);
}

function countCells(
  cells: readonly ObjectCount[],
  nameOf: (cell: ObjectCount) => string,
): [string, number][] {
  const groups = new Map<string, number>();
  for (const cell of cells) groups.set(nameOf(cell), (groups.get(nameOf(cell)) ?? 0) + Number(cell.count));
  return sorted(groups);
}

function hits(reports: readonly VerifiedReport[]): Figures['by_list'] {
  const lists = new Map<string, { exact: number; perceptual: number }>();
  for (const { origin, exact, perceptual } of reports.flatMap(
    ({ report }) => report.counts?.listHits ?? [],
  )) {
    const held = lists.get(origin) ?? { exact: 0, perceptual: 0 };
    lists.set(origin, {
      exact: held.exact + Number(exact),
      perceptual: held.perceptual + Number(perceptual),
    });
  }
  return sorted(lists).map(([list, counts]) => ({ list, ...counts }));
}

function distinct(reports: readonly VerifiedReport[]): Figures['distinct_items'] {
  return reports.flatMap(({ report, window }) =>
    (report.counts?.distinctItems ?? []).map(({ publisher, items }) => ({
      hoster: report.member,
      window: window.label,
      publisher,
      items: Number(items),
    })),
  );
}

const sorted = <T>(map: ReadonlyMap<string, T>): [string, T][] =>
  [...map].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));

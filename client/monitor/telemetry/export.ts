import type { TelemetryCounts } from '../../../proto/gen/hashfed/v1/telemetry.js';
import { actionName, classificationName, matchName } from '../../../sdk/telemetry/index.js';
import { newest } from './figures.js';
import type { VerifiedReport } from './read.js';

/** Columns of an export, in order. */
export const EXPORT_COLUMNS = [
  'hoster',
  'window',
  'revision',
  'in_time',
  'drill',
  'what',
  'of',
  'action',
  'classification',
  'match',
  'value',
] as const;
export type ExportRow = { readonly [column in (typeof EXPORT_COLUMNS)[number]]: string };

type Measure = Partial<ExportRow> & { readonly what: string; readonly value: string };

/** One row a number, of the newest revision of each window: everything a report says, nothing added up. */
export function exportRows(received: readonly VerifiedReport[]): ExportRow[] {
  return newest(received).flatMap((one) => [
    ...rowsOf(one, one.report.counts, 'false'),
    ...rowsOf(one, one.report.drill, 'true'),
  ]);
}

function rowsOf(
  { report, window, inTime }: VerifiedReport,
  counts: TelemetryCounts | undefined,
  drill: string,
): ExportRow[] {
  if (counts === undefined) return [];
  const head = {
    hoster: report.member,
    window: window.label,
    revision: String(report.revision),
    in_time: String(inTime),
    drill,
  };
  const none = { of: '', action: '', classification: '', match: '' };
  return measures(counts).map((measure) => ({ ...head, ...none, ...measure }));
}

function measures({ objects, listHits, distinctItems, ...sums }: TelemetryCounts): Measure[] {
  return [
    ...objects.map((cell) => ({
      what: 'objects',
      action: actionName(cell.action),
      classification: classificationName(cell.classification),
      match: matchName(cell.match),
      value: String(cell.count),
    })),
    ...listHits.flatMap(({ origin, exact, perceptual }) => [
      { what: 'list_hits', of: origin, match: 'exact', value: String(exact) },
      { what: 'list_hits', of: origin, match: 'perceptual', value: String(perceptual) },
    ]),
    ...distinctItems.map(({ publisher, items }) => ({
      what: 'distinct_items',
      of: publisher,
      value: String(items),
    })),
    ...Object.entries(sums).map(([name, value]) => ({
      what: name === 'otherReleases' ? 'other_releases' : name,
      value: String(value),
    })),
  ];
}

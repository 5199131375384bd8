import { Classification } from '../../proto/gen/hashfed/v1/classification.js';
import { Action, MatchKind } from '../../proto/gen/hashfed/v1/enums.js';
import {
  type TelemetryCounts,
  type TelemetryReport,
  WindowKind,
} from '../../proto/gen/hashfed/v1/telemetry.js';
import { toHex } from '../core/index.js';

type Names = Readonly<Record<string, number>>;

/** Name of an enum's number, in lower case; the number itself where it has none. */
const named = (names: Names, value: number): string =>
  Object.entries(names)
    .find(([, number]) => number === value)?.[0]
    .toLowerCase() ?? String(value);

export const actionName = (value: number): string => named(Action, value);
export const classificationName = (value: number): string => named(Classification, value);
export const matchName = (value: number): string => named(MatchKind, value);

/** A report as people and scripts read it: every field that leaves, nothing else. */
export function reportJson(report: TelemetryReport): object {
  const { coverage } = report;
  return {
    regime: 'operations',
    report_id: toHex(report.reportId),
    member: report.member,
    sequence: Number(report.sequence),
    previous_sha256: toHex(report.previousSha256),
    window_kind: report.windowKind === WindowKind.DAY ? 'day' : 'hour',
    window_start: new Date(Number(report.windowStartMs)).toISOString(),
    revision: report.revision,
    created: new Date(Number(report.createdMs)).toISOString(),
    coverage: coverage === undefined ? null : plain(coverage),
    counts: report.counts === undefined ? null : countsJson(report.counts),
    drill: report.drill === undefined ? null : countsJson(report.drill),
    sdk_version: report.sdkVersion,
    policy_sha256: toHex(report.policySha256),
  };
}

function countsJson({ objects, listHits, distinctItems, ...sums }: TelemetryCounts): object {
  return {
    objects: objects.map(({ action, classification, match, count }) => ({
      action: actionName(action),
      classification: classificationName(classification),
      match: matchName(match),
      count: Number(count),
    })),
    list_hits: listHits.map(plain),
    distinct_items: distinctItems.map(plain),
    ...plain(sums),
  };
}

function plain(message: object): Record<string, unknown> {
  const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const number = (value: unknown): unknown => (typeof value === 'bigint' ? Number(value) : value);
  return Object.fromEntries(Object.entries(message).map(([name, value]) => [snake(name), number(value)]));
}

import {
  bytesText,
  type CliContext,
  EXIT,
  type ExitCode,
  count as plural,
  table,
  timeText,
} from '../cli/index.js';
import {
  checkChains,
  type Figures,
  figuresOf,
  type ListPosition,
  type MonitorDesk,
  newestSizes,
  positionsOf,
  type ReadTelemetry,
  type SplitView,
  splitViews,
  type Totals,
} from '../monitor/telemetry/index.js';

/**
 * Prints the figures, who is behind, who holds another history, and what does not add up. `whole`: nothing was left
 * out, so chains can be judged.
 */
export async function showFigures(
  { out, signal }: CliContext,
  desk: MonitorDesk,
  { reports, states, unverified }: ReadTelemetry,
  whole: boolean,
): Promise<ExitCode> {
  const figures = figuresOf(reports);
  const positions = positionsOf(states, await newestSizes(desk.channel, signal));
  const late = positions.filter(({ behind, state, newest }) => behind || (newest > 0 && state !== 'FRESH'));
  const chain = whole ? checkChains(reports) : null;
  const split = splitViews(states);
  out.result({ ...figures, chain, unverified, behind: late, positions, split_views: split }, [
    ...totalLines(figures),
    ...groupLines(figures),
    ...behindLines(positions, late),
    ...(chain ?? []).map(
      ({ hoster, flag, sequence }) => `! ${hoster}: report ${sequence}: ${CHAIN_WORDS[flag]}`,
    ),
    ...(unverified.length > 0 ? [`! ${plural(unverified.length, 'report')} not verified, in no figure`] : []),
    ...split.flatMap(splitLines),
  ]);
  return split.length > 0 ? EXIT.verification : EXIT.done;
}

function splitLines({ list, size, views }: SplitView): string[] {
  return [
    `! Two histories of ${list} at size ${count(size)}: ask these hosters for their signed notes`,
    ...views.map(({ root, holders }) => {
      const names = [...new Set(holders.map(({ hoster }) => hoster))];
      return `!   root ${root}: ${names.join(', ')}`;
    }),
  ];
}

const CHAIN_WORDS = {
  gap: 'reports before it are missing',
  broken: 'names another report before it than the one received',
  repeated: 'another report has the same number',
} as const;

const count = (n: number): string => n.toLocaleString('en');

function totalLines({ totals, hosters, drill, late }: Figures): string[] {
  return [
    `${plural(totals.reports, 'window')} of ${plural(hosters, 'hoster')}: ${plural(totals.objects_checked, 'object')} checked, ${count(totals.objects_matched)} matched, ${bytesText(totals.bytes)}`,
    `${count(totals.quarantines)} quarantined, ${count(totals.releases)} released by withdrawals, ${count(totals.other_releases)} for other reasons, ${count(totals.vetoes)} vetoed`,
    ...(late > 0 ? [`${plural(late, 'window')} too late, in no figure`] : []),
    ...(drill.objects_checked > 0
      ? [
          `Not included: ${plural(drill.objects_checked, 'test item or exercise', 'test items and exercises')}`,
        ]
      : []),
    '',
  ];
}

function groupLines(figures: Figures): string[] {
  const totals = ({ reports, objects_checked, objects_matched, quarantines, releases }: Totals): string[] =>
    [reports, objects_checked, objects_matched, quarantines, releases].map(count);
  const columns = ['windows', 'checked', 'matched', 'quarantined', 'released'];
  return [
    ...section(
      ['hoster', ...columns],
      figures.by_hoster.map((row) => [row.hoster, ...totals(row)]),
    ),
    ...section(
      ['day', ...columns],
      figures.by_day.map((row) => [row.day, ...totals(row)]),
    ),
    ...section(
      ['list (hits overlap)', 'exact', 'perceptual'],
      figures.by_list.map(({ list, exact, perceptual }) => [list, count(exact), count(perceptual)]),
    ),
    ...section(
      ['classification', 'objects'],
      figures.by_classification.map((row) => [row.classification, count(row.objects)]),
    ),
    ...section(
      ['action', 'objects'],
      figures.by_action.map((row) => [row.action, count(row.objects)]),
    ),
  ];
}

function section(heading: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return rows.length === 0 ? [] : [...table([heading, ...rows]), ''];
}

function behindLines(all: readonly ListPosition[], late: readonly ListPosition[]): string[] {
  if (all.length === 0) return ['No hoster has reported which lists it holds.'];
  if (late.length === 0) return ['Every hoster that reported holds the newest lists.'];
  const rows = late.map(({ hoster, list, size, newest, state, reported_ms }) => [
    hoster,
    list,
    count(size),
    count(newest),
    state,
    timeText(reported_ms),
  ]);
  return table([['behind', 'list', 'has', 'newest', 'state', 'reported'], ...rows]);
}

import { Classification } from '../../proto/gen/hashfed/v1/classification.js';
import { Action, MatchKind, Regime } from '../../proto/gen/hashfed/v1/enums.js';
import {
  type Coverage,
  type TelemetryCounts,
  TelemetryReport,
  WindowKind,
} from '../../proto/gen/hashfed/v1/telemetry.js';
import { decodeStrict, HashfedError, MAX_U53, malformed, parseOrigin } from '../core/index.js';
import { cellKey } from './fold.js';
import {
  MAX_CELLS,
  MAX_LISTS,
  MAX_PUBLISHERS,
  MAX_REPORT_BYTES,
  MAX_REVISION,
  MAX_VERSION_BYTES,
} from './limits.js';
import { END_OF_TIME_MS, type Window, type WindowUnit, windowAt } from './window.js';

/** A report whose shape, bounds and sums hold. */
export interface CheckedReport {
  readonly report: TelemetryReport;
  readonly window: Window;
}

const NAME = /^members\/[a-z0-9-]{1,64}$/;

/**
 * Parses the body of a report strictly. Throws MALFORMED naming the field that is wrong or whose sum cannot be, and
 * WINDOW_OVERLAP for a window that is no whole day or hour.
 */
export function parseReport(body: Uint8Array): CheckedReport {
  const report = decodeStrict(TelemetryReport, body, 'report', MAX_REPORT_BYTES);
  const window = windowOf(report);
  checkIdentity(report);
  if (report.coverage !== undefined) checkCoverage(report.coverage);
  if (report.counts === undefined)
    return malformed('counts', 'are missing; nothing counted is stated as such');
  checkCounts(report.counts, 'counts', window.unit);
  if (report.counts.objects.some(({ action }) => action === Action.TEST))
    malformed('counts.objects', 'hold a test item, which belongs to drill');
  if (report.drill !== undefined) checkCounts(report.drill, 'drill', window.unit);
  return { report, window };
}

/** The unit of a window kind. Throws MALFORMED. */
export function unitOf(kind: WindowKind): WindowUnit {
  if (kind === WindowKind.DAY) return 'day';
  if (kind === WindowKind.HOUR) return 'hour';
  return malformed('window_kind', 'is neither day nor hour');
}

function windowOf({ windowKind, windowStartMs }: TelemetryReport): Window {
  const window = windowAt(unitOf(windowKind), Number(windowStartMs));
  if (BigInt(window.startMs) !== windowStartMs)
    throw new HashfedError('WINDOW_OVERLAP', `the window is no whole UTC ${window.unit}`, {
      field: 'window_start_ms',
    });
  return window;
}

function checkIdentity(report: TelemetryReport): void {
  if (report.regime !== Regime.OPERATIONS) malformed('regime', 'is not operations');
  if (report.reportId.length !== 16) malformed('report_id', 'is not 16 bytes');
  if (!NAME.test(report.member)) malformed('member', 'must be members/{member}');
  bounded(report.sequence, 'sequence');
  if (report.sequence === 0n) malformed('sequence', 'starts at 1');
  if (report.previousSha256.length !== (report.sequence === 1n ? 0 : 32))
    malformed('previous_sha256', 'is not the digest of the report before');
  if (report.revision < 1 || report.revision > MAX_REVISION)
    malformed('revision', `is not 1 to ${MAX_REVISION}`);
  if (report.createdMs >= BigInt(END_OF_TIME_MS)) malformed('created_ms', 'is no time');
  if (report.sdkVersion.length > MAX_VERSION_BYTES || !/^[\x20-\x7e]*$/.test(report.sdkVersion))
    malformed('sdk_version', 'is no version');
  if (report.policySha256.length !== 32) malformed('policy_sha256', 'is not 32 bytes');
}

function checkCoverage(coverage: Coverage): void {
  for (const [name, value] of Object.entries(coverage))
    if (typeof value === 'bigint') bounded(value, `coverage.${snake(name)}`);
  if (coverage.objectsReceivedChecked > coverage.objectsReceived)
    malformed('coverage.objects_received_checked', 'is more than was received');
  if (coverage.bytesStoredChecked > coverage.bytesStored)
    malformed('coverage.bytes_stored_checked', 'is more than is stored');
}

function checkCounts(counts: TelemetryCounts, field: string, unit: WindowUnit): void {
  for (const [name, value] of Object.entries(counts))
    if (typeof value === 'bigint') bounded(value, `${field}.${snake(name)}`);
  const totals = checkCells(counts, `${field}.objects`, unit);
  if (unit === 'hour' && counts.listHits.length > 0) malformed(`${field}.list_hits`, 'are not for an hour');
  if (unit === 'hour' && counts.distinctItems.length > 0)
    malformed(`${field}.distinct_items`, 'are not for an hour');
  checkHits(counts, `${field}.list_hits`, totals);
  checkDistinct(counts, `${field}.distinct_items`, totals);
  atMost(counts.quarantines, totals.taken, `${field}.quarantines`, 'objects held or blocked');
  atMost(counts.undecodable, totals.objects, `${field}.undecodable`, 'objects');
  atMost(counts.vetoes, totals.matched, `${field}.vetoes`, 'objects that matched');
  atMost(counts.collisions, totals.matched, `${field}.collisions`, 'objects that matched');
  if (totals.objects === 0n && counts.bytes !== 0n) malformed(`${field}.bytes`, 'are bytes of no object');
}

interface Totals {
  readonly objects: bigint;
  readonly matched: bigint;
  /** Matched by an exact hash. */
  readonly exact: bigint;
  /** Held, blocked, or a test item. */
  readonly taken: bigint;
}

function checkCells({ objects }: TelemetryCounts, field: string, unit: WindowUnit): Totals {
  if (objects.length > MAX_CELLS) malformed(field, `are over ${MAX_CELLS} cells`);
  const totals = { objects: 0n, matched: 0n, exact: 0n, taken: 0n };
  let last = -1;
  for (const cell of objects) {
    const { action, classification, match, count } = cell;
    if (cellKey(cell) <= last) malformed(field, 'are not ascending and distinct');
    last = cellKey(cell);
    if (!(action >= Action.NONE && action <= Action.BLOCK)) malformed(`${field}.action`, 'is unknown');
    if (count === 0n) malformed(`${field}.count`, 'is zero');
    if (unit === 'hour') hourCell(classification, match, field);
    else dayCell(action, classification, match, field);
    totals.objects += count;
    if (action !== Action.NONE) totals.matched += count;
    if (match === MatchKind.EXACT) totals.exact += count;
    if (action === Action.HOLD || action === Action.BLOCK || action === Action.TEST) totals.taken += count;
  }
  bounded(totals.objects, field);
  return totals;
}

function hourCell(classification: Classification, match: MatchKind, field: string): void {
  if (classification !== 0 || match !== 0) malformed(field, 'of an hour have classification or match');
}

function dayCell(action: Action, classification: Classification, match: MatchKind, field: string): void {
  const none = action === Action.NONE;
  if (!(classification >= Classification.NONE && classification <= Classification.BASELINE))
    malformed(`${field}.classification`, 'is unknown');
  if (none !== (classification === Classification.NONE))
    malformed(`${field}.classification`, 'is NONE exactly where the action is');
  if (!(match >= MatchKind.NONE && match <= MatchKind.EXACT)) malformed(`${field}.match`, 'is unknown');
  if (none !== (match === MatchKind.NONE)) malformed(`${field}.match`, 'is NONE exactly where the action is');
}

function checkHits({ listHits }: TelemetryCounts, field: string, totals: Totals): void {
  if (listHits.length > MAX_LISTS) malformed(field, `are over ${MAX_LISTS} lists`);
  let last = '';
  for (const { origin, exact, perceptual } of listHits) {
    if (origin <= last) malformed(field, 'are not ascending and distinct');
    last = origin;
    parseOrigin(origin);
    if (exact + perceptual === 0n) malformed(field, 'name a list without a hit');
    atMost(exact, totals.exact, `${field}.exact`, 'objects that matched exactly');
    atMost(exact + perceptual, totals.matched, field, 'objects that matched');
  }
}

function checkDistinct({ distinctItems }: TelemetryCounts, field: string, totals: Totals): void {
  if (distinctItems.length > MAX_PUBLISHERS) malformed(field, `are over ${MAX_PUBLISHERS} publishers`);
  let last = '';
  for (const { publisher, items } of distinctItems) {
    if (!NAME.test(publisher)) malformed(`${field}.publisher`, 'must be members/{member}');
    if (publisher <= last) malformed(field, 'are not ascending and distinct');
    last = publisher;
    if (items === 0n) malformed(field, 'name a publisher without an item');
    if (totals.matched === 0n) malformed(field, 'are items of no object');
    bounded(items, field);
  }
}

function atMost(value: bigint, limit: bigint, field: string, what: string): void {
  if (value > limit) malformed(field, `is more than the ${what}`);
}

function bounded(value: bigint, field: string): void {
  if (value >= BigInt(MAX_U53)) malformed(field, 'is not below 2^53');
}

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

import {
  type QueryTelemetryRequest,
  type QueryTelemetryResponse,
  SyncStateRecord,
  TelemetryKind,
  TelemetryRecord,
} from '../../proto/gen/hashfed/v1/telemetry_exchange.js';
import { malformed, toHex } from '../../sdk/core/index.js';
import { parseWindow } from '../../sdk/telemetry/index.js';
import type { StoredReport } from '../storage/index.js';
import type { TelemetryDeps } from './deps.js';
import { recordOf } from './receive.js';
import type { SyncStates } from './sync-states.js';

const DEFAULT_PAGE = 100;
const MAX_PAGE = 1_000;
const MAX_FILTER = 256;
/** Bytes of a page's records, so that a message stays under 4 MiB. */
const MAX_PAGE_BYTES = 3 * 1024 * 1024;
const PREFIX = 'members/';

/** Where a page ended: after an arrival number, or after a sync state's key. */
type Place = { readonly part: 'r'; readonly after: number } | { readonly part: 's'; readonly after: string };

/** One page: reports in order of arrival, then sync states. Throws MALFORMED. */
export async function queryTelemetry(
  deps: Pick<TelemetryDeps, 'storage'>,
  states: SyncStates,
  request: QueryTelemetryRequest,
  signal: AbortSignal,
): Promise<QueryTelemetryResponse> {
  const size = checkRequest(request);
  const place = placeOf(request);
  const page = new Page(size);
  if (place.part === 'r') {
    const end = await addReports(deps, request, place.after, page, signal);
    if (end !== undefined) return page.answer(`r${end}`);
    if (request.kind === TelemetryKind.REPORT) return page.answer('');
  }
  const end = addStates(states, request, place.part === 's' ? place.after : '', page);
  return page.answer(end === undefined ? '' : `s${end}`);
}

function checkRequest({ kind, members, origins, pageSize }: QueryTelemetryRequest): number {
  if (!Object.values<number>(TelemetryKind).includes(kind)) malformed('kind', 'is unknown');
  if (members.length > MAX_FILTER) malformed('members', `are over ${MAX_FILTER}`);
  if (origins.length > MAX_FILTER) malformed('origins', `are over ${MAX_FILTER}`);
  if (pageSize > MAX_PAGE) malformed('page_size', `is over ${MAX_PAGE}`);
  return pageSize === 0 ? DEFAULT_PAGE : pageSize;
}

function placeOf({ kind, pageToken }: QueryTelemetryRequest): Place {
  if (pageToken === '')
    return kind === TelemetryKind.SYNC_STATE ? { part: 's', after: '' } : { part: 'r', after: 0 };
  const report = /^r(\d{1,15})$/.exec(pageToken)?.[1];
  if (report !== undefined) return { part: 'r', after: Number(report) };
  const state = /^s([\x20-\x7e]{0,300})$/.exec(pageToken)?.[1];
  if (state !== undefined) return { part: 's', after: state };
  return malformed('page_token', 'is none of this server');
}

/** A page being filled, bounded in records and bytes. */
class Page {
  readonly reports: TelemetryRecord[] = [];
  readonly states: SyncStateRecord[] = [];
  readonly #size: number;
  #bytes = 0;

  constructor(size: number) {
    this.#size = size;
  }

  get full(): boolean {
    return this.reports.length + this.states.length >= this.#size || this.#bytes >= MAX_PAGE_BYTES;
  }

  addReport(record: TelemetryRecord): void {
    this.reports.push(record);
    this.#bytes += TelemetryRecord.encode(record).finish().length;
  }

  addState(record: SyncStateRecord): void {
    this.states.push(record);
    this.#bytes += SyncStateRecord.encode(record).finish().length;
  }

  answer(nextPageToken: string): QueryTelemetryResponse {
    return { reports: this.reports, syncStates: this.states, nextPageToken };
  }
}

/** The arrival number after which the next page begins; undefined where there are no more reports. */
async function addReports(
  deps: Pick<TelemetryDeps, 'storage'>,
  request: QueryTelemetryRequest,
  after: number,
  page: Page,
  signal: AbortSignal,
): Promise<number | undefined> {
  const newest = new Map<string, Promise<number>>();
  for (let at = after; ; ) {
    const arrived = await deps.storage.telemetry.arrivals(at, MAX_PAGE, signal);
    for (const stored of arrived) {
      if (page.full) return at;
      at = stored.sequence;
      if (!isWanted(request, stored)) continue;
      if (!request.allRevisions && stored.revision < (await newestOf(deps, newest, stored))) continue;
      page.addReport(await recordOf(deps, stored));
    }
    if (arrived.length < MAX_PAGE) return undefined;
  }
}

function isWanted({ members, fromMs, toMs }: QueryTelemetryRequest, stored: StoredReport): boolean {
  if (members.length > 0 && !members.includes(PREFIX + stored.member)) return false;
  const startMs = BigInt(parseWindow(stored.window)?.startMs ?? 0);
  return startMs >= fromMs && (toMs === 0n || startMs < toMs);
}

/** The newest revision of a report's window, looked up once a page. */
function newestOf(
  { storage }: Pick<TelemetryDeps, 'storage'>,
  known: Map<string, Promise<number>>,
  { member, window }: StoredReport,
): Promise<number> {
  const key = `${member} ${window}`;
  const look = async (): Promise<number> => {
    let newest = 0;
    for (let pageToken = ''; ; ) {
      const bounds = { fromWindow: window, toWindow: `${window}!`, pageSize: MAX_PAGE, pageToken };
      const page = await storage.telemetry.list({ member, ...bounds });
      newest = page.items.at(-1)?.revision ?? newest;
      pageToken = page.nextPageToken;
      if (pageToken === '') return newest;
    }
  };
  const found = known.get(key) ?? look();
  known.set(key, found);
  return found;
}

function addStates(
  states: SyncStates,
  { members, origins }: QueryTelemetryRequest,
  after: string,
  page: Page,
): string | undefined {
  let last = after;
  for (const record of states.all()) {
    const origin = record.state?.origin ?? '';
    if (members.length > 0 && !members.includes(record.member)) continue;
    if (origins.length > 0 && !origins.includes(origin)) continue;
    const key = `${record.member} ${origin} ${toHex(record.instanceId)}`;
    if (key <= after) continue;
    if (page.full) return last;
    page.addState(record);
    last = key;
  }
  return undefined;
}

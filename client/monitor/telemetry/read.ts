import { ReceiptKind } from '../../../proto/gen/hashfed/v1/telemetry.js';
import {
  type QueryTelemetryRequest,
  type SyncStateRecord,
  TelemetryKind,
  type TelemetryRecord,
} from '../../../proto/gen/hashfed/v1/telemetry_exchange.js';
import { checkThreshold, HashfedError, parseDsse, type Suite } from '../../../sdk/core/index.js';
import { callUnary, type RpcChannel } from '../../../sdk/rpc/index.js';
import { TelemetryServiceService } from '../../../sdk/rpc/services/telemetry.js';
import {
  type CheckedReport,
  MAX_REPORT_BYTES,
  type MemberBook,
  parseReport,
  readReceipt,
  verifyReceipt,
} from '../../../sdk/telemetry/index.js';

const CALL_MS = 30_000;
const PAGE = 1_000;
/** Pages of one read: ten million records. */
export const MAX_PAGES = 10_000;

/** A report that the hoster signed and the server receipted; both signatures were checked. */
export interface VerifiedReport extends CheckedReport {
  readonly arrival: number;
  /** SHA-256 of the body, 32 bytes. */
  readonly digest: Uint8Array;
  readonly receivedMs: number;
  /** It arrived while its window was open; others count in no figure. */
  readonly inTime: boolean;
  /** The monitor has acknowledged it before. */
  readonly acknowledged: boolean;
}

export interface ReadTelemetry {
  readonly reports: readonly VerifiedReport[];
  /** Records that do not verify, by their arrival number and why: the server's fault, or a key that changed. */
  readonly unverified: readonly { readonly arrival: number; readonly why: string }[];
  readonly states: readonly SyncStateRecord[];
}

export interface ReadOptions {
  readonly channel: RpcChannel;
  readonly suite: Suite;
  readonly members: MemberBook;
  readonly signal: AbortSignal;
  readonly fromMs?: number;
  readonly toMs?: number;
  readonly allRevisions?: boolean;
}

/** Reads everything of a period and verifies each report on its own: one bad record keeps no other back. */
export async function readTelemetry(options: ReadOptions): Promise<ReadTelemetry> {
  const { channel, suite, members, signal } = options;
  const reports: VerifiedReport[] = [];
  const unverified: { arrival: number; why: string }[] = [];
  const states: SyncStateRecord[] = [];
  const request = requestOf(options);
  for (let page = 0, pageToken = ''; page < MAX_PAGES; page += 1) {
    const limits = { deadlineMs: CALL_MS, signal };
    const query = { ...request, pageToken };
    const answer = await callUnary(channel, TelemetryServiceService.queryTelemetry, query, limits);
    for (const record of answer.reports) {
      const checked = tryVerify(suite, members, record);
      if ('why' in checked) unverified.push(checked);
      else reports.push(checked);
    }
    for (const state of answer.syncStates) states.push(state);
    pageToken = answer.nextPageToken;
    if (pageToken === '') return { reports, unverified, states };
  }
  throw new HashfedError('MALFORMED', 'the server has no end of pages');
}

function requestOf({ fromMs, toMs, allRevisions }: ReadOptions): QueryTelemetryRequest {
  return {
    kind: TelemetryKind.UNSPECIFIED,
    members: [],
    origins: [],
    fromMs: BigInt(fromMs ?? 0),
    toMs: BigInt(toMs ?? 0),
    allRevisions: allRevisions ?? false,
    pageSize: PAGE,
    pageToken: '',
  };
}

function tryVerify(suite: Suite, members: MemberBook, record: TelemetryRecord) {
  try {
    return verifyRecord(suite, members, record);
  } catch (error) {
    if (!(error instanceof HashfedError)) throw error;
    return { arrival: Number(record.arrival), why: `${error.code}: ${error.message}` };
  }
}

/** Throws what is wrong with the report, its signature or the server's receipt. */
export function verifyRecord(suite: Suite, members: MemberBook, record: TelemetryRecord): VerifiedReport {
  const signed = parseDsse('telemetry', record.envelope, MAX_REPORT_BYTES);
  const digest = suite.sha256.digest(signed.body);
  const [first, ...others] = record.receipts;
  if (first === undefined) throw new HashfedError('MALFORMED', 'the report has no receipt');
  const receipt = verifyReceipt(suite, members, 'server', first, digest);
  const checked = parseReport(signed.body);
  const receivedMs = Number(receipt.receivedMs);
  const keys = members.keysOf(checked.report.member, 'hoster', receivedMs);
  checkThreshold(suite, 'telemetry', signed, { keys, threshold: 1 });
  const acknowledged = others.some((bytes) => readReceipt(bytes).kind === ReceiptKind.MONITOR);
  const { inTime } = receipt;
  return { ...checked, arrival: Number(record.arrival), digest, receivedMs, inTime, acknowledged };
}

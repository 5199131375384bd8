import { type ErrorCode, HashfedError, parseDsse, type Suite } from '../core/index.js';
import { callUnary, type RpcChannel } from '../rpc/index.js';
import { TelemetryServiceService } from '../rpc/services/telemetry.js';
import type { Spool, SpooledReport } from '../store/index.js';
import { CALL_MS, MAX_REPORT_BYTES } from './limits.js';
import type { MemberBook } from './members.js';
import { verifyReceipt } from './receipt.js';

export interface SubmitDeps {
  readonly spool: Spool;
  readonly suite: Suite;
  /** Tried in order until one takes telemetry. */
  readonly channels: readonly RpcChannel[];
  readonly members: MemberBook;
}

export interface SubmitOutcome {
  /** Reports that have the server's receipt since this call. */
  readonly accepted: number;
  /** Of those, too late to count in figures. */
  readonly late: number;
  /** Reports the server refused for good. */
  readonly refused: number;
  /** Reports that the monitor has read, and that are no longer kept. */
  readonly acknowledged: number;
}

/** Sending the same bytes again would be refused again. */
const FINAL: ReadonlySet<ErrorCode> = new Set([
  'WINDOW_CLOSED',
  'WINDOW_OVERLAP',
  'TELEMETRY_CONFLICT',
  'MALFORMED',
]);
/** This server does not serve it now; another may. */
const ELSEWHERE: ReadonlySet<ErrorCode> = new Set(['UNAVAILABLE', 'UNIMPLEMENTED', 'DEADLINE', 'OVERLOADED']);

/**
 * Sends what is queued, in order of sequence, each the same bytes until it has a receipt. `ask` also asks again about
 * reports that the monitor had not read. Stops at the first that cannot be delivered now, and throws why.
 */
export async function submitQueued(
  deps: SubmitDeps,
  ask: boolean,
  signal?: AbortSignal,
): Promise<SubmitOutcome> {
  const outcome = { accepted: 0, late: 0, refused: 0, acknowledged: 0 };
  let refreshed = false;
  for (const report of await deps.spool.list()) {
    const waiting = report.state === 'receipted' && report.monitorReceipt.length === 0;
    if (report.state === 'refused' || (report.state === 'receipted' && !(ask && waiting))) continue;
    if (!refreshed) await firstOf(deps.channels, (channel) => deps.members.refresh(channel, signal));
    refreshed = true;
    const done = await submitOne(deps, report, signal);
    if (done === 'refused') outcome.refused += 1;
    else {
      if (!waiting) outcome.accepted += 1;
      if (!waiting && !done.inTime) outcome.late += 1;
      if (done.acknowledged) outcome.acknowledged += 1;
    }
  }
  return outcome;
}

async function submitOne(
  deps: SubmitDeps,
  report: SpooledReport,
  signal: AbortSignal | undefined,
): Promise<'refused' | { inTime: boolean; acknowledged: boolean }> {
  const { spool, suite, members } = deps;
  await spool.markSent(report.id);
  const answer = await deliver(deps, report, signal).catch((error: unknown) => {
    if (isFinal(error)) return error;
    throw error;
  });
  if (answer instanceof HashfedError) {
    await spool.refuse(report.id, answer.code);
    return 'refused';
  }
  const digest = suite.sha256.digest(parseDsse('telemetry', report.bytes, MAX_REPORT_BYTES).body);
  const { inTime } = verifyReceipt(suite, members, 'server', answer.receipt, digest);
  await spool.putReceipt(report.id, answer.receipt);
  if (answer.monitorReceipt.length === 0) return { inTime, acknowledged: false };
  verifyReceipt(suite, members, 'monitor', answer.monitorReceipt, digest);
  await spool.putMonitorReceipt(report.id, answer.monitorReceipt);
  await spool.remove(report.id);
  return { inTime, acknowledged: true };
}

/** A refusal by the server, as opposed to an answer of it that is no message. */
function isFinal(error: unknown): error is HashfedError {
  return error instanceof HashfedError && FINAL.has(error.code) && error.detail.claimed === true;
}

function deliver({ channels }: SubmitDeps, report: SpooledReport, signal?: AbortSignal) {
  const request = { envelope: report.bytes };
  const limits = { deadlineMs: CALL_MS, ...(signal && { signal }) };
  return firstOf(channels, (channel) =>
    callUnary(channel, TelemetryServiceService.submitTelemetry, request, limits),
  );
}

/** The first server that serves it. */
async function firstOf<T>(
  channels: readonly RpcChannel[],
  call: (channel: RpcChannel) => Promise<T>,
): Promise<T> {
  let last: unknown = new HashfedError('USAGE', 'no server is configured', { field: 'sources' });
  for (const channel of channels) {
    try {
      return await call(channel);
    } catch (error) {
      last = error;
      if (!(error instanceof HashfedError) || !ELSEWHERE.has(error.code)) throw error;
    }
  }
  throw last;
}

import type { Command } from 'commander';
import {
  type SyncStateRecord,
  TelemetryKind,
  type WatchTelemetryResponse,
} from '../../proto/gen/hashfed/v1/telemetry_exchange.js';
import { HashfedError } from '../../sdk/core/index.js';
import { backoffMs, pause, readStream } from '../../sdk/rpc/index.js';
import { TelemetryServiceService } from '../../sdk/rpc/services/telemetry.js';
import { reportJson } from '../../sdk/telemetry/index.js';
import { action, type CliContext, EXIT, type ExitCode } from '../cli/index.js';
import {
  acknowledge,
  type MonitorDesk,
  positionsOf,
  SplitViews,
  verifyRecord,
} from '../monitor/telemetry/index.js';

interface Options {
  readonly after: string;
  readonly acknowledge?: boolean;
}

/** Longer than the server's heartbeats (15 s), milliseconds. */
const IDLE_MS = 45_000;
/** A stream is opened anew after this long, milliseconds. */
const STREAM_MS = 6 * 3_600_000;

type WithMonitor = <T>(context: CliContext, work: (desk: MonitorDesk) => Promise<T>) => Promise<T>;

/** `monitor watch`: what arrives, verified, one JSON object a line. */
export function register(monitor: Command, withMonitor: WithMonitor): void {
  monitor
    .command('watch')
    .description('reports and sync states as they arrive, one JSON object a line')
    .option('--after <arrival>', 'go on after this arrival number of a report', '0')
    .option('--no-acknowledge', 'send no receipts for what is read')
    .addHelpText('after', '\nExample:\n  hashfed monitor watch --after 120')
    .action(
      action<Options>((context, options) =>
        withMonitor(context, (desk) => follow(context, desk, readAfter(options.after), options)),
      ),
    );
}

function readAfter(text: string): number {
  if (!/^\d{1,15}$/.test(text))
    throw new HashfedError('USAGE', '--after is an arrival number', { field: 'after' });
  return Number(text);
}

interface Cursor {
  after: number;
  readonly seen: SplitViews;
}

/** Follows until stopped; a cut stream is opened again where it ended. */
async function follow(
  context: CliContext,
  desk: MonitorDesk,
  after: number,
  options: Options,
): Promise<ExitCode> {
  const { signal, random, out } = context;
  const cursor = { after, seen: new SplitViews() };
  for (let failures = 0; !signal.aborted; ) {
    try {
      await readOnce(context, desk, cursor, options, () => {
        failures = 0;
      });
    } catch (error) {
      if (signal.aborted) break;
      if (!isPassing(error)) throw error;
      out.warn(`hashfed: ${error.code}: ${error.message}; trying again`);
      failures += 1;
    }
    await pause(backoffMs(random, failures), signal).catch(() => {});
  }
  return EXIT.done;
}

function isPassing(error: unknown): error is HashfedError {
  return error instanceof HashfedError && (error.class === 'failed' || error.class === 'stale');
}

async function readOnce(
  context: CliContext,
  desk: MonitorDesk,
  cursor: Cursor,
  options: Options,
  onMessage: () => void,
): Promise<void> {
  const request = { kind: TelemetryKind.UNSPECIFIED, after: BigInt(cursor.after) };
  const limits = {
    deadlineMs: STREAM_MS,
    idleMs: IDLE_MS,
    maxBytes: Number.POSITIVE_INFINITY,
    signal: context.signal,
  };
  const stream = readStream(desk.channel, TelemetryServiceService.watchTelemetry, request, limits);
  for await (const message of stream) {
    onMessage();
    if (message.syncState !== undefined) takeState(message.syncState, cursor.seen);
    await take(context, desk, message, options);
    if (message.report !== undefined) cursor.after = Number(message.report.arrival);
  }
}

function takeState(record: SyncStateRecord, seen: SplitViews): void {
  for (const position of positionsOf([record], new Map())) print({ event: 'sync_state', ...position });
  const split = seen.add(record);
  if (split !== undefined) print({ event: 'split_view', ...split });
}

async function take(
  { signal, clock }: CliContext,
  desk: MonitorDesk,
  { report }: WatchTelemetryResponse,
  options: Options,
): Promise<void> {
  if (report === undefined) return;
  const arrival = Number(report.arrival);
  try {
    const verified = verifyRecord(desk.suite, desk.members, report);
    const { inTime, receivedMs } = verified;
    print({
      event: 'report',
      arrival,
      received_ms: receivedMs,
      in_time: inTime,
      report: reportJson(verified.report),
    });
    if (options.acknowledge !== false && desk.signer !== undefined)
      await acknowledge(desk.channel, desk.signer, [verified], clock.nowMs(), signal);
  } catch (error) {
    if (!(error instanceof HashfedError) || error.detail.claimed === true) throw error;
    print({ event: 'unverified', arrival, code: error.code, message: error.message });
  }
}

const print = (line: object): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};

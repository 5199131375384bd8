import { callUnary, type RpcChannel } from '../../../sdk/rpc/index.js';
import { TelemetryServiceService } from '../../../sdk/rpc/services/telemetry.js';
import { makeReceipt, type ReceiptSigner } from '../../../sdk/telemetry/index.js';
import type { VerifiedReport } from './read.js';

const CALL_MS = 30_000;
const BATCH = 500;

/** Signs a receipt for each report that was read and has none of the monitor's yet; answers how many. */
export async function acknowledge(
  channel: RpcChannel,
  by: ReceiptSigner,
  reports: readonly VerifiedReport[],
  nowMs: number,
  signal: AbortSignal,
): Promise<number> {
  const fresh = reports.filter(({ acknowledged }) => !acknowledged);
  for (let at = 0; at < fresh.length; at += BATCH) {
    const receipts = fresh
      .slice(at, at + BATCH)
      .map(({ report, digest, inTime }) => makeReceipt(by, report, digest, { receivedMs: nowMs, inTime }));
    const limits = { deadlineMs: CALL_MS, signal };
    await callUnary(channel, TelemetryServiceService.putMonitorReceipt, { receipts }, limits);
  }
  return fresh.length;
}

import { ReceiptKind } from '../../proto/gen/hashfed/v1/telemetry.js';
import { equalBytes, HashfedError, malformed, parseDsse } from '../../sdk/core/index.js';
import { readReceipt, unitOf, verifyReceipt, windowAt } from '../../sdk/telemetry/index.js';
import type { TelemetryDeps } from './deps.js';
import { keysOf } from './receive.js';

const MAX_RECEIPTS = 1_000;
const PREFIX = 'members/';

/**
 * Keeps the monitor's receipts; the hosters get them when they ask again. All are checked before the first is kept.
 * Throws MALFORMED, NOT_ENTITLED (another member's receipt), NOT_FOUND (no such report), BAD_SIGNATURE.
 */
export async function putMonitorReceipts(
  deps: TelemetryDeps,
  member: string,
  receipts: readonly Uint8Array[],
): Promise<void> {
  if (receipts.length === 0 || receipts.length > MAX_RECEIPTS)
    malformed('receipts', `needs 1 to ${MAX_RECEIPTS}`);
  const checked = [];
  for (const bytes of receipts) checked.push({ ...(await check(deps, member, bytes)), bytes });
  for (const receipt of checked) await deps.storage.telemetry.putReceipt({ ...receipt, by: 'monitor' });
}

async function check(deps: TelemetryDeps, monitor: string, bytes: Uint8Array) {
  const { suite, directory, clock, storage } = deps;
  const receipt = readReceipt(bytes);
  if (receipt.kind !== ReceiptKind.MONITOR || receipt.signer !== PREFIX + monitor)
    throw new HashfedError('NOT_ENTITLED', "the receipt is not the calling monitor's", { field: 'signer' });
  const window = windowAt(unitOf(receipt.windowKind), Number(receipt.windowStartMs)).label;
  const member = receipt.member.slice(PREFIX.length);
  const { revision } = receipt;
  const report = /^[a-z0-9-]{1,64}$/.test(member)
    ? await storage.telemetry.get(member, window, revision)
    : undefined;
  const digest = report && suite.sha256.digest(parseDsse('telemetry', report.bytes).body);
  if (digest === undefined || !equalBytes(digest, receipt.reportSha256))
    throw new HashfedError('NOT_FOUND', 'the server holds no such report', { field: 'report_sha256' });
  const keys = keysOf(directory.current.members.get(receipt.signer), clock.nowMs());
  verifyReceipt(suite, { keysOf: () => keys }, 'monitor', bytes, digest);
  return { member, window, revision };
}

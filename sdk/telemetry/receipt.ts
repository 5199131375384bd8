import { Receipt, ReceiptKind, type TelemetryReport } from '../../proto/gen/hashfed/v1/telemetry.js';
import {
  type BodySigner,
  checkThreshold,
  decodeStrict,
  equalBytes,
  HashfedError,
  malformed,
  parseDsse,
  type Suite,
  signDsse,
} from '../core/index.js';
import { MAX_RECEIPT_BYTES } from './limits.js';

/** Who signs receipts: `members/{member}` and its key. */
export interface ReceiptSigner {
  readonly kind: 'server' | 'monitor';
  readonly name: string;
  readonly signer: BodySigner;
}

/** Keys with which a member's receipts may be signed at a time, and whether it has the role at all. */
export interface ReceiptKeys {
  keysOf(member: string, role: 'operator' | 'monitor', timeMs: number): readonly Uint8Array[];
}

const KINDS = { server: ReceiptKind.SERVER, monitor: ReceiptKind.MONITOR } as const;
const ROLES = { server: 'operator', monitor: 'monitor' } as const;

/** A signed receipt for a report. `digest`: SHA-256 of its body. */
export function makeReceipt(
  by: ReceiptSigner,
  report: TelemetryReport,
  digest: Uint8Array,
  { receivedMs, inTime }: { receivedMs: number; inTime: boolean },
): Uint8Array {
  const body = Receipt.encode({
    kind: KINDS[by.kind],
    signer: by.name,
    member: report.member,
    reportSha256: digest,
    sequence: report.sequence,
    windowStartMs: report.windowStartMs,
    windowKind: report.windowKind,
    revision: report.revision,
    receivedMs: BigInt(receivedMs),
    inTime,
  }).finish();
  return signDsse('receipt', body, [by.signer]);
}

/** The body of a receipt without regard to who signed. Throws MALFORMED. */
export function readReceipt(envelope: Uint8Array): Receipt {
  const { body } = parseDsse('receipt', envelope, MAX_RECEIPT_BYTES);
  return decodeStrict(Receipt, body, 'receipt', MAX_RECEIPT_BYTES);
}

/**
 * A receipt that a member with the right role signed, for exactly this report. Throws MALFORMED, BAD_SIGNATURE
 * (another report, another kind), THRESHOLD_NOT_MET (not signed by who it says).
 */
export function verifyReceipt(
  suite: Suite,
  keys: ReceiptKeys,
  kind: ReceiptSigner['kind'],
  envelope: Uint8Array,
  reportDigest: Uint8Array,
): Receipt {
  const signed = parseDsse('receipt', envelope, MAX_RECEIPT_BYTES);
  const receipt = decodeStrict(Receipt, signed.body, 'receipt', MAX_RECEIPT_BYTES);
  const refuse = (why: string, field: string): never => {
    throw new HashfedError('BAD_SIGNATURE', `receipt: ${why}`, { field });
  };
  if (receipt.kind !== KINDS[kind]) refuse(`is not the ${kind}'s`, 'kind');
  if (!equalBytes(receipt.reportSha256, reportDigest)) refuse('is for another report', 'report_sha256');
  const receivedMs = Number(receipt.receivedMs);
  if (!Number.isSafeInteger(receivedMs)) malformed('received_ms', 'is no time');
  const allowed = keys.keysOf(receipt.signer, ROLES[kind], receivedMs);
  checkThreshold(suite, 'receipt', signed, { keys: allowed, threshold: 1 });
  return receipt;
}

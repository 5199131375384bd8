import { BodyReader, BodyWriter, damaged } from './body.js';
import type { SpooledReport, SpoolState } from './types.js';

const STATES: readonly SpoolState[] = ['queued', 'sent', 'receipted', 'refused'];

export const encodeLatest = (window: string, revision: number, basis: Uint8Array) =>
  new BodyWriter().text(window).u32(revision).bytes(basis).finish();

export function decodeLatest(value: Uint8Array | undefined, window: string) {
  if (value === undefined) return { window, revision: 0, basis: undefined };
  const reader = new BodyReader(value, 'spool');
  const latest = { window: reader.text(), revision: reader.u32(), basis: reader.bytes().slice() };
  reader.end();
  return latest;
}

export function encodeReport(report: SpooledReport): Uint8Array {
  const body = new BodyWriter().text(report.id).u64(report.sequence).bytes(report.previous);
  body.text(report.window).u32(report.revision).u32(STATES.indexOf(report.state)).u64(report.queuedMs);
  return body.bytes(report.bytes).bytes(report.receipt).bytes(report.monitorReceipt).finish();
}

export function decodeReport(value: Uint8Array): SpooledReport {
  const reader = new BodyReader(value, 'spool');
  const id = reader.text();
  const sequence = reader.u64();
  const previous = reader.bytes().slice();
  const window = reader.text();
  const revision = reader.u32();
  const state = STATES[reader.u32()];
  const queuedMs = reader.u64();
  const [bytes, receipt, monitorReceipt] = [
    reader.bytes().slice(),
    reader.bytes().slice(),
    reader.bytes().slice(),
  ];
  reader.end();
  if (state === undefined) throw damaged('spool', 'a report has no known state');
  return { id, sequence, previous, window, revision, bytes, state, queuedMs, receipt, monitorReceipt };
}

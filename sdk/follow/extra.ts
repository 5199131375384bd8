import { HashfedError } from '../core/index.js';

/** What a follower remembers about a list beside its contents. Times are Unix milliseconds, 0 = never. */
export interface ListExtra {
  readonly rootVersion: number;
  readonly firstSyncMs: number;
  readonly lastFreshMs: number;
  readonly committedMs: number;
}

export const NO_EXTRA: ListExtra = { rootVersion: 0, firstSyncMs: 0, lastFreshMs: 0, committedMs: 0 };
const VERSION = 1;
const BYTES = 33;

/** `u8 1 | u64 × 4`, big-endian. */
export function encodeExtra(extra: ListExtra): Uint8Array {
  const out = new Uint8Array(BYTES);
  const view = new DataView(out.buffer);
  out[0] = VERSION;
  const values = [extra.rootVersion, extra.firstSyncMs, extra.lastFreshMs, extra.committedMs];
  for (const [i, value] of values.entries()) view.setBigUint64(1 + 8 * i, BigInt(value));
  return out;
}

/** Throws STORAGE_FAILED for anything but what `encodeExtra` wrote. */
export function decodeExtra(bytes: Uint8Array): ListExtra {
  if (bytes.length === 0) return NO_EXTRA;
  if (bytes.length !== BYTES || bytes[0] !== VERSION)
    throw new HashfedError('STORAGE_FAILED', 'list: its own notes are damaged');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = (i: number): number => Number(view.getBigUint64(1 + 8 * i));
  return { rootVersion: at(0), firstSyncMs: at(1), lastFreshMs: at(2), committedMs: at(3) };
}

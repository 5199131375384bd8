/** C2SP tlog-cosignature, cosignature/v1: a signature over a time in seconds and a checkpoint. */
import { concat } from './bytes.js';
import { MAX_AHEAD_MS } from './limits.js';
import { SIGNATURE_BYTES } from './signature.js';
import { utf8 } from './utf8.js';

const TIME_BYTES = 8;

export interface Cosignature {
  /** Unix seconds. */
  readonly time: bigint;
  readonly signature: Uint8Array;
}

/** `"cosignature/v1\n" ‖ "time " ‖ decimal seconds ‖ "\n" ‖ note body`. */
export function cosignedMessage(time: bigint, bodyBytes: Uint8Array): Uint8Array {
  return concat(utf8(`cosignature/v1\ntime ${time}\n`), bodyBytes);
}

/** `u64 time ‖ 64-byte signature`; undefined for any other length. */
export function unpackCosignature(bytes: Uint8Array): Cosignature | undefined {
  if (bytes.length !== TIME_BYTES + SIGNATURE_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return { time: view.getBigUint64(0), signature: bytes.slice(TIME_BYTES) };
}

export function packCosignature(time: bigint, signature: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(TIME_BYTES + signature.length);
  new DataView(bytes.buffer).setBigUint64(0, time);
  bytes.set(signature, TIME_BYTES);
  return bytes;
}

/** A cosignature more than 10 minutes ahead of our clock is not counted; it rejects nothing. */
export function cosignatureCounts(timeS: number, nowMs: number): boolean {
  return timeS * 1000 <= nowMs + MAX_AHEAD_MS;
}

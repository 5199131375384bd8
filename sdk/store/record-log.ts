import { damaged } from './body.js';
import { blockNonce, deriveKey, hmac, seal, unseal } from './cipher.js';
import type { ReadHandle } from './disk.js';
import { FILE_ID_BYTES, MAX_DELTA_BYTES, STORE_FORMAT, TAG_BYTES } from './limits.js';
import { checkFormat, type Sealing } from './sealed-file.js';

const MAGIC = Buffer.from('HFRECLOG', 'latin1');
/** magic 8 | u16 format | u16 0 | 16 B file id | 32 B HMAC */
const FACT_BYTES = 12 + FILE_ID_BYTES;
export const LOG_HEADER_BYTES = FACT_BYTES + 32;
/** u32 sealed bytes | 16 B salt | u64 sequence */
const FRAME_BYTES = 4 + 16 + 8;

export interface LogRecord {
  readonly sequence: number;
  readonly body: Uint8Array;
  /** Offset of the byte after the record. */
  readonly end: number;
}

/** Creates an empty log, synced (its directory is the caller's). Answers its file id. */
export async function createLog(with_: Sealing, path: string): Promise<Uint8Array> {
  const facts = new Uint8Array(FACT_BYTES);
  facts.set(MAGIC);
  facts.set([STORE_FORMAT >> 8, STORE_FORMAT & 255], 8);
  const fileId = with_.random.bytes(FILE_ID_BYTES);
  facts.set(fileId, 12);
  const file = await with_.disk.create(path);
  try {
    await file.write(Buffer.concat([facts, headerMac(with_.master, facts)]));
    await file.sync();
  } finally {
    await file.close();
  }
  return fileId;
}

const headerMac = (master: Uint8Array, facts: Uint8Array) =>
  hmac(deriveKey(master, 'record', facts.subarray(12)), facts);

/** Cuts the log to `at` (a torn tail goes), appends one record in one write, syncs. Answers its end. */
export async function appendRecord(
  with_: Sealing,
  log: { path: string; fileId: Uint8Array; at: number },
  sequence: number,
  body: Uint8Array,
): Promise<number> {
  if (body.length > MAX_DELTA_BYTES) throw damaged('deltas.log', 'the record is larger than the store takes');
  const frame = new Uint8Array(FRAME_BYTES);
  const view = new DataView(frame.buffer);
  view.setUint32(0, body.length + TAG_BYTES);
  frame.set(with_.random.bytes(16), 4);
  view.setBigUint64(20, BigInt(sequence));
  const key = recordKey(with_.master, log.fileId, frame);
  const sealed = seal(key, blockNonce(0), aadOf(log.fileId, frame), body);
  const file = await with_.disk.append(log.path, log.at);
  try {
    await file.write(Buffer.concat([frame, sealed]));
    await file.sync();
  } finally {
    await file.close();
  }
  return log.at + FRAME_BYTES + sealed.length;
}

/** A key of its own for each record: a record written again after a torn one never repeats a (key, nonce). */
const recordKey = (master: Uint8Array, fileId: Uint8Array, frame: Uint8Array) =>
  deriveKey(master, 'file', Buffer.concat([fileId, frame.subarray(4, 20)]));

const aadOf = (fileId: Uint8Array, frame: Uint8Array) => Buffer.concat([MAGIC, fileId, frame]);

/** Reads and checks the header; answers the file id. */
export async function readLogHeader(master: Uint8Array, file: ReadHandle, what: string): Promise<Uint8Array> {
  const bytes = new Uint8Array(LOG_HEADER_BYTES);
  const got = await file.read(bytes, 0);
  if (got !== bytes.length || MAGIC.compare(bytes, 0, 8) !== 0) throw damaged(what, 'it is not a record log');
  checkFormat((bytes[8]! << 8) | bytes[9]!, what);
  const facts = bytes.subarray(0, FACT_BYTES);
  if (headerMac(master, facts).compare(bytes, FACT_BYTES) !== 0)
    throw damaged(what, 'its header was changed');
  return bytes.slice(12, FACT_BYTES);
}

/**
 * Authentic records with sequences `from`, `from + 1`, … in order. Ends at the first that is cut off, not
 * authentic or out of sequence: after a crash that is the torn tail; that nothing acknowledged is missing is
 * for the caller to check against the sequence kept elsewhere.
 */
export async function* readRecords(
  master: Uint8Array,
  file: ReadHandle,
  fileId: Uint8Array,
  from: number,
): AsyncGenerator<LogRecord> {
  let at = LOG_HEADER_BYTES;
  for (let sequence = from; ; sequence++) {
    const frame = new Uint8Array(FRAME_BYTES);
    if ((await file.read(frame, at)) !== FRAME_BYTES) return;
    const view = new DataView(frame.buffer);
    const length = view.getUint32(0);
    if (length < TAG_BYTES || length > MAX_DELTA_BYTES + TAG_BYTES) return;
    if (view.getBigUint64(20) !== BigInt(sequence)) return;
    const sealed = await readSealed(file, length, at + FRAME_BYTES);
    if (sealed === undefined) return;
    const key = recordKey(master, fileId, frame);
    const body = unseal(key, blockNonce(0), aadOf(fileId, frame), sealed);
    if (body === undefined) return;
    at += FRAME_BYTES + length;
    yield { sequence, body, end: at };
  }
}

const PROBE_BYTES = 1;

/** Looks for the last byte first, so that a hostile length in a short file buys no large buffer. */
async function readSealed(file: ReadHandle, length: number, at: number): Promise<Uint8Array | undefined> {
  const probe = new Uint8Array(PROBE_BYTES);
  if ((await file.read(probe, at + length - PROBE_BYTES)) !== PROBE_BYTES) return undefined;
  const sealed = new Uint8Array(length);
  return (await file.read(sealed, at)) === length ? sealed : undefined;
}

import { damaged } from './body.js';
import { deriveKey, hmac } from './cipher.js';
import { FILE_ID_BYTES, MAX_BLOCK_BYTES, MIN_BLOCK_BYTES, STORE_FORMAT, TAG_BYTES } from './limits.js';
import { checkFormat } from './sealed-file.js';

/** Columns of a segment; each is one file. */
export const Column = { keys: 1, rows: 2, leaves: 3 } as const;
export type Column = (typeof Column)[keyof typeof Column];

export const COLUMN_FILES: Record<Column, string> = { 1: 'keys.col', 2: 'rows.col', 3: 'leaves.col' };

const MAGIC = Buffer.from('HFCOLUMN', 'latin1');
const END_MAGIC = Buffer.from('HFCOLEND', 'latin1');
const SIGNED_BYTES = 96;
const MAC_BYTES = 32;
export const HEADER_BYTES = SIGNED_BYTES + MAC_BYTES;
/** u64 footer offset | u32 footer bytes | magic 8 */
export const TRAILER_BYTES = 20;
/** The footer's block number: far above any real block. */
export const FOOTER_BLOCK = 2 ** 48;

/** The facts in a column file's header; fixed before the first block is written. */
export interface ColumnHeader {
  readonly column: Column;
  readonly bucketBits: number;
  readonly blockBytes: number;
  readonly fileId: Uint8Array;
  readonly hashBytes: number;
  /** Rows in the segment (leaves, in the leaf column). */
  readonly rowCount: number;
  /** SHA-256 of the origin: a segment of one list never opens as another's. */
  readonly originDigest: Uint8Array;
}

/** 128 bytes: 96 of facts, then HMAC-SHA256 over them under the file's header key. */
export function encodeHeader(master: Uint8Array, header: ColumnHeader): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint16(8, STORE_FORMAT);
  view.setUint8(10, header.column);
  view.setUint8(11, header.bucketBits);
  view.setUint32(12, header.blockBytes);
  bytes.set(header.fileId, 16);
  view.setUint32(32, header.hashBytes);
  view.setBigUint64(36, BigInt(header.rowCount));
  bytes.set(header.originDigest, 44);
  bytes.set(headerMac(master, bytes), SIGNED_BYTES);
  return bytes;
}

const headerMac = (master: Uint8Array, bytes: Uint8Array) =>
  hmac(deriveKey(master, 'record', bytes.subarray(16, 16 + FILE_ID_BYTES)), bytes.subarray(0, SIGNED_BYTES));

/** Checks length, magic, format and MAC before it believes a field. */
export function decodeHeader(master: Uint8Array, bytes: Uint8Array, what: string): ColumnHeader {
  if (bytes.length !== HEADER_BYTES || MAGIC.compare(bytes, 0, 8) !== 0) {
    throw damaged(what, 'it is not a segment file');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  checkFormat(view.getUint16(8), what);
  if (headerMac(master, bytes).compare(bytes, SIGNED_BYTES) !== 0) {
    throw damaged(what, 'its header was changed, or it belongs to another store');
  }
  const header = readFields(view, bytes);
  const blockOk = header.blockBytes >= MIN_BLOCK_BYTES && header.blockBytes <= MAX_BLOCK_BYTES;
  if (!blockOk || header.bucketBits > 16 || !(header.column in COLUMN_FILES)) {
    throw damaged(what, 'its header is out of range');
  }
  return header;
}

function readFields(view: DataView, bytes: Uint8Array): ColumnHeader {
  return {
    column: view.getUint8(10) as Column,
    bucketBits: view.getUint8(11),
    blockBytes: view.getUint32(12),
    fileId: bytes.slice(16, 32),
    hashBytes: view.getUint32(32),
    rowCount: Number(view.getBigUint64(36)),
    originDigest: bytes.slice(44, 76),
  };
}

/** What one block's ciphertext is bound to: the whole header and its number. */
export function blockAad(header: Uint8Array, block: number): Uint8Array {
  const aad = new Uint8Array(HEADER_BYTES + 8);
  aad.set(header);
  new DataView(aad.buffer).setBigUint64(HEADER_BYTES, BigInt(block));
  return aad;
}

export interface Trailer {
  readonly footerOffset: number;
  readonly footerBytes: number;
}

export function encodeTrailer(trailer: Trailer): Uint8Array {
  const bytes = new Uint8Array(TRAILER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(trailer.footerOffset));
  view.setUint32(8, trailer.footerBytes);
  bytes.set(END_MAGIC, 12);
  return bytes;
}

/** The trailer is not secret and not trusted: it only says where the authenticated footer lies. */
export function decodeTrailer(bytes: Uint8Array, fileBytes: number, what: string): Trailer {
  if (bytes.length !== TRAILER_BYTES || END_MAGIC.compare(bytes, 12, 20) !== 0) {
    throw damaged(what, 'it is truncated');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const footerOffset = Number(view.getBigUint64(0));
  const footerBytes = view.getUint32(8);
  const fits = footerOffset >= HEADER_BYTES && footerOffset + footerBytes + TRAILER_BYTES === fileBytes;
  if (!fits || footerBytes < TAG_BYTES) throw damaged(what, 'its trailer is wrong');
  return { footerOffset, footerBytes };
}

import { createCipheriv, createDecipheriv } from 'node:crypto';
import { HashfedError } from '../core/index.js';
import { INVENTORY_FORMAT, NONCE_BYTES, TAG_BYTES } from './limits.js';

/** Gives the key of a file by its random id. */
export type KeyFor = (fileId: Uint8Array) => Uint8Array;

/** magic 8 | u16 format | u16 kind | 16 B file id */
export const HEADER_BYTES = 28;
const MAGIC = Buffer.from('HFINVENT', 'latin1');
export const KIND = { head: 1, segment: 2 } as const;

export function makeHeader(kind: number, fileId: Uint8Array): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUInt16BE(INVENTORY_FORMAT, 8);
  header.writeUInt16BE(kind, 10);
  header.set(fileId, 12);
  return header;
}

/** The file id. `UPGRADE_REQUIRED` for a newer format, `STORAGE_FAILED` for what is no such file. */
export function readHeader(header: Uint8Array, kind: number, name: string): Uint8Array {
  const bytes = Buffer.from(header);
  if (bytes.length < HEADER_BYTES || MAGIC.compare(bytes, 0, 8) !== 0)
    throw damaged(name, 'it is no inventory file');
  const format = bytes.readUInt16BE(8);
  if (format > INVENTORY_FORMAT)
    throw new HashfedError('UPGRADE_REQUIRED', `${name}: written by a newer version of hashfed`);
  if (format !== INVENTORY_FORMAT || bytes.readUInt16BE(10) !== kind)
    throw damaged(name, 'it is of another kind');
  return new Uint8Array(bytes.subarray(12, HEADER_BYTES));
}

/**
 * Nonce of block `n`; the last block of a file has another, so that a file that was cut at a block's end does not pass.
 * Sound because every file has a key of its own and is written once.
 */
function nonceOf(n: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(NONCE_BYTES);
  nonce[0] = last ? 1 : 0;
  nonce.writeBigUInt64BE(BigInt(n), 4);
  return nonce;
}

export interface BlockPlace {
  readonly key: Uint8Array;
  /** Header and meaning of the file: authenticated with each block. */
  readonly context: Uint8Array;
  readonly n: number;
  readonly last: boolean;
}

export function sealBlock({ key, context, n, last }: BlockPlace, plain: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonceOf(n, last), { authTagLength: TAG_BYTES });
  cipher.setAAD(context);
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** undefined when these bytes were not sealed for this place under this key. */
export function openBlock({ key, context, n, last }: BlockPlace, sealed: Uint8Array): Uint8Array | undefined {
  if (sealed.length < TAG_BYTES) return undefined;
  const cut = sealed.length - TAG_BYTES;
  const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(n, last), { authTagLength: TAG_BYTES });
  decipher.setAAD(context);
  decipher.setAuthTag(sealed.subarray(cut));
  const plain = decipher.update(sealed.subarray(0, cut));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  return plain;
}

export function damaged(what: string, why: string): HashfedError {
  return new HashfedError(
    'STORAGE_FAILED',
    `inventory ${what}: ${why}; hashfed inventory --forget and a new scan make it anew`,
    { field: what },
  );
}

/**
 * Keys: `u8 table`, then components in byte order: names as UTF-8 with a closing 0x00 (names hold none),
 * numbers big-endian. Table numbers are part of the format and never reused.
 */
import { HashfedError } from '../../sdk/core/index.js';
import { concatBytes } from './codec.js';
import type { KeyRange } from './kernel.js';
import { MAX_NAME_BYTES } from './limits.js';

/** Tables, with the name errors use. `bulk` ones are large: start-up checks skip them unless asked. */
export const TABLES = {
  head: { id: 0x01, bulk: false },
  link: { id: 0x02, bulk: false },
  segment: { id: 0x03, bulk: false },
  bundle: { id: 0x04, bulk: true },
  tile: { id: 0x05, bulk: true },
  prepared: { id: 0x10, bulk: false },
  document: { id: 0x20, bulk: false },
  report: { id: 0x30, bulk: true },
  arrival: { id: 0x31, bulk: true },
  receipt: { id: 0x32, bulk: true },
  counter: { id: 0x33, bulk: false },
  'sync-state': { id: 0x34, bulk: false },
  budget: { id: 0x36, bulk: false },
  'parts-index': { id: 0x40, bulk: false },
  part: { id: 0x41, bulk: true },
  meta: { id: 0xf0, bulk: false },
} as const;

export type TableName = keyof typeof TABLES;
export type KeyPart =
  | string
  | { readonly u8: number }
  | { readonly u32: number }
  | { readonly u64: number }
  | Uint8Array;

const NAMES = new Map<number, TableName>(
  (Object.keys(TABLES) as TableName[]).map((name) => [TABLES[name].id, name]),
);

/** The table of a key, for errors; `unknown` where no table has that number. */
export function tableOf(key: Uint8Array): TableName | 'unknown' {
  return NAMES.get(key[0] ?? -1) ?? 'unknown';
}

/** A name as a key component. Throws `MALFORMED`: empty, over 256 bytes, NUL, or unpaired surrogates. */
function name(text: string): Buffer {
  const bytes = Buffer.from(`${text}\0`, 'utf8');
  const bad = bytes.length < 2 || bytes.length > MAX_NAME_BYTES + 1 || text.includes('\0');
  if (bad || bytes.toString('utf8', 0, bytes.length - 1) !== text)
    throw new HashfedError('MALFORMED', 'a name does not fit a storage key');
  return bytes;
}

function number(value: number, bytes: 1 | 4 | 8): Buffer {
  if (!Number.isSafeInteger(value) || value < 0 || value >= 2 ** (8 * bytes)) {
    throw new HashfedError('MALFORMED', 'a number does not fit a storage key');
  }
  const out = Buffer.alloc(bytes);
  if (bytes === 8) out.writeBigUInt64BE(BigInt(value));
  else out.writeUIntBE(value, 0, bytes);
  return out;
}

function part(value: KeyPart): Uint8Array {
  if (typeof value === 'string') return name(value);
  if (value instanceof Uint8Array) return value;
  if ('u8' in value) return number(value.u8, 1);
  return 'u32' in value ? number(value.u32, 4) : number(value.u64, 8);
}

export function keyOf(table: TableName, ...parts: readonly KeyPart[]): Uint8Array {
  return concatBytes([Uint8Array.of(TABLES[table].id), ...parts.map(part)]);
}

/** The first key that does not begin with `prefix`. */
export function after(prefix: Uint8Array): Uint8Array {
  const bytes = Buffer.from(prefix);
  for (let at = bytes.length - 1; at >= 0; at -= 1) {
    if (bytes[at] !== 0xff) {
      bytes[at] = bytes[at]! + 1;
      return bytes.subarray(0, at + 1);
    }
  }
  return Uint8Array.of(0xff, 0xff);
}

/** All keys that begin with these components. */
export function rangeOf(table: TableName, ...parts: readonly KeyPart[]): KeyRange {
  const from = keyOf(table, ...parts);
  return { from, to: after(from) };
}

/** Reads components back, in order, behind the table byte. */
export class KeyReader {
  readonly #key: Buffer;
  #at = 1;

  constructor(key: Uint8Array) {
    this.#key = Buffer.from(key.buffer, key.byteOffset, key.length);
  }

  name(): string {
    const end = this.#key.indexOf(0, this.#at);
    const text = this.#key.toString('utf8', this.#at, end);
    this.#at = end + 1;
    return text;
  }

  u8(): number {
    return this.#key.readUInt8(this.#move(1));
  }

  u32(): number {
    return this.#key.readUInt32BE(this.#move(4));
  }

  u64(): number {
    return Number(this.#key.readBigUInt64BE(this.#move(8)));
  }

  bytes(length: number): Uint8Array {
    const at = this.#move(length);
    return this.#key.subarray(at, at + length);
  }

  #move(length: number): number {
    this.#at += length;
    return this.#at - length;
  }
}

/** Segment and batch ids: 32 hex digits outside, 16 bytes inside. Throws `MALFORMED`. */
export function idBytes(id: string): Uint8Array {
  if (!/^[0-9a-f]{32}$/.test(id))
    throw new HashfedError('MALFORMED', 'an id has 32 hex digits', { field: 'id' });
  return Buffer.from(id, 'hex');
}

/**
 * A new id: 48 bits of time, so that new rows land at the end of their table, and 80 random bits.
 */
export function newId(nowMs: number, random: Uint8Array): string {
  const time = Buffer.alloc(6);
  time.writeUIntBE(Math.max(0, Math.min(nowMs, 2 ** 48 - 1)), 0, 6);
  return Buffer.concat([time, random.subarray(0, 10)]).toString('hex');
}

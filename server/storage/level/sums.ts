/**
 * One sum per table: the number of rows, and the sum modulo 2^128 of their checksums. A row that vanished,
 * appeared or went back to an older value changes it, which LevelDB itself would not notice. Kept in the
 * database beside what it sums, in the same atomic batch.
 */
import type { ValueReader, ValueWriter } from '../codec.js';
import { sealOf } from '../sealed.js';

const MASK = (1n << 128n) - 1n;

export interface Sum {
  readonly rows: number;
  readonly sum: bigint;
}

export class Sums {
  readonly #tables = new Map<number, { rows: number; sum: bigint }>();

  add(key: Uint8Array, sealed: Uint8Array): void {
    this.#change(key, sealed, 1);
  }

  remove(key: Uint8Array, sealed: Uint8Array): void {
    this.#change(key, sealed, -1);
  }

  clone(): Sums {
    const copy = new Sums();
    for (const [table, sum] of this.#tables) copy.#tables.set(table, { ...sum });
    return copy;
  }

  of(table: number): Sum {
    return this.#tables.get(table) ?? { rows: 0, sum: 0n };
  }

  get tables(): readonly number[] {
    return [...this.#tables.keys()].sort((a, b) => a - b);
  }

  encode(writer: ValueWriter): void {
    writer.u8(this.tables.length);
    for (const table of this.tables) {
      const { rows, sum } = this.of(table);
      writer
        .u8(table)
        .u64(rows)
        .fixed(Buffer.from(sum.toString(16).padStart(32, '0'), 'hex'));
    }
  }

  static decode(reader: ValueReader): Sums {
    const sums = new Sums();
    const count = reader.u8();
    for (let i = 0; i < count; i += 1) {
      const table = reader.u8();
      sums.#tables.set(table, { rows: reader.u64(), sum: toBigInt(reader.fixed(16)) });
    }
    return sums;
  }

  #change(key: Uint8Array, sealed: Uint8Array, by: 1 | -1): void {
    const table = key[0]!;
    const { rows, sum } = this.of(table);
    const changed = by === 1 ? sum + toBigInt(sealOf(sealed)) : sum - toBigInt(sealOf(sealed));
    this.#tables.set(table, { rows: rows + by, sum: changed & MASK });
  }
}

function toBigInt(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return bytes.length === 16 ? (view.getBigUint64(0) << 64n) | view.getBigUint64(8) : 0n;
}

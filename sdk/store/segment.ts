import { createHash } from 'node:crypto';
import { HashfedError } from '../core/index.js';
import { damaged } from './body.js';
import { Column } from './column-format.js';
import { ColumnReader } from './column-reader.js';
import { type ColumnRef, ColumnWriter } from './column-writer.js';
import { BLOCK_BYTES } from './limits.js';
import { copyKeys } from './rows.js';
import type { Sealing } from './sealed-file.js';
import type { RebuildOptions, RowTable } from './types.js';

/** How the list head names a segment. */
export interface SegmentRef {
  readonly hashBytes: number;
  readonly bucketBits: number;
  readonly rowCount: number;
  readonly leafCount: number;
  readonly keys: ColumnRef;
  readonly rows: ColumnRef;
  /** Absent where leafCount is 0. */
  readonly leaves?: ColumnRef;
}

const NO_TABLE = new Float64Array(0);

type Announced = Required<Omit<RebuildOptions, 'folds'>>;

/** Writes the columns of one segment side by side, bucket by bucket, in bounded memory. */
export class SegmentWriter {
  readonly #options: Announced;
  readonly #keys: ColumnWriter;
  readonly #rows: ColumnWriter;
  readonly #leaves: ColumnWriter | undefined;
  readonly #offsets: Float64Array;
  #nextBucket = 0;
  #rowsSeen = 0;

  private constructor(
    options: Announced,
    keys: ColumnWriter,
    rows: ColumnWriter,
    leaves: ColumnWriter | undefined,
  ) {
    this.#options = options;
    this.#keys = keys;
    this.#rows = rows;
    this.#leaves = leaves;
    this.#offsets = new Float64Array(2 ** options.bucketBits + 1);
  }

  static async create(with_: Sealing, directory: string, origin: string, asked: RebuildOptions) {
    const { bucketBits, hashBytes, rowCount, leafCount = 0 } = asked;
    const options = { bucketBits, hashBytes, rowCount, leafCount };
    const originDigest = createHash('sha256').update(origin).digest();
    const common = { bucketBits, hashBytes, blockBytes: BLOCK_BYTES, originDigest };
    const open = (column: Column, count: number) =>
      ColumnWriter.create(with_, directory, { ...common, column, rowCount: count });
    const keys = await open(Column.keys, rowCount);
    const rows = await open(Column.rows, rowCount);
    const leaves = leafCount > 0 ? await open(Column.leaves, leafCount) : undefined;
    return new SegmentWriter(options, keys, rows, leaves);
  }

  /** `MALFORMED` for rows that are not canonical, out of order or of another bucket. */
  async addBucket(b: number, rows: Uint8Array): Promise<void> {
    if (b < this.#nextBucket || b >= this.#offsets.length - 1) {
      throw new HashfedError('USAGE', 'buckets must come in ascending order');
    }
    const { hashBytes, bucketBits } = this.#options;
    const keys = copyKeys(rows, { hashBytes, bucketBits, bucket: b });
    this.#offsets.fill(this.#rows.plainBytes, this.#nextBucket, b + 1);
    this.#nextBucket = b + 1;
    this.#rowsSeen += keys.length / hashBytes;
    await this.#keys.write(keys);
    await this.#rows.write(rows);
  }

  async addLeafHashes(hashes: Uint8Array): Promise<void> {
    if (this.#leaves === undefined) throw new HashfedError('USAGE', 'no leaf hashes were announced');
    await this.#leaves.write(hashes);
  }

  async finish(): Promise<SegmentRef> {
    const { leafCount, ...facts } = this.#options;
    const leafBytes = this.#leaves?.plainBytes ?? 0;
    if (this.#rowsSeen !== facts.rowCount || leafBytes !== leafCount * 32) {
      throw new HashfedError('USAGE', 'the segment holds another number of rows or leaves than announced');
    }
    this.#offsets.fill(this.#rows.plainBytes, this.#nextBucket);
    const keys = await this.#keys.finish(NO_TABLE);
    const rows = await this.#rows.finish(this.#offsets);
    const leaves = await this.#leaves?.finish(NO_TABLE);
    return { ...facts, leafCount, keys, rows, ...(leaves === undefined ? {} : { leaves }) };
  }

  async abort(): Promise<void> {
    await this.#keys.abort();
    await this.#rows.abort();
    await this.#leaves?.abort();
  }
}

/** An open segment. Opening reads headers and footers only. */
export class SegmentReader {
  readonly ref: SegmentRef;
  readonly #keys: ColumnReader;
  readonly #rows: ColumnReader;
  readonly #leaves: ColumnReader | undefined;

  private constructor(ref: SegmentRef, keys: ColumnReader, rows: ColumnReader, leaves?: ColumnReader) {
    this.ref = ref;
    this.#keys = keys;
    this.#rows = rows;
    this.#leaves = leaves;
  }

  static async open(with_: Sealing, directory: string, ref: SegmentRef): Promise<SegmentReader> {
    const opened: ColumnReader[] = [];
    const open = async (column: Column, file: ColumnRef) => {
      const reader = await ColumnReader.open(with_, directory, column, file);
      opened.push(reader);
      return reader;
    };
    try {
      const keys = await open(Column.keys, ref.keys);
      const rows = await open(Column.rows, ref.rows);
      const leaves = ref.leaves === undefined ? undefined : await open(Column.leaves, ref.leaves);
      checkAgreement(ref, keys, rows);
      return new SegmentReader(ref, keys, rows, leaves);
    } catch (cause) {
      for (const reader of opened) await reader.close();
      throw cause;
    }
  }

  keys(): Promise<Uint8Array> {
    return this.#keys.readAll();
  }

  async rows(): Promise<RowTable> {
    const bytes = await this.#rows.readAll();
    const bucketOffsets = this.#rows.table;
    const bucket = (b: number) => bytes.subarray(bucketOffsets[b] ?? 0, bucketOffsets[b + 1] ?? 0);
    return { bytes, bucketOffsets, bucket };
  }

  /** One bucket at a time, the empty ones too; memory: one block and one bucket. */
  async *buckets(): AsyncGenerator<Uint8Array> {
    const table = this.#rows.table;
    let [b, from] = [0, 0];
    for await (const piece of this.pieces()) {
      const end = from + piece.length;
      for (; b + 1 < table.length && table[b + 1]! <= end; b++)
        yield piece.subarray(table[b]! - from, table[b + 1]! - from);
      from = end;
    }
    for (; b + 1 < table.length; b++) yield new Uint8Array();
  }

  /** All rows in order, in pieces that end between buckets; each is good until the next one is asked for. */
  async *pieces(): AsyncGenerator<Uint8Array> {
    const table = this.#rows.table;
    let b = 0;
    let held: Uint8Array = new Uint8Array();
    for await (const block of this.#rows.blocks()) {
      const blockFrom = table[b]! + held.length;
      const end = blockFrom + block.length;
      let from = 0;
      if (held.length > 0 && table[b + 1]! <= end) {
        from = table[b + 1]! - blockFrom;
        yield joined(held, block.subarray(0, from));
        held = new Uint8Array();
      }
      while (b + 1 < table.length && table[b + 1]! <= end) b++;
      const to = table[b]! - blockFrom;
      if (to > from) yield block.subarray(from, to);
      held = to > 0 ? block.slice(to) : joined(held, block);
    }
  }

  /** All keys in order, in pieces of whole keys; each is good until the next one is asked for. */
  async *keyPieces(): AsyncGenerator<Uint8Array> {
    const { hashBytes } = this.ref;
    let held: Uint8Array = new Uint8Array();
    for await (const block of this.#keys.blocks()) {
      const piece = held.length > 0 ? joined(held, block) : block;
      const whole = hashBytes === 0 ? 0 : piece.length - (piece.length % hashBytes);
      if (whole > 0) yield piece.subarray(0, whole);
      held = piece.slice(whole);
    }
  }

  async *leafHashes(): AsyncGenerator<Uint8Array> {
    if (this.#leaves !== undefined) yield* this.#leaves.blocks();
  }

  async close(): Promise<void> {
    await this.#keys.close();
    await this.#rows.close();
    await this.#leaves?.close();
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}

/** Every figure that the head states must be what the files state. */
function checkAgreement(ref: SegmentRef, keys: ColumnReader, rows: ColumnReader): void {
  const table = rows.table;
  const ascending = table.every((offset, i) => i === 0 || offset >= table[i - 1]!);
  const agree =
    keys.header.rowCount === ref.rowCount &&
    rows.header.rowCount === ref.rowCount &&
    rows.header.bucketBits === ref.bucketBits &&
    keys.plainBytes === ref.rowCount * ref.hashBytes &&
    table.length === 2 ** ref.bucketBits + 1 &&
    table[table.length - 1] === rows.plainBytes;
  if (!agree || !ascending || table[0] !== 0) throw damaged('rows.col', 'it disagrees with the head');
}

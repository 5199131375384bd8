import { damaged } from './body.js';
import type { ReadHandle } from './disk.js';
import { REBUILD_BYTES, REBUILD_ENTRIES } from './limits.js';
import { decodeDelta, type HeadFile } from './list-codec.js';
import { LOG_HEADER_BYTES, readLogHeader, readRecords } from './record-log.js';
import type { Sealing } from './sealed-file.js';
import { SegmentReader } from './segment.js';
import type { ListHead, LoadedList, RowTable, StoredBundle } from './types.js';

/** Where the delta log of a base stands. */
export interface LogState {
  readonly sequence: number;
  /** Bytes up to which the log is authentic. */
  readonly end: number;
  readonly entries: number;
  readonly head: ListHead;
}

/** Authenticates every record; its memory is one record. */
export async function scanLog(with_: Sealing, file: ReadHandle, base: HeadFile): Promise<LogState> {
  const id = await readLogHeader(with_.master, file, 'deltas.log');
  if (Buffer.compare(id, base.logId) !== 0) throw damaged('deltas.log', 'it is not the one the head names');
  let state: LogState = { sequence: base.sequence, end: LOG_HEADER_BYTES, entries: 0, head: base.base };
  for await (const record of readRecords(with_.master, file, base.logId, base.sequence + 1)) {
    const { bundles, newHead } = decodeDelta(record.body);
    const entries = bundles.reduce((sum, bundle) => sum + bundle.count, state.entries);
    state = { sequence: record.sequence, end: record.end, entries, head: newHead };
  }
  return state;
}

/** One consistent view; its files stay readable after a rebuild removed their names. */
export class OpenList implements LoadedList {
  readonly origin: string;
  readonly base: ListHead;
  readonly head: ListHead;
  readonly sequence: number;
  readonly rowCount: number;
  readonly hashBytes: number;
  readonly bucketBits: number;
  readonly pending: { readonly entries: number; readonly bytes: number };
  readonly #with: Sealing;
  readonly #file: HeadFile;
  readonly #segment: SegmentReader;
  readonly #log: ReadHandle;

  constructor(with_: Sealing, file: HeadFile, segment: SegmentReader, log: ReadHandle, state: LogState) {
    this.#with = with_;
    this.#file = file;
    this.#segment = segment;
    this.#log = log;
    this.origin = file.origin;
    this.base = file.base;
    this.head = state.head;
    this.sequence = state.sequence;
    this.rowCount = file.segment.rowCount;
    this.hashBytes = file.segment.hashBytes;
    this.bucketBits = file.segment.bucketBits;
    this.pending = { entries: state.entries, bytes: state.end - LOG_HEADER_BYTES };
  }

  static async open(with_: Sealing, directory: string, file: HeadFile): Promise<OpenList> {
    const base = `${directory}/${file.directory}`;
    const segment = await SegmentReader.open(with_, base, file.segment);
    try {
      const log = await with_.disk.open(`${base}/deltas.log`);
      try {
        return new OpenList(with_, file, segment, log, await scanLog(with_, log, file));
      } catch (cause) {
        await log.close();
        throw cause;
      }
    } catch (cause) {
      await segment.close();
      throw cause;
    }
  }

  /** The same list with newer statements in its head. */
  withStatements(freshness: Uint8Array, liveness: Uint8Array): OpenList {
    const state = { sequence: this.sequence, end: this.pending.bytes + LOG_HEADER_BYTES };
    const head = { ...this.head, freshness, liveness };
    return new OpenList(this.#with, this.#file, this.#segment, this.#log, {
      ...state,
      entries: this.pending.entries,
      head,
    });
  }

  get wantsRebuild(): boolean {
    return this.pending.entries > REBUILD_ENTRIES || this.pending.bytes > REBUILD_BYTES;
  }

  keys(): Promise<Uint8Array> {
    return this.#segment.keys();
  }

  keyPieces(): AsyncIterable<Uint8Array> {
    return this.#segment.keyPieces();
  }

  rows(): Promise<RowTable> {
    return this.#segment.rows();
  }

  pieces(): AsyncIterable<Uint8Array> {
    return this.#segment.pieces();
  }

  buckets(): AsyncIterable<Uint8Array> {
    return this.#segment.buckets();
  }

  leafHashes(): AsyncIterable<Uint8Array> {
    return this.#segment.leafHashes();
  }

  /** Up to this view's sequence: what was committed later belongs to a later view. */
  async *deltas(): AsyncGenerator<StoredBundle> {
    const { sequence, logId } = this.#file;
    if (this.sequence === sequence) return;
    for await (const record of readRecords(this.#with.master, this.#log, logId, sequence + 1)) {
      yield* decodeDelta(record.body).bundles;
      if (record.sequence === this.sequence) return;
    }
    throw damaged('deltas.log', 'it changed while it was read');
  }

  async close(): Promise<void> {
    await this.#segment.close();
    await this.#log.close();
  }
}

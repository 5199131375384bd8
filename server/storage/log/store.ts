/** The log store: reading and committing, one method each, over the parts in this folder. */
import { CompactRange, HashfedError } from '../../../sdk/core/index.js';
import { concatBytes } from '../codec.js';
import { retry, type StorageDeps } from '../deps.js';
import { checkAborted, damaged } from '../failure.js';
import { KeyReader, rangeOf } from '../keys.js';
import { TILE_HASHES } from '../limits.js';
import type {
  Bundle,
  CommitPart,
  DocumentPut,
  Head,
  LogStore,
  NodeReader,
  ReadOptions,
  Segment,
  Stager,
} from '../types.js';
import { join, segmentBundles, trim } from './bundles.js';
import { commitParts } from './commit.js';
import { eraseLeaves } from './erase.js';
import { TileNodes } from './nodes.js';
import { LogReader } from './reader.js';
import { decodeHead, encodeHead, headKey, type Link, SegmentState, tileKey } from './records.js';
import { SegmentStager, type StagerBase } from './stager.js';
import { lastLeafOf, partialTiles } from './tiles.js';

/** Tiles of leaf hashes joined into one piece: 256 KiB. */
const TILES_PER_PIECE = 32;

export class LogRepository implements LogStore {
  readonly #deps: StorageDeps;
  readonly reader: LogReader;

  constructor(deps: StorageDeps) {
    this.#deps = deps;
    this.reader = new LogReader(deps);
  }

  async head(origin: string): Promise<Head | undefined> {
    return (await this.reader.head(origin))?.head;
  }

  async *heads(): AsyncGenerator<Head> {
    for await (const { key, value } of this.#deps.kernel.scan(rangeOf('head'))) {
      yield decodeHead(new KeyReader(key).name(), value);
    }
  }

  async stage(origin: string, after?: string): Promise<Stager> {
    const base = after === undefined ? await this.#headBase(origin) : await this.#segmentBase(origin, after);
    return SegmentStager.open(this.#deps, origin, base);
  }

  async segment(id: string): Promise<Segment | undefined> {
    const row = (await this.reader.segment(id))?.row;
    if (!row || row.state === SegmentState.open || row.state === SegmentState.dropped) return undefined;
    const { state, ...segment } = row;
    return segment;
  }

  async *readSegment(id: string, signal?: AbortSignal): AsyncGenerator<Bundle> {
    const segment = await this.segment(id);
    if (!segment) throw new HashfedError('NOT_FOUND', 'no such finished segment');
    const { from, to } = segment;
    yield* join(segmentBundles(this.#deps, id, { from, to, signal }), signal);
  }

  commit(parts: readonly CommitPart[], documents: readonly DocumentPut[] = []): Promise<readonly Head[]> {
    return commitParts(this.reader, parts, documents);
  }

  async replaceNotes(
    current: Head,
    change: Partial<Pick<Head, 'note' | 'anchor' | 'state'>>,
  ): Promise<Head | undefined> {
    const found = await this.reader.head(current.origin);
    if (found?.head.revision !== current.revision) return undefined;
    const head = { ...found.head, ...change, revision: current.revision + 1 };
    const key = headKey(head.origin);
    const done = await this.#deps.kernel.transact({
      checks: [{ key, value: found.raw }],
      puts: [{ key, value: encodeHead(head) }],
    });
    return done ? head : undefined;
  }

  async *read(origin: string, options: ReadOptions): AsyncGenerator<Bundle> {
    await this.#checkRange(origin, options);
    yield* join(this.#bundles(origin, options), options.signal);
  }

  async *readLeafHashes(origin: string, options: ReadOptions): AsyncGenerator<Bundle> {
    await this.#checkRange(origin, options);
    const { from, to, signal } = options;
    const step = TILE_HASHES * TILES_PER_PIECE;
    for (let first = from; first < to; ) {
      checkAborted(signal);
      const end = Math.min(to, (Math.floor(first / step) + 1) * step);
      yield { first, count: end - first, bytes: await this.#leafHashes(origin, first, end) };
      first = end;
    }
  }

  nodes(origin: string): NodeReader {
    return new TileNodes(this.reader, origin);
  }

  erase(origin: string, indexes: readonly number[], signal?: AbortSignal): Promise<number> {
    return eraseLeaves(this.reader, origin, indexes, signal);
  }

  async #checkRange(origin: string, { from, to, signal }: ReadOptions): Promise<void> {
    checkAborted(signal);
    const { size } = await this.reader.need(origin);
    if (to > size) throw new HashfedError('SIZE_AHEAD', 'the list is not that long here', { origin });
    if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from < 0 || from > to) {
      throw new HashfedError('MALFORMED', 'not a range of indexes', { field: 'from', origin });
    }
  }

  async *#bundles(origin: string, { from, to, signal }: ReadOptions): AsyncGenerator<Bundle> {
    for await (const link of this.reader.links(origin, from, to)) {
      const range = { from: Math.max(from, link.from), to: Math.min(to, link.to), signal };
      for await (const bundle of segmentBundles(this.#deps, link.segment, range))
        yield trim(bundle, from, to);
    }
  }

  /** Tiles in one read; one that a commit superseded meanwhile is looked up by itself. */
  async #leafHashes(origin: string, from: number, to: number): Promise<Uint8Array> {
    const { size } = await this.reader.need(origin);
    const start = Math.floor(from / TILE_HASHES);
    const keys: Uint8Array[] = [];
    let link: Link | undefined;
    for (let tile = start; tile * TILE_HASHES < to; tile += 1) {
      const last = lastLeafOf(0, tile, size);
      if (!link || last >= link.to) link = await this.reader.linkAt(origin, last);
      keys.push(tileKey(link.segment, 0, tile));
    }
    const tiles = await this.#deps.kernel.getMany(keys);
    for (const [i, hashes] of tiles.entries()) {
      const want = Math.min(size - (start + i) * TILE_HASHES, TILE_HASHES) * 32;
      if (hashes?.length !== want) tiles[i] = await this.reader.tile(origin, 0, start + i);
    }
    const skip = start * TILE_HASHES;
    return concatBytes(tiles.map((hashes) => hashes!)).subarray((from - skip) * 32, (to - skip) * 32);
  }

  /** What a segment at the head continues; read again when a commit comes between. */
  #headBase(origin: string): Promise<StagerBase> {
    return retry(async () => {
      const head = await this.head(origin);
      if (!head) return { range: CompactRange.empty(this.#deps.sha), edges: [] };
      const { segment } = await this.reader.linkAt(origin, head.size - 1);
      const edges = await this.#edges(segment, head.size);
      if (edges) return { range: CompactRange.from(this.#deps.sha, head.size, head.compactRange), edges };
      const now = await this.reader.need(origin);
      return now.size === head.size ? damaged('tile', 'is missing') : undefined;
    });
  }

  async #segmentBase(origin: string, id: string): Promise<StagerBase> {
    const segment = await this.segment(id);
    if (segment?.origin !== origin)
      throw new HashfedError('NOT_FOUND', 'no such finished segment of this list', { origin });
    const edges = await this.#edges(id, segment.to);
    if (!edges)
      throw new HashfedError('OLD_SIZE_MISMATCH', 'another commit came first', { field: 'size', origin });
    return { range: CompactRange.from(this.#deps.sha, segment.to, segment.compactRange), edges };
  }

  async #edges(segment: string, size: number): Promise<StagerBase['edges'] | undefined> {
    const tiles = partialTiles(size);
    const values = await this.#deps.kernel.getMany(
      tiles.map(({ level, index }) => tileKey(segment, level, index)),
    );
    const fits = values.every((value, i) => value?.length === tiles[i]!.count * 32);
    if (!fits) return undefined;
    return tiles.map(({ level, index }, i) => ({ level, index, hashes: values[i]! }));
  }
}

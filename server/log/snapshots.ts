import { GetSnapshotIndexResponse, PullSnapshotResponse } from '../../proto/gen/hashfed/v1/list.js';
import {
  concat,
  encodeHolds,
  foldPlan,
  HashfedError,
  type ListState,
  malformed,
  planInclusion,
  readU32,
  writeU32,
} from '../../sdk/core/index.js';
import type { Head, PartsIndex, PartsKey } from '../storage/index.js';
import { anchorSizeOf } from './anchors.js';
import type { Engine } from './engine.js';
import { replayTo } from './resident.js';
import { snapshotPieces, trimPiece } from './snapshot-pieces.js';

/** A new snapshot is made once the log has grown by this part of the last one's size: its cost then stays in proportion. */
const GROWTH = 4;
/** Pieces of 256 KiB that wait for the store together. */
const PIECES_AT_ONCE = 32;
/** The one before stays for those who are reading it. */
const KEPT = 2;
/** `encodeHolds` begins with a count that the message does not carry. */
const HOLDS_COUNT_BYTES = 4;

/**
 * Snapshots of lists at anchors, cut into messages and kept in the store. Part 0 is the index without statements,
 * the others are messages; the description holds the first bucket of each.
 */
export class Snapshots {
  readonly #engine: Engine;
  readonly #making = new Map<string, Promise<PartsIndex>>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Makes one where the newest anchor is the committed state and the last one is far behind. */
  async refresh(origin: string): Promise<void> {
    const head = this.#engine.lists.get(origin)?.head;
    if (head === undefined || anchorSizeOf(head) !== head.size || origin.includes('/events/')) return;
    const newest = (await this.#versions(origin)).at(-1);
    if (newest === undefined || head.size - newest.version > newest.version / GROWTH)
      await this.#make(origin);
  }

  /** The newest of at most `maxSize` leaves (0: any). Throws NOT_FOUND where there is no anchor yet. */
  async index(origin: string, maxSize: number): Promise<Omit<GetSnapshotIndexResponse, 'checkpoint'>> {
    const kept = await this.#versions(origin);
    const limit = maxSize === 0 ? Number.POSITIVE_INFINITY : maxSize;
    const found = kept.findLast(({ version }) => version <= limit) ?? (await this.#makeWithin(origin, limit));
    const part = await this.#engine.storage.parts.part(found, 0);
    if (part === undefined) throw notFound(origin);
    return GetSnapshotIndexResponse.decode(part);
  }

  async #makeWithin(origin: string, limit: number): Promise<PartsIndex> {
    const anchor = anchorSizeOf(this.#engine.lists.committed(origin).head);
    if (anchor === undefined || anchor > limit || origin.includes('/events/')) throw notFound(origin);
    return this.#make(origin);
  }

  /** The messages of buckets [from, to) of a snapshot that `index` named; `to` 0 for all. */
  async *pull(
    origin: string,
    range: { readonly size: number; readonly from: number; readonly to: number },
    signal: AbortSignal,
  ): AsyncGenerator<PullSnapshotResponse> {
    const key = keyOf(origin, range.size);
    const index = await this.#engine.storage.parts.index(key);
    if (index === undefined) throw notFound(origin);
    const to = range.to === 0 ? Number.POSITIVE_INFINITY : range.to;
    if (range.from >= to) malformed('from_bucket', 'is not below to_bucket');
    for await (const { bytes } of this.#engine.storage.parts.parts(
      key,
      firstPart(index, range.from),
      signal,
    )) {
      const piece = PullSnapshotResponse.decode(bytes);
      if (piece.firstBucket >= to) return;
      const trimmed = trimPiece(piece, range.from, to);
      if (trimmed !== undefined) yield trimmed;
    }
  }

  #versions(origin: string): Promise<readonly PartsIndex[]> {
    return this.#engine.storage.parts.versions('snapshot', origin);
  }

  /** One at a time for each list. Publishing waits: the state must not move while it is written down. */
  #make(origin: string): Promise<PartsIndex> {
    const running = this.#making.get(origin);
    if (running !== undefined) return running;
    const making = this.#engine.turns
      .run(() => this.#makeNow(origin))
      .finally(() => this.#making.delete(origin));
    this.#making.set(origin, making);
    return making;
  }

  async #makeNow(origin: string): Promise<PartsIndex> {
    const { head, state } = this.#engine.lists.committed(origin);
    const size = anchorSizeOf(head);
    if (size === undefined) throw notFound(origin);
    const { parts } = this.#engine.storage;
    const key = keyOf(origin, size);
    const held = await parts.index(key);
    if (held !== undefined) return held;
    const source = size === head.size ? state : await replayTo(this.#engine, head, size);
    const { firsts, totalBytes } = await this.#putPieces(key, source);
    const description = await this.#describe(head, source, size, totalBytes);
    await parts.putPart(key, 0, GetSnapshotIndexResponse.encode(description).finish());
    const made = await parts.complete(key, firsts.length, packU32(firsts));
    this.#engine.log.info('snapshot.made', { origin, size, bytes: totalBytes });
    await this.#dropOld(origin);
    return made;
  }

  /** Several pieces are under way at once: the store writes what waits together, with one sync. */
  async #putPieces(key: PartsKey, source: ListState): Promise<{ firsts: number[]; totalBytes: number }> {
    const firsts: number[] = [0];
    let totalBytes = 0;
    let writing: Promise<void>[] = [];
    for (const piece of snapshotPieces(source)) {
      totalBytes += piece.rows.length;
      const number = firsts.push(piece.firstBucket) - 1;
      writing.push(
        this.#engine.storage.parts.putPart(key, number, PullSnapshotResponse.encode(piece).finish()),
      );
      if (writing.length < PIECES_AT_ONCE) continue;
      await Promise.all(writing);
      writing = [];
    }
    await Promise.all(writing);
    return { firsts, totalBytes };
  }

  async #describe(
    head: Head,
    state: ListState,
    size: number,
    totalBytes: number,
  ): Promise<GetSnapshotIndexResponse> {
    const { origin } = head;
    const nodes = this.#engine.storage.logs.nodes(origin);
    const plan = planInclusion(size - 1, size);
    const path = foldPlan(this.#engine.suite.sha256, plan, await nodes.load(plan));
    const edge: Uint8Array[] = [];
    for (const { level, index } of completeSubtrees(size)) edge.push(await nodes.node(level, index));
    return {
      origin,
      size: BigInt(size),
      anchorNote: head.anchor,
      checkpoint: undefined,
      sealLeaf: await this.#leafAt(origin, size - 1),
      sealPath: concat(...path),
      compactRange: concat(...edge),
      bucketDigests: state.bucketDigests().slice(),
      holds: encodeHolds(state.head.holds).subarray(HOLDS_COUNT_BYTES),
      totalBytes: BigInt(totalBytes),
    };
  }

  async #leafAt(origin: string, index: number): Promise<Uint8Array> {
    for await (const { bytes } of this.#engine.storage.logs.read(origin, { from: index, to: index + 1 }))
      return bytes.slice(2);
    throw new HashfedError('STORAGE_FAILED', 'the stored log has no seal at its end', { origin });
  }

  async #dropOld(origin: string): Promise<void> {
    for (const old of (await this.#versions(origin)).slice(0, -KEPT))
      await this.#engine.storage.parts.drop(old);
  }
}

function keyOf(origin: string, size: number): PartsKey {
  return { space: 'snapshot', name: origin, version: size };
}

function notFound(origin: string): HashfedError {
  return new HashfedError('NOT_FOUND', 'there is no snapshot of that size; ask for the index again', {
    origin,
  });
}

/** The last part that begins at or before a bucket, or the first of those that share one. */
function firstPart({ body }: PartsIndex, bucket: number): number {
  let part = 1;
  for (let at = 4; at < body.length && readU32(body, at) < bucket; at += 4) part = at / 4;
  return Math.max(1, part);
}

function packU32(numbers: readonly number[]): Uint8Array {
  const out = new Uint8Array(4 * numbers.length);
  numbers.forEach((value, i) => {
    writeU32(out, 4 * i, value);
  });
  return out;
}

/** Complete subtrees that make up a tree of `size` leaves, largest first. */
function* completeSubtrees(size: number): Generator<{ level: number; index: number }> {
  let done = 0;
  for (let level = 52; level >= 0; level -= 1) {
    const leaves = 2 ** level;
    if (size - done < leaves) continue;
    yield { level, index: done / leaves };
    done += leaves;
  }
}

/** Writes one segment: bundles and tiles go to the store as they come, the segment record closes them. */
import { createHash } from 'node:crypto';
import { type CompactRange, HashfedError, MAX_U53 } from '../../../sdk/core/index.js';
import { concatBytes, plain } from '../codec.js';
import { deleteRange, freshId, retry, type StorageDeps } from '../deps.js';
import { countFrames, nextFrame } from '../frames.js';
import type { Row } from '../kernel.js';
import { idBytes, rangeOf } from '../keys.js';
import { BUNDLE_TARGET_BYTES, MAX_VALUE_BYTES, STAGE_FLUSH_BYTES } from '../limits.js';
import type { Segment, Stager } from '../types.js';
import {
  bundleKey,
  encodeCounted,
  encodeSegment,
  type SegmentRow,
  SegmentState,
  segmentKey,
  tileKey,
} from './records.js';
import { TileBuilder } from './tiles.js';

export interface StagerBase {
  readonly range: CompactRange;
  /** Partial tiles at the base's end. */
  readonly edges: readonly { level: number; index: number; hashes: Uint8Array }[];
}

export class SegmentStager implements Stager {
  readonly #deps: StorageDeps;
  readonly #opened: SegmentRow;
  readonly #openedRaw: Uint8Array;
  readonly #range: CompactRange;
  readonly #tiles: TileBuilder;
  readonly #digest = createHash('sha256');
  #puts: Row[] = [];
  #bytes = 0;
  #writing: Promise<unknown> = Promise.resolve();
  /** What the store holds under the segment's key: nothing before the first write. */
  #stored: Uint8Array | null = null;
  /** Whole frames that do not fill a bundle yet. */
  #rest: Uint8Array = new Uint8Array(0);
  #done = false;

  private constructor(deps: StorageDeps, opened: SegmentRow, base: StagerBase) {
    this.#deps = deps;
    this.#opened = opened;
    this.#openedRaw = encodeSegment(opened);
    this.#range = base.range.clone();
    this.#tiles = new TileBuilder((level, index, hashes) =>
      this.#put(tileKey(opened.id, level, index), hashes.slice()),
    );
    for (const { level, index, hashes } of base.edges) this.#tiles.seed(level, index, hashes);
  }

  static open(deps: StorageDeps, origin: string, base: StagerBase): Promise<SegmentStager> {
    const { size, hashes } = base.range;
    const fromRoot = base.range.root();
    return retry(async () => {
      const row: SegmentRow = {
        id: freshId(deps),
        origin,
        state: SegmentState.open,
        from: size,
        to: size,
        fromRoot,
        root: fromRoot,
        compactRange: hashes,
        digest: new Uint8Array(32),
        createdMs: deps.clock.nowMs(),
      };
      const taken = await deps.kernel.get(segmentKey(row.id));
      return taken ? undefined : new SegmentStager(deps, row, base);
    });
  }

  async append(bytes: Uint8Array): Promise<void> {
    this.#need(bytes.length <= MAX_VALUE_BYTES, 'at most 4 MiB are appended in one call');
    countFrames(bytes);
    const all = this.#rest.length === 0 ? plain(bytes) : concatBytes([this.#rest, bytes]);
    let [start, count] = [0, 0];
    for (let at = 0; at < all.length; ) {
      at = nextFrame(all, at);
      count += 1;
      if (at - start < BUNDLE_TARGET_BYTES) continue;
      this.#bundle(all.subarray(start, at), count);
      [start, count] = [at, 0];
    }
    this.#rest = all.slice(start);
    if (this.#bytes >= STAGE_FLUSH_BYTES) await this.#flush();
  }

  async finish(): Promise<Segment> {
    this.#need(
      this.#range.size > this.#opened.from || this.#rest.length > 0,
      'a segment has at least one leaf',
    );
    if (this.#rest.length > 0) this.#bundleRest();
    this.#tiles.finish();
    this.#done = true;
    const finished: SegmentRow = {
      ...this.#opened,
      state: SegmentState.finished,
      to: this.#range.size,
      root: this.#range.root(),
      compactRange: this.#range.hashes,
      digest: plain(this.#digest.digest()),
    };
    await this.#writing;
    await this.#write(this.#puts, finished);
    const { state, ...segment } = finished;
    return segment;
  }

  async abort(): Promise<void> {
    this.#done = true;
    await this.#writing.catch(() => undefined);
    await dropSegment(this.#deps, this.#opened.id);
  }

  #bundleRest(): void {
    this.#bundle(this.#rest, countFrames(this.#rest));
  }

  #bundle(bytes: Uint8Array, count: number): void {
    const first = this.#range.size;
    this.#need(first + count < MAX_U53, 'the log would reach 2^53 leaves');
    this.#digest.update(bytes);
    this.#put(bundleKey(this.#opened.id, first), encodeCounted(count, bytes));
    this.#range.append(this.#deps.sha.hashLeaves(bytes, count), this.#tiles.sink);
  }

  #put(key: Uint8Array, value: Uint8Array): void {
    this.#puts.push({ key, value });
    this.#bytes += value.length;
  }

  /** Hands what is gathered to the store and waits for the batch before: one is in flight at most. */
  async #flush(): Promise<void> {
    const puts = this.#puts;
    [this.#puts, this.#bytes] = [[], 0];
    await this.#writing;
    this.#writing = this.#write(puts);
    this.#writing.catch(() => undefined);
  }

  /** The first write also makes the record, so that a sweep finds what is left; the last one closes it. */
  async #write(puts: readonly Row[], finished?: SegmentRow): Promise<void> {
    const key = segmentKey(this.#opened.id);
    const value = finished ? encodeSegment(finished) : this.#openedRaw;
    const checks = [{ key, value: this.#stored }];
    if (!(await this.#deps.kernel.transact({ checks, puts: [...puts, { key, value }] }))) {
      throw new HashfedError('NOT_FOUND', 'the staged segment was dropped', { origin: this.#opened.origin });
    }
    this.#stored = value;
  }

  #need(holds: boolean, why: string): void {
    if (this.#done) throw new HashfedError('USAGE', 'the stager is closed');
    if (!holds) throw new HashfedError('MALFORMED', why, { field: 'bundle' });
  }
}

/** Gives a segment's bytes back unless it is committed (then false). Cut off, a sweep goes on with it. */
export async function dropSegment(
  { kernel }: StorageDeps,
  id: string,
  signal?: AbortSignal,
): Promise<boolean> {
  const key = segmentKey(id);
  const raw = await kernel.get(key);
  if (!raw) return true;
  if (raw[0] === SegmentState.committed) return false;
  const dropped = raw.slice();
  dropped[0] = SegmentState.dropped;
  if (!(await kernel.transact({ checks: [{ key, value: raw }], puts: [{ key, value: dropped }] })))
    return false;
  for (const table of ['bundle', 'tile'] as const)
    await deleteRange(kernel, rangeOf(table, idBytes(id)), signal);
  return kernel.transact({ checks: [{ key, value: dropped }], deletes: [key] });
}

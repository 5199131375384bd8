/** Prepared batches, and the sweep that gives unusable staged bytes back. */
import { HashfedError, malformed, PREPARED_KEEP_MS } from '../../sdk/core/index.js';
import { ValueReader, ValueWriter } from './codec.js';
import { freshId, retry, type StorageDeps } from './deps.js';
import { checkAborted } from './failure.js';
import { idBytes, KeyReader, keyOf, rangeOf } from './keys.js';
import { MAX_BODY_PART_BYTES, UNFINISHED_KEEP_MS } from './limits.js';
import { decodeSegment, dropSegment, type LogReader, SegmentState, segmentKey } from './log/index.js';
import { page } from './paging.js';
import type { Page, PageOptions, PreparedBatch, PreparedStore } from './types.js';

const preparedKey = (id: string): Uint8Array => keyOf('prepared', idBytes(id));
const idOf = (key: Uint8Array): string => Buffer.from(new KeyReader(key).bytes(16)).toString('hex');

function encode({ createdMs, segments, body, hidden }: PreparedBatch): Uint8Array {
  const writer = new ValueWriter()
    .u8(hidden ? 1 : 0)
    .u64(createdMs)
    .u32(segments.length);
  for (const id of segments) writer.fixed(idBytes(id));
  return writer.blob(body).finish();
}

function decode(id: string, bytes: Uint8Array): PreparedBatch {
  const r = new ValueReader(bytes, 'prepared');
  const hidden = r.u8() === 1;
  const createdMs = r.u64();
  const segments = Array.from({ length: r.u32() }, () => Buffer.from(r.fixed(16)).toString('hex'));
  const batch = { id, createdMs, segments, body: r.blob(), hidden };
  r.end();
  return batch;
}

export class PreparedRepository implements PreparedStore {
  readonly #deps: StorageDeps;
  readonly #reader: LogReader;

  constructor(deps: StorageDeps, reader: LogReader) {
    this.#deps = deps;
    this.#reader = reader;
  }

  async put(segments: readonly string[], body: Uint8Array): Promise<PreparedBatch> {
    if (body.length > MAX_BODY_PART_BYTES) malformed('body', 'is over 1 MiB');
    const rows = await Promise.all(segments.map((id) => this.#reader.segment(id)));
    if (rows.length === 0 || rows.some((found) => found?.row.state !== SegmentState.finished)) {
      throw new HashfedError('NOT_FOUND', 'no such finished segment');
    }
    if (new Set(rows.map((found) => found!.row.origin)).size !== rows.length)
      malformed('segments', 'share an origin');
    const createdMs = this.#deps.clock.nowMs();
    const checks = segments.map((segment, i) => ({ key: segmentKey(segment), value: rows[i]!.raw }));
    return retry(async () => {
      const batch = { id: freshId(this.#deps), createdMs, segments: [...segments], body, hidden: false };
      const key = preparedKey(batch.id);
      const puts = [{ key, value: encode(batch) }];
      return (await this.#deps.kernel.transact({ checks: [...checks, { key, value: null }], puts }))
        ? batch
        : undefined;
    });
  }

  async get(id: string): Promise<PreparedBatch | undefined> {
    const bytes = await this.#deps.kernel.get(preparedKey(id));
    return bytes && decode(id, bytes);
  }

  list(options: PageOptions = {}): Promise<Page<PreparedBatch>> {
    return page(this.#deps.kernel, rangeOf('prepared'), options, ({ key, value }) =>
      decode(idOf(key), value),
    );
  }

  hide(id: string): Promise<boolean> {
    const key = preparedKey(id);
    return retry(async () => {
      const value = await this.#deps.kernel.get(key);
      if (!value) return false;
      const puts = [{ key, value: encode({ ...decode(id, value), hidden: true }) }];
      return (await this.#deps.kernel.transact({ checks: [{ key, value }], puts })) || undefined;
    });
  }

  async sweep(signal?: AbortSignal): Promise<number> {
    let dropped = 0;
    for (const id of await this.#dead(signal)) {
      checkAborted(signal);
      if (await dropSegment(this.#deps, id, signal)) dropped += 1;
    }
    await this.#sweepBatches();
    return dropped;
  }

  /** Ids of segments that no commit can use any more. */
  async #dead(signal?: AbortSignal): Promise<string[]> {
    const now = this.#deps.clock.nowMs();
    const dead: string[] = [];
    const sizes = new Map<string, number>();
    for await (const { key, value } of this.#deps.kernel.scan({
      ...rangeOf('segment'),
      ...(signal && { signal }),
    })) {
      const row = decodeSegment(idOf(key), value);
      if (row.state === SegmentState.committed) continue;
      const size = sizes.get(row.origin) ?? (await this.#reader.head(row.origin))?.head.size ?? 0;
      sizes.set(row.origin, size);
      const keep = row.state === SegmentState.open ? UNFINISHED_KEEP_MS : PREPARED_KEEP_MS;
      const old = now - row.createdMs > keep;
      if (old || size > row.from || row.state === SegmentState.dropped) dead.push(row.id);
    }
    return dead;
  }

  /** Batches that can no longer be committed: one of their segments is gone. Committed ones go after 30 days. */
  async #sweepBatches(): Promise<void> {
    const now = this.#deps.clock.nowMs();
    const deletes: Uint8Array[] = [];
    for await (const { key, value } of this.#deps.kernel.scan(rangeOf('prepared'))) {
      const batch = decode(idOf(key), value);
      const rows = await Promise.all(batch.segments.map((id) => this.#reader.segment(id)));
      if (now - batch.createdMs > PREPARED_KEEP_MS || rows.some((found) => !found)) deletes.push(key);
    }
    if (deletes.length > 0) await this.#deps.kernel.transact({ deletes });
  }
}

import { equalBytes, HashfedError, malformed } from '../../sdk/core/index.js';
import type { Head, PreparedBatch, Segment } from '../storage/index.js';
import type { Engine } from './engine.js';
import { openBatches } from './open-batches.js';

/** Resource names of prepared batches begin with it. */
export const BATCH_PREFIX = 'batches/';

/** A batch by its resource name. Throws NOT_FOUND, also for a hidden one. */
export async function findBatch(engine: Pick<Engine, 'storage'>, name: string): Promise<PreparedBatch> {
  const id = name.startsWith(BATCH_PREFIX) ? name.slice(BATCH_PREFIX.length) : '';
  const batch = /^[0-9a-f]{32}$/.test(id) ? await engine.storage.prepared.get(id) : undefined;
  if (batch === undefined || batch.hidden)
    throw new HashfedError('NOT_FOUND', 'no such prepared batch', { field: 'batch' });
  return batch;
}

/** The uncommitted segments of one origin up to and including those of a prepared batch, in order. */
export async function chainOf(engine: Engine, name: string, origin: string): Promise<Segment[]> {
  const batch = await findBatch(engine, name);
  const found = await segmentsOf(engine, batch);
  const last = found.find((segment) => segment.origin === origin);
  if (last === undefined) return malformed('extends', 'the prepared batch does not hold this list');
  return completeChain(engine, last);
}

export async function segmentsOf(engine: Pick<Engine, 'storage'>, batch: PreparedBatch): Promise<Segment[]> {
  return Promise.all(
    batch.segments.map(async (id) => {
      const segment = await engine.storage.logs.segment(id);
      if (segment === undefined)
        throw new HashfedError('OLD_SIZE_MISMATCH', 'the batch was passed by another; prepare it again');
      return segment;
    }),
  );
}

/** Goes back from a segment to the committed size through other prepared segments. Throws OLD_SIZE_MISMATCH. */
export async function completeChain(engine: Engine, last: Segment): Promise<Segment[]> {
  const committed = engine.lists.get(last.origin)?.head?.size ?? 0;
  const chain = [last];
  const candidates = last.from === committed ? [] : await preparedSegments(engine, last.origin);
  for (let first = last; first.from !== committed; ) {
    const before = candidates.find(
      (one) => one.to === first.from && Buffer.from(one.root).equals(first.fromRoot),
    );
    if (before === undefined || first.from < committed) {
      throw new HashfedError('OLD_SIZE_MISMATCH', 'the list has moved on; prepare the batch again', {
        origin: last.origin,
      });
    }
    chain.unshift(before);
    first = before;
  }
  return chain;
}

async function preparedSegments(engine: Engine, origin: string): Promise<Segment[]> {
  const all = await Promise.all(
    (await openBatches(engine)).map((batch) => segmentsOf(engine, batch).catch(() => [])),
  );
  return all.flat().filter((segment) => segment.origin === origin);
}

/** Each segment was written behind certain entries; a list that has moved on has others there. */
export function requireContinues(chain: readonly Segment[], head: Head | undefined): void {
  let before = head === undefined ? undefined : { size: head.size, root: head.root };
  for (const { origin, from, fromRoot, to, root } of chain) {
    const fits =
      before === undefined ? from === 0 : from === before.size && equalBytes(fromRoot, before.root);
    if (!fits)
      throw new HashfedError(
        'OLD_SIZE_MISMATCH',
        'the upload continues another state of the list; upload again',
        {
          origin,
        },
      );
    before = { size: to, root };
  }
}

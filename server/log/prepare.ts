import {
  type PrepareBatchRequest,
  PreparedBatch as PreparedBatchMessage,
  type PreparedRange,
} from '../../proto/gen/hashfed/v1/publish.js';
import {
  type AnchorCounts,
  checkTail,
  HashfedError,
  isRootExpired,
  malformed,
  type StagedRange,
} from '../../sdk/core/index.js';
import type { PreparedBatch, Segment } from '../storage/index.js';
import { anchorSizeOf } from './anchors.js';
import { BATCH_PREFIX, chainOf, requireContinues } from './chains.js';
import { changeCounts, noCounts } from './counts.js';
import type { Engine } from './engine.js';
import { judgeSegments } from './judge.js';
import { openBatches } from './open-batches.js';
import type { PublishRights } from './rights.js';
import { findUpload } from './uploads.js';

const MAX_ITEMS = 256;

/** Checks uploads of one or more lists and fixes them as one batch. Every refusal that log rules know happens here. */
export async function prepareBatch(
  engine: Engine,
  caller: PublishRights,
  request: PrepareBatchRequest,
  signal?: AbortSignal,
): Promise<PreparedBatchMessage> {
  return engine.turns.run(() => prepareNow(engine, caller, request, signal));
}

async function prepareNow(
  engine: Engine,
  caller: PublishRights,
  request: PrepareBatchRequest,
  signal?: AbortSignal,
): Promise<PreparedBatchMessage> {
  signal?.throwIfAborted();
  if (request.requestId.length !== 16) malformed('request_id', 'is required: 16 random bytes');
  if (request.items.length === 0 || request.items.length > MAX_ITEMS)
    malformed('items', `needs 1 to ${MAX_ITEMS}`);
  const repeated = await answeredBefore(engine, caller, request);
  if (repeated !== undefined) return repeated;
  const segments: Segment[] = [];
  const ranges: PreparedRange[] = [];
  for (const item of request.items) {
    const segment = await findUpload(engine, item.upload);
    caller.requirePublisherOf(segment.origin);
    requireValidRoot(engine, segment.origin);
    if (segments.some((other) => other.origin === segment.origin)) malformed('items', 'name one list twice');
    const before = item.extends === '' ? [] : await chainOf(engine, item.extends, segment.origin);
    ranges.push(await judgeItem(engine, [...before, segment], signal));
    segments.push(segment);
  }
  ranges.sort((a, b) => (a.origin < b.origin ? -1 : 1));
  const body: PreparedBatchMessage = { name: '', preparedMs: BigInt(engine.clock.nowMs()), ranges };
  const ids = segments.map((segment) => segment.id);
  const stored = await engine.storage.prepared.put(ids, PreparedBatchMessage.encode(body).finish());
  return { ...body, name: `${BATCH_PREFIX}${stored.id}` };
}

/** What is signed under an expired root no client would take. Throws STALE, UNKNOWN_ORIGIN, GENERATION_CLOSED. */
function requireValidRoot({ roots, clock }: Engine, origin: string): void {
  if (isRootExpired(roots.of(origin), clock.nowMs()))
    throw new HashfedError('STALE', 'the publisher root has expired; hand in its next version first', {
      origin,
    });
}

/** The same uploads as an open batch of this caller: the answer that was given for them. */
async function answeredBefore(
  engine: Engine,
  caller: PublishRights,
  request: PrepareBatchRequest,
): Promise<PreparedBatchMessage | undefined> {
  const wanted = request.items
    .map((item) => item.upload.replace('uploads/', ''))
    .sort()
    .join();
  for (const batch of await openBatches(engine)) {
    if ([...batch.segments].sort().join() !== wanted) continue;
    const message = describe(batch);
    for (const range of message.ranges) caller.requirePublisherOf(range.origin);
    return message;
  }
  return undefined;
}

export function describe(batch: PreparedBatch): PreparedBatchMessage {
  return { ...PreparedBatchMessage.decode(batch.body), name: `${BATCH_PREFIX}${batch.id}` };
}

async function judgeItem(
  engine: Engine,
  chain: readonly Segment[],
  signal?: AbortSignal,
): Promise<PreparedRange> {
  const last = chain.at(-1)!;
  const list = engine.lists.ensure(last.origin);
  requireContinues(chain, list.head);
  const anchorSize = anchorSizeOf(list.head);
  const judged = await judgeSegments(engine, list, chain, anchorSize, signal);
  try {
    return describeRange(engine, last, judged.range, judged.sinceAnchor);
  } finally {
    judged.staging.discard();
  }
}

function describeRange(
  engine: Engine,
  segment: Segment,
  range: StagedRange,
  since: AnchorCounts | undefined,
): PreparedRange {
  const setCount = range.head.seal?.setCount ?? 0;
  return {
    origin: segment.origin,
    from: BigInt(segment.from),
    fromRoot: segment.fromRoot,
    to: BigInt(segment.to),
    root: segment.root,
    entriesSha256: segment.digest,
    counts: changeCounts(range.countsSince(segment.from), setCount),
    sinceAnchor: since === undefined ? noCounts(setCount) : changeCounts(since, setCount),
    anchorSetCount: BigInt(since?.anchorSetCount ?? 0),
    twoKeys: needsTwoKeys(engine, segment.origin, since),
  };
}

/** True where the limit for one key is passed; always without an anchor. */
export function needsTwoKeys(
  engine: Pick<Engine, 'roots'>,
  origin: string,
  since: AnchorCounts | undefined,
): boolean {
  if (since === undefined) return true;
  try {
    checkTail(engine.roots.settings(origin), since);
    return false;
  } catch (error) {
    if (error instanceof HashfedError && error.code === 'THRESHOLD_NOT_MET') return true;
    throw error;
  }
}

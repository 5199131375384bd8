import type {
  CommitBatchRequest,
  CommitBatchResponse,
  CommitReceipt,
} from '../../proto/gen/hashfed/v1/publish.js';
import {
  checkTail,
  encodeStateHead,
  equalBytes,
  HashfedError,
  MAX_NOTE_BYTES,
  malformed,
  requireTwoKeys,
  type VerifiedCheckpoint,
  verifyCheckpoint,
} from '../../sdk/core/index.js';
import type { CommitPart, Head, Segment } from '../storage/index.js';
import { anchorSizeOf } from './anchors.js';
import { completeChain, findBatch, segmentsOf } from './chains.js';
import type { Engine } from './engine.js';
import { type Judged, judgeSegments } from './judge.js';
import { notePublished } from './resident.js';
import type { PublishRights } from './rights.js';
import { isServed, mergeServed, receiptOf } from './served.js';

/** One list of a commit, judged and ready to be linked. */
interface Ready {
  readonly part: CommitPart;
  readonly checkpoint: VerifiedCheckpoint;
  readonly judged: Judged;
}

/**
 * Commits all lists of a prepared batch in one transaction, or merges signature lines into notes that are already
 * served. What was stored is read and hashed again before anything becomes visible. Idempotent by note body.
 * Throws OLD_SIZE_MISMATCH, THRESHOLD_NOT_MET, BAD_SIGNATURE, ROOT_MISMATCH, EQUIVOCATION (one size signed with two
 * roots) and all that preparing throws.
 */
export function commitBatch(
  engine: Engine,
  caller: PublishRights,
  request: CommitBatchRequest,
  signal?: AbortSignal,
): Promise<CommitBatchResponse> {
  return engine.turns.run(() => commitNow(engine, caller, request, signal));
}

async function commitNow(
  engine: Engine,
  caller: PublishRights,
  request: CommitBatchRequest,
  signal?: AbortSignal,
): Promise<CommitBatchResponse> {
  signal?.throwIfAborted();
  const notes = verifyNotes(engine, caller, request);
  const served: VerifiedCheckpoint[] = [];
  for (const one of notes.values()) if (await isServed(engine, one)) served.push(one);
  const receipts: CommitReceipt[] = [];
  for (const one of served) receipts.push(await mergeServed(engine, one));
  if (served.length === notes.size) return { receipts, complete: true };
  for (const { origin } of served) notes.delete(origin);
  const batch = await findBatch(engine, request.batch);
  const all = await segmentsOf(engine, batch);
  const segments = all.filter((segment) => notes.has(segment.origin));
  if (segments.length !== notes.size) malformed('notes', 'name a list that the batch does not hold');
  const complete = segments.length + served.length >= all.length;
  if (!complete && !request.partial)
    malformed('notes', 'are missing for some lists; set partial to commit fewer');
  const ready = await makeReady(engine, segments, notes, signal);
  return { receipts: [...receipts, ...(await link(engine, ready))], complete };
}

function verifyNotes(
  engine: Engine,
  caller: PublishRights,
  request: CommitBatchRequest,
): Map<string, VerifiedCheckpoint> {
  const nowMs = engine.clock.nowMs();
  const notes = new Map<string, VerifiedCheckpoint>();
  for (const { origin, note } of request.notes) {
    caller.requirePublisherOf(origin);
    if (note.length > MAX_NOTE_BYTES) malformed('notes', `hold a note over ${MAX_NOTE_BYTES} bytes`);
    if (notes.has(origin)) malformed('notes', 'name one list twice');
    notes.set(origin, verifyCheckpoint(engine.suite, engine.roots.policy(origin), note, { nowMs }));
  }
  if (notes.size === 0) malformed('notes', 'are empty');
  return notes;
}

async function makeReady(
  engine: Engine,
  segments: readonly Segment[],
  notes: ReadonlyMap<string, VerifiedCheckpoint>,
  signal: AbortSignal | undefined,
): Promise<Ready[]> {
  const ready: Ready[] = [];
  try {
    for (const segment of segments)
      ready.push(await readyOne(engine, segment, notes.get(segment.origin)!, signal));
    return ready;
  } catch (error) {
    for (const { judged } of ready) judged.staging.discard();
    throw error;
  }
}

async function readyOne(
  engine: Engine,
  segment: Segment,
  checkpoint: VerifiedCheckpoint,
  signal: AbortSignal | undefined,
): Promise<Ready> {
  const { origin } = segment;
  const list = engine.lists.ensure(origin);
  const chain = await completeChain(engine, segment);
  const judged = await judgeSegments(
    engine,
    list,
    chain,
    checkpoint.twoKey ? undefined : anchorSizeOf(list.head),
    signal,
  );
  try {
    checkTree(judged, checkpoint);
    if (!checkpoint.twoKey) requireOneKeyEnough(engine, checkpoint, judged);
  } catch (error) {
    judged.staging.discard();
    throw error;
  }
  const part: CommitPart = {
    origin,
    segments: chain.map(({ id }) => id),
    size: checkpoint.size,
    root: checkpoint.root,
    note: checkpoint.note,
    anchor: checkpoint.twoKey ? checkpoint.note : (list.head?.anchor ?? new Uint8Array()),
    state: encodeStateHead(judged.range.head),
  };
  return { part, checkpoint, judged };
}

function checkTree({ tree }: Judged, { size, root, origin }: VerifiedCheckpoint): void {
  if (tree.size !== size)
    throw new HashfedError('OLD_SIZE_MISMATCH', 'the note is of another size than the batch', { origin });
  if (!equalBytes(tree.root(), root))
    throw new HashfedError('ROOT_MISMATCH', 'the note is of another root than the batch', { origin });
}

function requireOneKeyEnough(engine: Engine, checkpoint: VerifiedCheckpoint, { sinceAnchor }: Judged): void {
  if (sinceAnchor === undefined) requireTwoKeys(checkpoint);
  else checkTail(engine.roots.settings(checkpoint.origin), sinceAnchor);
}

/** A HOLD is the emergency brake: whoever runs the server should see it. */
function noteHolds({ log }: Engine, { range }: Judged): void {
  const { fromSize, head } = range;
  const count = head.counts.held.filter(({ index }) => index >= fromSize).length;
  if (count > 0) log.warn('commit.hold', { origin: head.origin, count });
}

/** The one step that makes a batch visible; the resident sets follow only once it is durable. */
async function link(engine: Engine, ready: readonly Ready[]): Promise<CommitReceipt[]> {
  const documents = ready.map(({ part, judged }) =>
    engine.withdrawn.documents(part.origin, judged.withdrawn),
  );
  let heads: readonly Head[];
  try {
    heads = await engine.storage.logs.commit(
      ready.map(({ part }) => part),
      documents.flat(),
    );
  } catch (error) {
    for (const { judged } of ready) judged.staging.discard();
    throw error;
  }
  const receipts = ready.map(({ judged, checkpoint }, i) => {
    const list = engine.lists.ensure(checkpoint.origin);
    judged.staging.commit();
    list.head = heads[i]!;
    notePublished(list, judged.range.seals);
    noteHolds(engine, judged);
    if (checkpoint.twoKey) list.state.forgetBelow(checkpoint.size);
    engine.withdrawn.remember(checkpoint.origin, judged.withdrawn, documents[i]!);
    return receiptOf(engine, checkpoint, heads[i]!.note, checkpoint.twoKey);
  });
  for (const { checkpoint } of ready) engine.lists.changed(checkpoint.origin);
  return receipts;
}

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
import { type Judged, judgeSegments } from './judge.js';
import { mergeNotes } from './merge-notes.js';
import { completeChain, type Engine, findBatch, segmentsOf } from './prepare.js';
import type { PublishRights } from './rights.js';

/** One list of a commit, judged and ready to be linked. */
interface Ready {
  readonly part: CommitPart;
  readonly checkpoint: VerifiedCheckpoint;
  readonly judged: Judged;
}

/**
 * Commits all lists of a prepared batch in one transaction, or merges signature lines into notes that are already
 * served. What was stored is read and hashed again before anything becomes visible. Idempotent by note body.
 * Throws OLD_SIZE_MISMATCH, THRESHOLD_NOT_MET, BAD_SIGNATURE, ROOT_MISMATCH and all that preparing throws.
 */
export async function commitBatch(
  engine: Engine,
  caller: PublishRights,
  request: CommitBatchRequest,
): Promise<CommitBatchResponse> {
  const notes = verifyNotes(engine, caller, request);
  const served = [...notes.values()].filter((one) => isServed(engine, one));
  if (served.length === notes.size) return mergeAll(engine, served);
  if (served.length > 0)
    throw new HashfedError('OLD_SIZE_MISMATCH', 'some of the lists are committed already, others are not');
  const batch = await findBatch(engine, request.batch);
  const segments = (await segmentsOf(engine, batch)).filter((segment) => notes.has(segment.origin));
  if (segments.length !== notes.size) malformed('notes', 'name a list that the batch does not hold');
  const complete = segments.length === batch.segments.length;
  if (!complete && !request.partial)
    malformed('notes', 'are missing for some lists; set partial to commit fewer');
  const ready = await makeReady(engine, segments, notes);
  return { receipts: await link(engine, ready), complete };
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

function isServed(engine: Engine, { origin, size, root }: VerifiedCheckpoint): boolean {
  const head = engine.lists.get(origin)?.head;
  return head !== undefined && head.size === size && equalBytes(head.root, root);
}

async function makeReady(
  engine: Engine,
  segments: readonly Segment[],
  notes: ReadonlyMap<string, VerifiedCheckpoint>,
): Promise<Ready[]> {
  const ready: Ready[] = [];
  try {
    for (const segment of segments) ready.push(await readyOne(engine, segment, notes.get(segment.origin)!));
    return ready;
  } catch (error) {
    for (const { judged } of ready) judged.staging.discard();
    throw error;
  }
}

async function readyOne(engine: Engine, segment: Segment, checkpoint: VerifiedCheckpoint): Promise<Ready> {
  const { origin } = segment;
  const list = engine.lists.ensure(origin);
  const chain = await completeChain(engine, segment);
  const judged = await judgeSegments(
    engine,
    list,
    chain,
    checkpoint.twoKey ? undefined : anchorSizeOf(list.head),
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

/** The one step that makes a batch visible; the resident sets follow only once it is durable. */
async function link(engine: Engine, ready: readonly Ready[]): Promise<CommitReceipt[]> {
  let heads: readonly Head[];
  try {
    heads = await engine.storage.logs.commit(ready.map(({ part }) => part));
  } catch (error) {
    for (const { judged } of ready) judged.staging.discard();
    throw error;
  }
  const receipts = ready.map(({ judged, checkpoint }, i) => {
    judged.staging.commit();
    engine.lists.ensure(checkpoint.origin).head = heads[i]!;
    return receipt(engine, checkpoint, heads[i]!);
  });
  for (const { checkpoint } of ready) engine.lists.changed(checkpoint.origin);
  return receipts;
}

function receipt(engine: Engine, checkpoint: VerifiedCheckpoint, head: Head): CommitReceipt {
  return {
    head: { origin: head.origin, size: BigInt(head.size), root: head.root },
    noteBodySha256: engine.suite.sha256.digest(checkpoint.body),
    note: head.note,
    committedMs: BigInt(engine.clock.nowMs()),
    anchor: equalBytes(head.note, head.anchor),
  };
}

/** A note for what is served already: new valid lines are added, and it becomes the anchor once two keys stand on it. */
async function mergeAll(engine: Engine, served: readonly VerifiedCheckpoint[]): Promise<CommitBatchResponse> {
  const receipts: CommitReceipt[] = [];
  for (const checkpoint of served) {
    const list = engine.lists.committed(checkpoint.origin);
    const note = mergeNotes(
      engine.suite,
      engine.roots.policy(checkpoint.origin),
      list.head.note,
      checkpoint.note,
    );
    if (!equalBytes(note, list.head.note)) await replaceNote(engine, checkpoint.origin, note);
    receipts.push(receipt(engine, checkpoint, list.head));
  }
  return { receipts, complete: true };
}

async function replaceNote(engine: Engine, origin: string, note: Uint8Array): Promise<void> {
  const list = engine.lists.committed(origin);
  const { twoKey } = verifyCheckpoint(engine.suite, engine.roots.policy(origin), note, {
    nowMs: engine.clock.nowMs(),
  });
  const head = await engine.storage.logs.replaceNotes(list.head, twoKey ? { note, anchor: note } : { note });
  if (head === undefined)
    throw new HashfedError('OLD_SIZE_MISMATCH', 'the list moved on meanwhile; send the note again', {
      origin,
    });
  engine.lists.ensure(origin).head = head;
  engine.lists.changed(origin);
}

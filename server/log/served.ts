import type { CommitReceipt } from '../../proto/gen/hashfed/v1/publish.js';
import {
  equalBytes,
  foldPlan,
  HashfedError,
  planConsistency,
  type VerifiedCheckpoint,
  verifyCheckpoint,
  verifyConsistency,
} from '../../sdk/core/index.js';
import type { Head } from '../storage/index.js';
import { anchorSizeOf } from './anchors.js';
import type { Engine } from './engine.js';
import { mergeNotes } from './merge-notes.js';

/**
 * True where the checkpoint is the committed state or an earlier one. Throws EQUIVOCATION where the publisher's key
 * signed another root for the committed size, OLD_SIZE_MISMATCH where the log took another way.
 */
export async function isServed(
  engine: Engine,
  { origin, size, root, note }: VerifiedCheckpoint,
): Promise<boolean> {
  const head = engine.lists.get(origin)?.head;
  if (head === undefined || size > head.size) return false;
  if (size === head.size) {
    if (equalBytes(head.root, root)) return true;
    engine.log.error('commit.equivocation', { origin, size });
    const evidence = [head.note, note];
    throw new HashfedError('EQUIVOCATION', 'another root was signed and committed for this size', {
      origin,
      evidence,
    });
  }
  if (await isPrefix(engine, head, size, root)) return true;
  throw new HashfedError('OLD_SIZE_MISMATCH', 'the list has moved on another way; prepare the batch again', {
    origin,
  });
}

async function isPrefix(engine: Engine, head: Head, size: number, root: Uint8Array): Promise<boolean> {
  const plan = planConsistency(size, head.size);
  const proof = foldPlan(engine.suite.sha256, plan, await engine.storage.logs.nodes(head.origin).load(plan));
  try {
    verifyConsistency(engine.suite.sha256, {
      from: size,
      fromRoot: root,
      to: head.size,
      toRoot: head.root,
      proof,
    });
    return true;
  } catch (error) {
    if (error instanceof HashfedError && error.code === 'ROOT_MISMATCH') return false;
    throw error;
  }
}

/**
 * A note for what is committed already: its valid lines are added to the newest note, or, where it is of an earlier
 * size and two keys stand on it, it becomes the anchor. An anchor never goes back.
 */
export async function mergeServed(engine: Engine, checkpoint: VerifiedCheckpoint): Promise<CommitReceipt> {
  const { head } = engine.lists.committed(checkpoint.origin);
  if (checkpoint.size < head.size) return mergeOlder(engine, checkpoint, head);
  const policy = engine.roots.policy(checkpoint.origin);
  const note = mergeNotes(engine.suite, policy, head.note, checkpoint.note);
  const { twoKey } = verifyCheckpoint(engine.suite, policy, note, { nowMs: engine.clock.nowMs() });
  if (!equalBytes(note, head.note)) await replace(engine, head, twoKey ? { note, anchor: note } : { note });
  return receiptOf(engine, checkpoint, note, twoKey);
}

async function mergeOlder(
  engine: Engine,
  checkpoint: VerifiedCheckpoint,
  head: Head,
): Promise<CommitReceipt> {
  const later = checkpoint.size > (anchorSizeOf(head) ?? 0);
  const marked = engine.lists.committed(checkpoint.origin).state.counts.at(checkpoint.size) !== undefined;
  const adopted = checkpoint.twoKey && later && marked;
  if (adopted) await replace(engine, head, { anchor: checkpoint.note });
  return receiptOf(engine, checkpoint, checkpoint.note, adopted);
}

async function replace(
  engine: Engine,
  current: Head,
  change: Partial<Pick<Head, 'note' | 'anchor'>>,
): Promise<void> {
  const { origin } = current;
  const head = await engine.storage.logs.replaceNotes(current, change);
  if (head === undefined)
    throw new HashfedError('OLD_SIZE_MISMATCH', 'the list moved on meanwhile; send the note again', {
      origin,
    });
  const list = engine.lists.ensure(origin);
  list.head = head;
  list.state.forgetBelow(anchorSizeOf(head) ?? 0);
  engine.lists.changed(origin);
}

/** `note` is as served now; `anchor` says whether it is the newest anchor. */
export function receiptOf(
  engine: Engine,
  { origin, size, root, body }: VerifiedCheckpoint,
  note: Uint8Array,
  anchor: boolean,
): CommitReceipt {
  return {
    head: { origin, size: BigInt(size), root },
    noteBodySha256: engine.suite.sha256.digest(body),
    note,
    committedMs: BigInt(engine.clock.nowMs()),
    anchor,
  };
}

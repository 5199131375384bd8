import {
  type CompactRange,
  equalBytes,
  HashfedError,
  type IsPrefix,
  keysFor,
  ListState,
  parseOrigin,
  requireTwoKeys,
  type Staging,
  type TreeState,
  type VerifiedCheckpoint,
  verifyCheckpoint,
} from '../../../sdk/core/index.js';
import { callUnary } from '../../../sdk/rpc/index.js';
import { PublishServiceService } from '../../../sdk/rpc/services/publish.js';
import { CALL_MS } from './limits.js';
import type { Workstation } from './open.js';
import { pullEntries } from './pull.js';
import { TreeWalk } from './tree-walk.js';
import { noteWithdrawals } from './withdrawn.js';

/** One own list as the server holds it, replayed and verified here against the publisher's own keys. */
export interface Replica {
  readonly origin: string;
  readonly state: ListState;
  /** Of the whole tree; MUST NOT be changed. */
  readonly tree: CompactRange;
  /** Undefined while nothing is committed. */
  readonly checkpoint: VerifiedCheckpoint | undefined;
  /** The newest two-key checkpoint, proven a prefix by this replay; undefined while there is none. */
  readonly anchor: VerifiedCheckpoint | undefined;
  /** Compact ranges at the sizes that were asked for. */
  readonly at: ReadonlyMap<number, CompactRange>;
}

/** Told how far a replay is: entries done, of all. */
export type OnEntries = (done: number, total: number) => void;

/**
 * Pulls and replays a list. `sizes` are earlier sizes at which the tree is wanted, those above the list are left out.
 * Throws what verifying throws: BAD_SIGNATURE, ROOT_MISMATCH, PUBLISHER_INVALID, MISSING_ENTRY, UPGRADE_REQUIRED.
 */
export async function pullReplica(
  station: Workstation,
  origin: string,
  sizes: readonly number[] = [],
  onEntries?: OnEntries,
): Promise<Replica> {
  const { checkpoint, anchor, lastGood } = await fetchNotes(station, origin);
  const size = checkpoint?.size ?? 0;
  const state = ListState.empty(parseOrigin(origin), station.suite.sha256);
  const walk = new TreeWalk(
    station.suite.sha256,
    [...sizes, 0, anchor?.size ?? 0, ...lastGood.map((one) => one.size)].filter((one) => one <= size),
  );
  const staging = state.stage();
  try {
    await replay(station, state, size, staging, walk, onEntries);
    if (checkpoint !== undefined) {
      requireSame(walk.tree, checkpoint, origin);
      staging.finish();
      staging.commit();
      await station.withdrawn.save();
    }
  } finally {
    staging.discard();
  }
  if (anchor !== undefined) requireSame(walk.at.get(anchor.size), anchor, origin);
  for (const state of lastGood) requireSame(walk.at.get(state.size), state, origin);
  return { origin, state, tree: walk.tree, checkpoint, anchor, at: walk.at };
}

async function replay(
  station: Workstation,
  state: ListState,
  size: number,
  staging: Staging,
  walk: TreeWalk,
  onEntries: OnEntries | undefined,
): Promise<void> {
  for await (const { bundle, count, first } of pullEntries(station, state.origin.text, 0, size)) {
    walk.append(bundle, count);
    noteWithdrawals(station.withdrawn, state, staging, bundle);
    staging.append(bundle, first);
    onEntries?.(first + count, size);
  }
}

function requireSame(tree: CompactRange | undefined, head: TreeState, origin: string): void {
  if (tree !== undefined && tree.size === head.size && equalBytes(tree.root(), head.root)) return;
  throw new HashfedError('ROOT_MISMATCH', 'the served entries do not make the signed root', { origin });
}

interface Notes {
  readonly checkpoint: VerifiedCheckpoint | undefined;
  readonly anchor: VerifiedCheckpoint | undefined;
  /** Last good states of former keys that were counted: the replay MUST pass through each of them. */
  readonly lastGood: readonly TreeState[];
}

/** Newest note and anchor, under our own keys. Cosigners are for readers; a publisher trusts its own root. */
async function fetchNotes(station: Workstation, origin: string): Promise<Notes> {
  const { channel, clock, root, signal, suite } = station;
  const answer = await callUnary(
    channel,
    PublishServiceService.getPublishState,
    { origin },
    { deadlineMs: CALL_MS, signal },
  );
  const { note, anchorNote } = answer.checkpoint ?? { note: new Uint8Array(), anchorNote: new Uint8Array() };
  const policy = { keys: keysFor(root, origin), cosigners: { keys: [], needed: 0 } };
  const lastGood: TreeState[] = [];
  const isPrefix: IsPrefix = (_state, last) => {
    lastGood.push(last);
    return true;
  };
  const moment = { nowMs: clock.nowMs(), isPrefix };
  const verify = (bytes: Uint8Array) => verifyCheckpoint(suite, policy, bytes, moment);
  const checkpoint = note.length === 0 ? undefined : verify(note);
  const anchor = anchorNote.length === 0 ? undefined : verify(anchorNote);
  if (anchor !== undefined) requireTwoKeys(anchor);
  return { checkpoint, anchor, lastGood };
}

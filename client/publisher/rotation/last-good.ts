import {
  CompactRange,
  equalBytes,
  HashfedError,
  keysFor,
  type TreeState,
  verifyCheckpoint,
} from '../../../sdk/core/index.js';
import { callUnary } from '../../../sdk/rpc/index.js';
import { PublishServiceService } from '../../../sdk/rpc/services/publish.js';
import { loadOwnHeads } from '../liveness/index.js';
import { pullReplica, type Workstation } from '../workstation/index.js';

const CALL_MS = 30_000;

/** Where a list stands for a hand-over. */
export interface LastGood {
  readonly state: TreeState;
  /** Whether two keys stand on exactly this state. */
  readonly twoKeys: boolean;
}

export interface LastGoodOptions {
  /** Entries above ours, under our key and on top of ours, are taken over: a thief's, or another desk's. */
  readonly adopt?: boolean;
  /** Lists that end: what we hold ourselves counts, whatever the server shows. */
  readonly close?: readonly string[];
}

/**
 * By origin: the newest state, which MUST be ours. Our own record and what the server shows have to agree; where there
 * is no own record, what the server shows is taken. Throws EQUIVOCATION, ROLLBACK, SIGNER_BEHIND where they differ.
 */
export async function lastGoodStates(
  station: Workstation,
  { adopt = false, close = [] }: LastGoodOptions = {},
): Promise<Map<string, LastGood>> {
  const own = await loadOwnHeads(station.paths.records);
  const states = new Map<string, LastGood>();
  for (const origin of station.root.origins.keys()) {
    const held = own.get(origin);
    if (held !== undefined && close.includes(origin)) {
      states.set(origin, stateOf(station, origin, held.note));
      continue;
    }
    const shown = await shownState(station, origin);
    if (held !== undefined && adopt && shown.state.size > held.size)
      await requireOnTop(station, origin, held);
    else if (held !== undefined) requireOurs(origin, held, shown.state);
    states.set(origin, shown);
  }
  return states;
}

async function shownState(station: Workstation, origin: string): Promise<LastGood> {
  const { channel, signal, suite } = station;
  const limits = { deadlineMs: CALL_MS, signal };
  const { checkpoint } = await callUnary(channel, PublishServiceService.getPublishState, { origin }, limits);
  const note = checkpoint?.note ?? new Uint8Array();
  if (note.length === 0)
    return { state: { size: 0, root: CompactRange.empty(suite.sha256).root() }, twoKeys: true };
  return stateOf(station, origin, note);
}

function stateOf({ clock, root, suite }: Workstation, origin: string, note: Uint8Array): LastGood {
  const policy = { keys: keysFor(root, origin), cosigners: { keys: [], needed: 0 } };
  const { size, root: treeRoot, twoKey } = verifyCheckpoint(suite, policy, note, { nowMs: clock.nowMs() });
  return { state: { size, root: treeRoot }, twoKeys: twoKey };
}

/** Replays the served list through our own head. Throws EQUIVOCATION where it does not pass there. */
async function requireOnTop(station: Workstation, origin: string, held: TreeState): Promise<void> {
  const { at } = await pullReplica(station, origin, [held.size]);
  const tree = at.get(held.size);
  if (tree !== undefined && equalBytes(tree.root(), held.root)) return;
  throw new HashfedError('EQUIVOCATION', 'the longer history that the server shows does not contain ours', {
    origin,
  });
}

function requireOurs(origin: string, held: TreeState, shown: TreeState): void {
  if (shown.size === held.size && equalBytes(shown.root, held.root)) return;
  const [code, why] =
    shown.size < held.size
      ? (['ROLLBACK', 'the server shows an older state than we handed in'] as const)
      : shown.size > held.size
        ? (['SIGNER_BEHIND', 'the server shows more than this desk handed in'] as const)
        : (['EQUIVOCATION', 'the server shows another history of our size'] as const);
  throw new HashfedError(code, `${why}; run hashfed watch-own, settle that first`, { origin });
}

/**
 * Keys that sign lists leave only where two keys stand on the newest state: then every later anchor is proven from
 * there. Throws THRESHOLD_NOT_MET.
 */
export function requireApproved(states: ReadonlyMap<string, LastGood>, origins: Iterable<string>): void {
  for (const origin of origins) {
    if (states.get(origin)?.twoKeys !== false) continue;
    const why =
      'the newest note has one key; have it countersigned first (hashfed batch countersign), or publish with two keys';
    throw new HashfedError('THRESHOLD_NOT_MET', why, { origin });
  }
}

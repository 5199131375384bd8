import {
  equalBytes,
  foldPlan,
  HashfedError,
  keysFor,
  planConsistency,
  type TreeState,
  verifyCheckpoint,
  verifyConsistency,
} from '../../sdk/core/index.js';
import { NO_COSIGNERS, type Offer } from '../../sdk/sync/index.js';
import type { Engine, ResidentList } from '../log/index.js';
import type { Head } from '../storage/index.js';

/** A two-key note and what it says. */
export interface AnchorNote extends TreeState {
  readonly note: Uint8Array;
}

/**
 * The anchor in force at what is offered: the checkpoint itself, the one served, or the one carried. One above the
 * entries held is proven with the entries; one below them, by the mirror's own tree. Throws `THRESHOLD_NOT_MET`.
 */
export async function anchorFor(engine: Engine, list: ResidentList, offer: Offer): Promise<AnchorNote> {
  const { checkpoint, anchor } = offer;
  if (checkpoint.twoKey) return checkpoint;
  const held = heldAnchor(engine, list, offer);
  if (anchor !== undefined && anchor.size > (held?.size ?? 0)) {
    const { head } = list;
    if (head === undefined || anchor.size > head.size) return anchor;
    if (list.state.counts.at(anchor.size) !== undefined && (await isOwnPrefix(engine, head, anchor)))
      return anchor;
  }
  if (held !== undefined) return held;
  throw new HashfedError('THRESHOLD_NOT_MET', 'no checkpoint with two keys is held or served', {
    origin: list.origin,
  });
}

/** A newer root may have dropped the keys that made it an anchor. */
function heldAnchor({ suite, clock }: Engine, { origin, head }: ResidentList, { root }: Offer) {
  if (head === undefined || head.anchor.length === 0) return undefined;
  const policy = { keys: keysFor(root, origin), cosigners: NO_COSIGNERS };
  try {
    const again = verifyCheckpoint(suite, policy, head.anchor, { nowMs: clock.nowMs() });
    return again.twoKey ? again : undefined;
  } catch (error) {
    if (error instanceof HashfedError) return undefined;
    throw error;
  }
}

/** Whether a state is an earlier one of the carried log. Throws `EQUIVOCATION` for another root of its size. */
export async function isOwnPrefix(engine: Engine, head: Head, state: AnchorNote): Promise<boolean> {
  const { origin } = head;
  if (state.size === head.size) {
    if (equalBytes(state.root, head.root)) return true;
    const evidence = [head.note, state.note];
    throw new HashfedError('EQUIVOCATION', 'two roots of one size', { origin, evidence });
  }
  if (state.size > head.size || state.size === 0) return false;
  const plan = planConsistency(state.size, head.size);
  const proof = foldPlan(engine.suite.sha256, plan, await engine.storage.logs.nodes(origin).load(plan));
  const claim = { from: state.size, fromRoot: state.root, to: head.size, toRoot: head.root, proof };
  try {
    verifyConsistency(engine.suite.sha256, claim);
    return true;
  } catch (error) {
    if (error instanceof HashfedError && error.code === 'ROOT_MISMATCH') return false;
    throw error;
  }
}

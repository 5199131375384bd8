import { equalBytes, HashfedError, keysFor, verifyCheckpoint } from '../core/index.js';
import type { Attempt } from './advance.js';
import type { HeldNote } from './held.js';
import { proveContinuity } from './snapshot-pull.js';

/**
 * The largest anchor of what is offered: the checkpoint itself, the one served, or the one held. One that lies above
 * the state held is proven on the way through the entries; one below it, by a consistency proof. Throws
 * `THRESHOLD_NOT_MET` where there is none.
 */
export async function anchorFor(attempt: Attempt): Promise<HeldNote> {
  const { replica, offer } = attempt;
  const { checkpoint, anchor } = offer;
  if (checkpoint.twoKey) return checkpoint;
  const held = heldAnchor(attempt);
  if (anchor !== undefined && anchor.size > (held?.size ?? 0)) {
    if (anchor.size > replica.size) return anchor;
    if (await isLateAnchor(attempt, anchor)) return anchor;
  }
  if (held !== undefined) return held;
  throw new HashfedError('THRESHOLD_NOT_MET', 'no checkpoint with two keys is held or served', {
    origin: replica.origin.text,
  });
}

/** A newer root may have dropped the keys that made it an anchor. */
function heldAnchor({ deps, replica, offer }: Attempt): HeldNote | undefined {
  const held = replica.floor;
  if (held === undefined || held.rootVersion === offer.root.version) return held?.anchor;
  const policy = { keys: keysFor(offer.root, replica.origin.text), cosigners: { keys: [], needed: 0 } };
  try {
    const again = verifyCheckpoint(deps.suite, policy, held.anchor.note, { nowMs: deps.clock.nowMs() });
    return again.twoKey ? held.anchor : undefined;
  } catch (error) {
    if (error instanceof HashfedError) return undefined;
    throw error;
  }
}

/** Below the state held: it must be a prefix, and the counts since then must be known. */
async function isLateAnchor({ deps, replica, offer, options }: Attempt, anchor: HeldNote): Promise<boolean> {
  const { held, state, origin } = replica;
  if (held === undefined || state.counts.at(anchor.size) === undefined) return false;
  if (anchor.size === held.checkpoint.size) {
    if (equalBytes(anchor.root, held.checkpoint.root)) return true;
    const evidence = [held.checkpoint.note, anchor.note];
    throw new HashfedError('EQUIVOCATION', 'two roots of one size', { origin: origin.text, evidence });
  }
  await proveContinuity(deps, offer.source, origin.text, anchor, held.checkpoint, options.signal);
  return true;
}

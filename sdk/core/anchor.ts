/**
 * Anchors and what one key may do above them. A stolen sequencing key alone can change a list only within the
 * limit counted from the last note that two keys signed. docs/spec/signatures.md, "The limit for one key".
 */
import type { AnchorCounts } from './anchor-counts.js';
import { equalBytes } from './bytes.js';
import {
  type CheckpointPolicy,
  type IsPrefix,
  type Moment,
  type VerifiedCheckpoint,
  verifyCheckpoint,
} from './checkpoint-policy.js';
import { HashfedError, malformed } from './errors.js';
import { MAX_HELD_OLD_RECORDS, oneKeyLimit } from './limits.js';
import { verifyConsistency } from './merkle.js';
import type { OriginSettings, TreeState } from './root.js';
import type { Sha256 } from './sha256.js';
import type { Suite } from './suite.js';

/** What was done above the anchor, as far as the limits for one key count it. */
export type TailCounts = Pick<
  AnchorCounts,
  'anchorSize' | 'anchorSetCount' | 'added' | 'readded' | 'amended' | 'withdrawnOld' | 'heldOld' | 'heldTwice'
>;

/** The limit for one key above an anchor with `setCount` records: the general one, or what the root lowers it to. */
export function limitFor(settings: OriginSettings, setCount: number): number {
  if (settings.minSigners === 2) return 0;
  return Math.min(oneKeyLimit(setCount), settings.oneKeyLimit ?? Number.POSITIVE_INFINITY);
}

/**
 * Throws `THRESHOLD_NOT_MET` if the tail needs a second key; without any anchor (size 0) it does, since the first
 * checkpoint of a generation is two-key. SEALs are free, and so is withdrawing what was added above the anchor:
 * undoing must be fast.
 */
export function checkTail(settings: OriginSettings, tail: TailCounts): void {
  const limit = limitFor(settings, tail.anchorSetCount);
  const over = (what: string): never => {
    const origin = settings.origin.text;
    throw new HashfedError('THRESHOLD_NOT_MET', `${what} above the anchor need a second key`, { origin });
  };
  if (tail.anchorSize === 0) {
    throw new HashfedError('THRESHOLD_NOT_MET', 'no checkpoint of this generation has two keys');
  }
  if (tail.added + tail.amended > limit) over(`more than ${limit} additions and amendments`);
  if (tail.withdrawnOld + tail.amended > limit) over(`more than ${limit} withdrawals and amendments`);
  if (tail.heldOld > MAX_HELD_OLD_RECORDS) over(`holds on more than ${MAX_HELD_OLD_RECORDS} old records`);
  if (tail.heldTwice) over('repeated holds on one record');
  if (tail.readded > 0) over('additions of hashes withdrawn as wrong');
}

/** Throws `THRESHOLD_NOT_MET` if going to a new generation removes more than the limit without two keys. */
export function checkSwap(
  settings: OriginSettings,
  setCount: number,
  removed: number,
  twoKey: boolean,
): void {
  if (twoKey || removed <= limitFor(settings, setCount)) return;
  const why = 'the new generation removes more than one key may';
  throw new HashfedError('THRESHOLD_NOT_MET', why, { origin: settings.origin.text });
}

/** A consistency proof for one pair of states. */
export interface PrefixProof {
  readonly from: TreeState;
  readonly to: TreeState;
  readonly hashes: readonly Uint8Array[];
}

/** Throws `ROLLBACK`, `EQUIVOCATION` or, where the proof does not hold, `MALFORMED` or `ROOT_MISMATCH`. */
export function provePrefix(
  sha: Sha256,
  from: TreeState,
  to: TreeState,
  hashes: readonly Uint8Array[],
): void {
  if (to.size < from.size)
    throw new HashfedError('ROLLBACK', 'the log is shorter than a state already known');
  if (to.size === from.size && !equalBytes(from.root, to.root)) {
    throw new HashfedError('EQUIVOCATION', 'two roots of one size');
  }
  verifyConsistency(sha, {
    from: from.size,
    fromRoot: from.root,
    to: to.size,
    toRoot: to.root,
    proof: hashes,
  });
}

/** An `IsPrefix` out of served proofs: each is verified here, one that does not hold proves nothing. */
export function prefixByProofs(sha: Sha256, proofs: readonly PrefixProof[]): IsPrefix {
  const same = (a: TreeState, b: TreeState): boolean => a.size === b.size && equalBytes(a.root, b.root);
  return (state, lastGood) =>
    proofs.some(({ from, to, hashes }) => {
      if (!same(from, state) || !same(to, lastGood)) return false;
      try {
        provePrefix(sha, from, to, hashes);
        return true;
      } catch {
        return false;
      }
    });
}

/** The anchor that came with a checkpoint, its note and the proof that it is a prefix. */
export interface ServedAnchor {
  readonly note: Uint8Array;
  /** Consistency proof from the anchor to the target; empty where they are of one size. */
  readonly proof: readonly Uint8Array[];
}

/**
 * An anchor of `target`: two keys signed it, it is not larger, and it is proven a prefix. Cosigners are asked of
 * the target only. Throws as `verifyCheckpoint` and `provePrefix`, and `THRESHOLD_NOT_MET` for a one-key note.
 */
export function verifyAnchor(
  suite: Suite,
  policy: CheckpointPolicy,
  target: TreeState,
  served: ServedAnchor,
  moment: Moment,
): VerifiedCheckpoint {
  const alone = { keys: policy.keys, cosigners: { keys: policy.cosigners.keys, needed: 0 } };
  const anchor = verifyCheckpoint(suite, alone, served.note, moment);
  requireTwoKeys(anchor);
  if (anchor.size > target.size) malformed('anchor', 'is larger than the checkpoint it came with');
  provePrefix(suite.sha256, anchor, target, served.proof);
  return anchor;
}

export function requireTwoKeys(checkpoint: VerifiedCheckpoint): void {
  if (checkpoint.twoKey) return;
  throw new HashfedError('THRESHOLD_NOT_MET', 'one key alone signed this checkpoint', {
    origin: checkpoint.origin,
  });
}

/** Of proven two-key checkpoints the largest of at most `size` leaves; undefined where there is none. */
export function chooseAnchor(
  proven: readonly VerifiedCheckpoint[],
  size: number,
): VerifiedCheckpoint | undefined {
  const fit = proven.filter((one) => one.twoKey && one.size <= size);
  return fit.reduce<VerifiedCheckpoint | undefined>(
    (best, one) => (best && best.size >= one.size ? best : one),
    undefined,
  );
}

/**
 * Compares a newly verified checkpoint with the one held. Throws `ROLLBACK` (smaller) or `EQUIVOCATION` (same size,
 * other root; both notes as evidence). Returns whether there is something to fetch.
 */
export function compareHeads(held: VerifiedCheckpoint, next: VerifiedCheckpoint): 'same' | 'newer' {
  const evidence = [held.note, next.note];
  if (next.size < held.size) {
    const why = 'an older checkpoint than the one held';
    throw new HashfedError('ROLLBACK', why, { origin: held.origin, evidence });
  }
  if (next.size > held.size) return 'newer';
  if (equalBytes(held.root, next.root)) return 'same';
  throw new HashfedError('EQUIVOCATION', 'two roots of one size', { origin: held.origin, evidence });
}

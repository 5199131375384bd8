import {
  type CompactRange,
  checkTail,
  equalBytes,
  HashfedError,
  type OriginSettings,
  type StagedRange,
  type Staging,
  type TreeState,
} from '../core/index.js';
import type { StoredBundle } from '../store/index.js';
import type { Content } from './stored-content.js';

/** A range that was applied to a fork of a state and verified: tree, SEALs, digest and the limit for one key. */
export interface VerifiedRange {
  readonly staging: Staging;
  readonly range: StagedRange;
  readonly tree: CompactRange;
}

/** Where the range must end, and the anchor it is counted from. */
export interface Goal {
  readonly settings: OriginSettings;
  readonly target: TreeState;
  /** The anchor in force at the target. Where it lies above the state held, its root is checked on the way. */
  readonly anchor: TreeState;
}

/**
 * Applies bundles to a fork of `content` and verifies the result. Throws `ROOT_MISMATCH` where they do not make the
 * signed roots, and what `Staging.finish` and `checkTail` throw. Nothing of `content` has changed then; on success
 * the caller commits or discards the staging.
 */
export class RangeBuilder {
  readonly staging: Staging;
  readonly #content: Content;
  readonly #goal: Goal;
  readonly #tree: CompactRange;

  constructor(content: Content, goal: Goal) {
    this.#content = content;
    this.#goal = goal;
    this.staging = content.state.stage();
    this.#tree = content.tree.clone();
  }

  /** Index of the next entry. */
  get next(): number {
    return this.staging.next;
  }

  add({ firstIndex, count, bytes }: StoredBundle): void {
    this.staging.append(bytes, firstIndex);
    const hashes = this.#content.state.set.sha.hashLeaves(bytes, count);
    const { anchor } = this.#goal;
    const upTo = anchor.size - this.#tree.size;
    if (upTo > 0 && upTo <= count) {
      this.#tree.append(hashes.subarray(0, upTo * 32));
      this.#checkRoot(anchor, 'anchor');
      this.#tree.append(hashes.subarray(upTo * 32));
    } else this.#tree.append(hashes);
  }

  /** Judges the whole range. */
  finish(): VerifiedRange {
    const { target, anchor, settings } = this.#goal;
    this.#checkRoot(target, 'checkpoint');
    const range = this.staging.finish();
    checkTail(settings, this.#countsSince(range, anchor.size));
    return { staging: this.staging, range, tree: this.#tree };
  }

  discard(): void {
    this.staging.discard();
  }

  #checkRoot(signed: TreeState, what: string): void {
    if (this.#tree.size === signed.size && equalBytes(this.#tree.root(), signed.root)) return;
    throw new HashfedError('ROOT_MISMATCH', `the entries do not make the root of the ${what}`, {
      origin: this.#content.state.origin.text,
    });
  }

  /** No counts for an anchor means that it is no SEAL of this list. */
  #countsSince(range: StagedRange, anchorSize: number) {
    try {
      return range.countsSince(anchorSize);
    } catch (error) {
      if (!(error instanceof HashfedError) || error.code !== 'NOT_FOUND') throw error;
      throw new HashfedError('THRESHOLD_NOT_MET', 'no counts can be had for this anchor', {
        origin: this.#content.state.origin.text,
        cause: error,
      });
    }
  }
}

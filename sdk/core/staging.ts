import { type AnchorCounts, anchorCounts } from './anchor-counts.js';
import { forEachLeaf } from './bundle.js';
import { equalBytes } from './bytes.js';
import { setDigest } from './digest.js';
import { findDuplicates } from './duplicates.js';
import { HashfedError, malformed } from './errors.js';
import { holdsAt, holdsPast } from './holds.js';
import { DIGEST_ALG_SHA256, type SealLeaf } from './leaf.js';
import { MAX_BUCKET_BITS } from './limits.js';
import { HASH_TYPES } from './origin.js';
import { LeafReplay } from './replay.js';
import { planSet, planSteps, type SetPlan } from './set-plan.js';
import type { SealResult, StagedRange } from './staged-range.js';
import { StagedSet } from './staged-set.js';
import type { ListState } from './state.js';
import type { HeadSeal, StateHead } from './state-head.js';

/** bucket_bits of a generation whose publisher names none: about 16 records a bucket, and room to grow. */
const LEAST_BUCKET_BITS = 10;
const ZERO_DIGEST = new Uint8Array(32);

export interface StageOptions {
  /** Entries from this index on are passed over. */
  readonly until?: number;
}

/**
 * Leaves applied to a fork of a state. Nothing is visible outside before `commit`. Many may be open at once;
 * after one commits, the others throw `OLD_SIZE_MISMATCH`. Every one MUST end in `commit` or `discard`, or its
 * rows stay taken.
 */
export class Staging {
  /** For audits and tests; others use the methods below. */
  readonly replay: LeafReplay;
  private readonly state: ListState;
  private readonly version: number;
  private readonly numbering: number;
  private plan: { readonly bits: number; readonly changes: number; readonly set: SetPlan } | undefined;
  private finished: StateHead | undefined;
  private closed = false;

  constructor(state: ListState, options: StageOptions = {}) {
    this.state = state;
    this.version = state.set.version;
    this.numbering = state.set.arena.numbering;
    const { type } = state.origin;
    this.replay = new LeafReplay({
      set: new StagedSet(state.set, state.size),
      counts: state.counts.fork(),
      chain: state.chain,
      holds: state.holds,
      hashType: type === 'events' ? 0 : HASH_TYPES[type].number,
      until: options.until ?? Number.POSITIVE_INFINITY,
    });
  }

  /** The index of the next entry. */
  get next(): number {
    return this.replay.set.next;
  }

  /** Where an unknown version, kind or flag stopped the replay, and the size at the last SEAL before it. */
  get stopped(): { readonly index: number; readonly sealedSize: number } | undefined {
    const index = this.replay.stoppedAt;
    if (index === undefined) return undefined;
    const last = this.replay.seals.at(-1);
    return { index, sealedSize: last === undefined ? this.state.size : last.index + 1 };
  }

  /**
   * Applies a checked bundle whose first entry is `firstIndex` = `next`. Total: whatever the leaves say, it
   * throws only `MALFORMED` on framing or a gap, and `OLD_SIZE_MISMATCH` after another fork committed.
   */
  append(bundle: Uint8Array, firstIndex: number): void {
    this.checkOpen();
    if (firstIndex !== this.next) malformed('bundle', 'does not continue what was applied');
    this.finished = undefined;
    forEachLeaf(bundle, (at, length, erased) => this.replay.applyLeaf(bundle, at, length, erased));
  }

  /**
   * The SEAL that closes what was appended. `bucketBits` counts only for the first of a generation. Throws
   * `MISSING_ENTRY` while erased leaves are live, `UPGRADE_REQUIRED` behind an unknown leaf.
   */
  planSeal(timeMs: number, publishId: Uint8Array, bucketBits?: number): SealLeaf {
    this.checkOpen();
    this.checkComplete();
    const { chain, set, holds } = this.replay;
    if (timeMs < chain.maxTimeMs) malformed('time_ms', 'is before that of an earlier seal');
    const events = this.state.origin.type === 'events';
    const bits = events ? 0 : chain.bucketBits >= 0 ? chain.bucketBits : (bucketBits ?? bitsFor(set.live));
    const covered = holdsPast(holds, timeMs);
    const digest = events
      ? ZERO_DIGEST
      : setDigest(this.state.set.sha, bits, this.planned(bits).digests, covered);
    return {
      kind: 'seal',
      timeMs,
      batchNo: chain.count + 1,
      publishId,
      prevSealIndex: chain.prevIndex,
      setCount: set.live,
      digestAlg: DIGEST_ALG_SHA256,
      bucketBits: bits,
      setDigest: digest,
    };
  }

  /**
   * Judges the range at its last SEAL, which must be its last entry. Throws, in this order of precedence,
   * `UPGRADE_REQUIRED`, `NOT_SEALED`, `MISSING_ENTRY`, `PUBLISHER_INVALID`; nothing has changed then.
   */
  finish(): StagedRange {
    this.checkOpen();
    if (this.replay.stoppedAt !== undefined) this.checkComplete();
    const last = this.replay.seals.at(-1);
    if (last === undefined || last.index !== this.next - 1)
      throw new HashfedError('NOT_SEALED', 'list: the range does not end in a seal');
    this.checkComplete();
    if (!last.chainOk || !last.countOk || this.digestOk(last) === false)
      throw new HashfedError('PUBLISHER_INVALID', 'list: the last seal does not match its entries');
    this.finished = this.headAt(last);
    return this.range(this.finished, this.planned(last.leaf.bucketBits));
  }

  /** Makes a finished range the state: O(changes), besides row numbers of the touched buckets. */
  commit(): void {
    this.checkOpen();
    const { finished } = this;
    if (finished === undefined) throw new HashfedError('INTERNAL', 'staging: commit before finish');
    this.settle(finished.holds, finished.seal);
  }

  /** Gives up. Harmless when repeated, or after commit. */
  discard(): void {
    if (this.closed) return;
    this.closed = true;
    if (this.numbering === this.state.set.arena.numbering) this.replay.set.release();
  }

  /** The digest of the last SEAL against its entries; undefined while erased leaves are live. For audits. */
  digestOk(seal: SealResult): boolean | undefined {
    if (!seal.chainOk) return false;
    if (!seal.computable) return undefined;
    if (this.state.origin.type === 'events') return equalBytes(seal.leaf.setDigest, ZERO_DIGEST);
    const { bucketBits, timeMs } = seal.leaf;
    const { digests } = this.planned(bucketBits);
    const holds = holdsAt(this.replay.holds, timeMs);
    return equalBytes(setDigest(this.state.set.sha, bucketBits, digests, holds), seal.leaf.setDigest);
  }

  /** Moves everything into the state, judged or not. For audits, whose states nobody else sees. */
  settle(holds = this.replay.holds as StateHead['holds'], seal?: HeadSeal): void {
    this.checkOpen();
    const plan = this.planned(this.replay.chain.bucketBits);
    this.closed = true;
    this.replay.set.settle();
    this.state.set.apply(plan);
    const { counts, chain } = this.replay;
    this.state.advance({ size: this.next, counts, chain, holds, seal });
  }

  private headAt({ leaf, index }: SealResult): StateHead {
    const { timeMs, batchNo, publishId, setCount, bucketBits, setDigest: digest } = leaf;
    const seal = { index, batchNo, timeMs, publishId, setCount, bucketBits, setDigest: digest };
    const holds = holdsAt(this.replay.holds, timeMs);
    return { origin: this.state.origin.text, size: index + 1, seal, holds, counts: this.replay.counts };
  }

  private range(head: StateHead, plan: SetPlan): StagedRange {
    const { seals, anomalies, erased, set } = this.replay;
    const { arena, order } = this.state.set;
    const after = plan.order ?? order;
    const bucket = (b: number) => plan.touched.get(b) ?? after.bucket(b);
    return {
      fromSize: set.from,
      size: head.size,
      seals,
      anomalies,
      erased,
      head,
      holds: head.holds,
      added: plan.added,
      removed: plan.removed,
      countsSince: (anchorSize) => this.countsSince(anchorSize),
      duplicates: () => findDuplicates(arena, plan.added, after.bits, bucket),
    };
  }

  /** As `StagedRange.countsSince`, before the range is finished. */
  countsSince(anchorSize: number): AnchorCounts {
    const { counts, set } = this.replay;
    const scan = set.scan.bind(set);
    return anchorCounts(counts, this.state.set.arena, scan, anchorSize);
  }

  /** The plan for what was applied so far, computed once; a SEAL does not change the set. */
  private planned(bits: number): SetPlan {
    const { set, seals } = this.replay;
    const changes = set.next - seals.length;
    if (this.plan?.bits === bits && this.plan.changes === changes) return this.plan.set;
    this.plan = { bits, changes, set: planSet(this.state.set, set, bits) };
    return this.plan.set;
  }

  /**
   * Works out in slices what `digestOk` and `finish` need for the last SEAL, so that whoever serves others can do so
   * at each yield. The state MUST NOT change and nothing may be appended until it ends.
   */
  *steps(): Generator<void, void> {
    this.checkOpen();
    const { set, seals } = this.replay;
    const last = seals.at(-1);
    if (last === undefined || !last.chainOk || this.state.origin.type === 'events') return;
    const bits = last.leaf.bucketBits;
    const changes = set.next - seals.length;
    if (this.plan?.bits === bits && this.plan.changes === changes) return;
    this.plan = { bits, changes, set: yield* planSteps(this.state.set, set, bits) };
  }

  private checkOpen(): void {
    if (this.closed) throw new HashfedError('INTERNAL', 'staging: is closed');
    if (this.version !== this.state.set.version)
      throw new HashfedError('OLD_SIZE_MISMATCH', 'staging: the list has moved on');
  }

  private checkComplete(): void {
    if (this.replay.stoppedAt !== undefined)
      throw new HashfedError('UPGRADE_REQUIRED', 'list: holds an entry of a newer format');
    if (this.replay.set.erasedLive > 0)
      throw new HashfedError('MISSING_ENTRY', 'list: an erased entry is not withdrawn');
  }
}

function bitsFor(records: number): number {
  const wanted = Math.ceil(Math.log2(Math.max(1, records) / 16));
  return Math.min(MAX_BUCKET_BITS, Math.max(LEAST_BUCKET_BITS, wanted));
}

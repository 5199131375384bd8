import { readU64 } from './bytes.js';
import { type Hold, holdsPast, readHold } from './holds.js';
import { LEAF_KIND, type SealLeaf } from './leaf.js';
import { readJudged } from './leaf-decode.js';
import { JUDGED, judgeLeaf } from './leaf-judge.js';
import type { RunningCounts } from './running-counts.js';
import { chainAfter, chainFits, inTimeOrder, type SealChain } from './seal-chain.js';
import { AnomalyLog, type SealResult } from './staged-range.js';
import type { StagedSet } from './staged-set.js';

/** What a replay continues from. */
export interface ReplayStart {
  readonly set: StagedSet;
  readonly counts: RunningCounts;
  readonly chain: SealChain;
  readonly holds: readonly Hold[];
  /** The origin's hash_type; 0 for an `events` log. */
  readonly hashType: number;
  /** Entries from this index on are passed over. */
  readonly until: number;
}

/**
 * Applies leaves one by one (docs/spec/list-format.md §4). Total and deterministic: no leaf makes it throw, and
 * whatever does not apply is counted as an anomaly.
 */
export class LeafReplay {
  readonly set: StagedSet;
  readonly counts: RunningCounts;
  readonly anomalies = new AnomalyLog();
  readonly seals: SealResult[] = [];
  chain: SealChain;
  holds: Hold[];
  /** Erased leaves met. */
  erased = 0;
  /** Where an unknown version, kind or flag stopped the replay; nothing behind it applies. */
  stoppedAt: number | undefined;
  private readonly hashType: number;
  private readonly until: number;

  constructor(start: ReplayStart) {
    this.set = start.set;
    this.counts = start.counts;
    this.chain = start.chain;
    this.holds = [...start.holds];
    this.hashType = start.hashType;
    this.until = start.until;
  }

  /** One entry: `b[at, at + length)` is the leaf, or its hash where erased. */
  applyLeaf(b: Uint8Array, at: number, length: number, erased: boolean): void {
    if (this.set.next >= this.until) return;
    const index = this.set.next++;
    if (this.stoppedAt !== undefined) return;
    if (erased) {
      this.applyErased(index);
      return;
    }
    const judged = judgeLeaf(b, at, length);
    if (judged === JUDGED.UPGRADE) this.stoppedAt = index;
    else if (judged === JUDGED.MALFORMED) this.anomalies.note(index, 'malformed');
    else this.applyJudged(b, at, length, index);
  }

  private applyErased(index: number): void {
    this.erased++;
    this.counts.added++;
    this.set.addErased(index);
  }

  private applyJudged(b: Uint8Array, at: number, length: number, index: number): void {
    const kind = b[at + 1]!;
    const isCommit = kind === LEAF_KIND.COMMIT;
    if (kind === LEAF_KIND.SEAL) this.applySeal(b.subarray(at, at + length), index);
    else if (isCommit !== (this.hashType === 0)) this.anomalies.note(index, 'malformed');
    else if (kind === LEAF_KIND.ADD) this.applyAdd(b, at, index);
    else if (kind === LEAF_KIND.HOLD) this.applyHold(b, at, index);
    else if (!isCommit) this.applyToTarget(b, at, kind, index);
  }

  private applyAdd(b: Uint8Array, at: number, index: number): void {
    if (b[at + 11] !== this.hashType) {
      this.anomalies.note(index, 'hash_type');
      return;
    }
    this.counts.added++;
    if (b[at + 2] !== 0) this.counts.readded++;
    this.set.add(b, at, index);
  }

  private applyToTarget(b: Uint8Array, at: number, kind: number, index: number): void {
    const target = readU64(b, at + 11);
    const withdraws = kind === LEAF_KIND.WITHDRAW;
    const done =
      target < index && (withdraws ? this.set.withdraw(target) : this.set.amend(target, b, at, index));
    if (!done) this.anomalies.note(index, 'dead_target');
    else if (withdraws) this.counts.withdraw(target);
    else this.counts.amended++;
  }

  private applyHold(b: Uint8Array, at: number, index: number): void {
    const hold = readHold(b, at, index);
    if (hold.to > index) {
      this.anomalies.note(index, 'malformed');
      return;
    }
    this.holds.push(hold);
    const atMs = Math.max(readU64(b, at + 3), this.chain.maxTimeMs);
    this.counts.held.push({ index, from: hold.from, to: hold.to, atMs });
  }

  private applySeal(bytes: Uint8Array, index: number): void {
    const leaf = readJudged(bytes) as SealLeaf;
    const chainOk = chainFits(this.chain, leaf, this.hashType === 0);
    if (inTimeOrder(this.chain, leaf)) this.holds = holdsPast(this.holds, leaf.timeMs);
    this.chain = chainAfter(this.chain, leaf, index);
    const { live, erasedLive } = this.set;
    const result = { index, leaf, chainOk, countOk: leaf.setCount === live, computable: erasedLive === 0 };
    this.seals.push(result);
    this.counts.mark(index + 1, leaf.timeMs, live);
  }
}

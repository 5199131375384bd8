import type { AnchorCounts } from './anchor-counts.js';
import type { Hold } from './holds.js';
import type { SealLeaf } from './leaf.js';
import type { StateHead } from './state-head.js';

/** Why a leaf counts in the tree and changes nothing. */
export type AnomalyReason = 'malformed' | 'hash_type' | 'dead_target';

export interface Anomaly {
  readonly index: number;
  readonly reason: AnomalyReason;
}

/** Anomalies kept by name; beyond, they are only counted, so that a bad log cannot buy memory. */
const NAMED_ANOMALIES = 1_000;

export class AnomalyLog {
  count = 0;
  readonly first: Anomaly[] = [];

  note(index: number, reason: AnomalyReason): void {
    this.count++;
    if (this.first.length < NAMED_ANOMALIES) this.first.push({ index, reason });
  }
}

/** A well-formed SEAL as it was met. */
export interface SealResult {
  readonly index: number;
  readonly leaf: SealLeaf;
  /** Every field but set_count and set_digest is right. */
  readonly chainOk: boolean;
  readonly countOk: boolean;
  /** False while erased leaves are live: the digest cannot be computed. */
  readonly computable: boolean;
}

/** What a staged range did, judged good at its last SEAL. */
export interface StagedRange {
  readonly fromSize: number;
  readonly size: number;
  readonly seals: readonly SealResult[];
  readonly anomalies: AnomalyLog;
  /** Erased leaves in the range, all withdrawn within it. */
  readonly erased: number;
  /** The head that `commit` makes current. */
  readonly head: StateHead;
  /** The holds in effect at the last SEAL. */
  readonly holds: readonly Hold[];
  /**
   * Rows of the state's arena, sorted by (hash, add_index): live after and not before, and the reverse. An
   * amended record is in both. Readable until the next range commits.
   */
  readonly added: Uint32Array;
  readonly removed: Uint32Array;
  /**
   * Counts above an anchor, for the limit for one key. Throws `NOT_FOUND` if no mark of that size is kept.
   * Valid until commit or discard.
   */
  countsSince(anchorSize: number): AnchorCounts;
  /**
   * add_index of staged records whose (hash, item_id) another live record has too: servers and signers refuse
   * them. Ascending by (hash, add_index).
   */
  duplicates(): number[];
}

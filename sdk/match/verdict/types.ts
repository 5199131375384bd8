import type { HashType } from '../../core/index.js';
import type { Policy } from './policy.js';

/**
 * `none` no match · `allow` matched, and policy or a veto lets it pass · `test` self-test item · `hold` unpublish,
 * show nobody, ask the publisher · `block` quarantine. Ordered: the strongest of an object's matches wins.
 */
export const ACTIONS = ['none', 'allow', 'test', 'hold', 'block'] as const;
export type Action = (typeof ACTIONS)[number];

export type ListPurpose = 'listed' | 'known-good' | 'test';
/**
 * EMPTY: configured, nothing held yet; a verdict of `none` then means little. Ordered: a verdict tells the last of
 * what its lists are, so that a list in which nothing was published yet does not hide one that is out of date.
 */
export const FRESHNESS = ['FRESH', 'EMPTY', 'STALE', 'EXPIRED'] as const;
export type Freshness = (typeof FRESHNESS)[number];

/** One list as it stood when the object was matched. Lists without a match belong here too. */
export interface ListInfo {
  readonly origin: string;
  /** From the hoster's own configuration. */
  readonly purpose: ListPurpose;
  readonly state: Freshness;
  /** Committed size. */
  readonly size: number;
  /** When the list was last FRESH, Unix milliseconds; absent: never. */
  readonly lastFreshMs?: number;
  /** When its first sync was committed here, Unix milliseconds; absent: unknown, as if just now. */
  readonly firstSyncMs?: number;
}

/** An exact hash that the publisher's lists have for an item. */
export interface ItemHash {
  readonly hashType: 'md5' | 'sha1' | 'sha256';
  readonly hash: Uint8Array;
}

/** One record that matched. */
export interface Candidate {
  readonly origin: string;
  readonly hashType: HashType;
  readonly addIndex: number;
  /** 32 hexadecimal digits, lower case. */
  readonly itemId: string;
  readonly scheme: number;
  readonly code: number;
  readonly verifications: number;
  readonly listedMs: number;
  /** When this client committed the record, if that was after its first sync of the list. */
  readonly arrivedMs?: number;
  /** A HOLD covers it now. */
  readonly held?: boolean;
  /** Its latest amendment gave a reason that this version does not know. */
  readonly unknownReason?: boolean;
  /** Domain in meta field 2: whose assessment the publisher passes on. */
  readonly assessedBy?: string;
  /** Perceptual types only. */
  readonly distance?: number;
  /** Quality of the object's own perceptual hash, 0–100. */
  readonly quality?: number;
  /** The breaker found far more distinct uploaders than this item ever had. */
  readonly surging?: boolean;
  /** The item's exact hashes of other types in the same publisher's lists. */
  readonly siblings?: readonly ItemHash[];
}

export interface DecideInput {
  readonly matches: readonly Candidate[];
  /** The object's own hashes, as far as they were computed. */
  readonly computed: { readonly [type in ItemHash['hashType']]?: Uint8Array };
  readonly lists: readonly ListInfo[];
  readonly policy: Policy;
  /** Unix milliseconds. */
  readonly now: number;
  /** The object is no image that could be decoded; said in the verdict. */
  readonly perceptual?: 'undecodable';
}

/** Why a match is weaker than `block`, or what else there is to know about it. */
export type Cause =
  | 'breaker'
  | 'collision'
  | 'held'
  | 'known-good'
  | 'observed'
  | 'perceptual'
  | 'probation'
  | 'rule'
  | 'stale'
  | 'suppressed'
  | 'unconfirmed'
  | 'unknown'
  | 'weak-hash';

export interface Match {
  readonly origin: string;
  readonly add_index: number;
  readonly item_id: string;
  readonly hash_type: HashType;
  /** Scheme and code of the record, and the number of the bucket that telemetry counts it in. */
  readonly classification: { readonly scheme: number; readonly code: number; readonly bucket: number };
  readonly verifications: number;
  readonly distance?: number;
  readonly quality?: number;
  /** Unix milliseconds. */
  readonly listed_at: number;
  /** Size of the list that answered. */
  readonly size: number;
  /** What keeps this match from counting towards `block`; absent where nothing does. */
  readonly limited_by?: readonly Cause[];
}

export interface Verdict {
  readonly action: Action;
  readonly matches: readonly Match[];
  /** The worst of all lists that were asked. */
  readonly freshness: Freshness;
  /** What made the action weaker than the rules alone say. */
  readonly vetoed_by?: 'known-good' | 'breaker' | 'suppressed';
  /** The object agrees with an item by one hash and disagrees by another: send feedback. */
  readonly collision?: true;
  /** Count it and leave the object alone: only lists in their observation hours ask for this action. */
  readonly observed?: true;
  /** Tell the publisher: far more distinct uploaders than before. */
  readonly alarm?: 'breaker';
  /** Why the action is not `block`, ascending; empty for `none` and `block`. */
  readonly because: readonly Cause[];
  readonly perceptual?: 'undecodable';
}

/** The stronger of two actions. */
export function stronger(a: Action, b: Action): Action {
  return ACTIONS.indexOf(a) >= ACTIONS.indexOf(b) ? a : b;
}

/**
 * What makes a note a valid checkpoint of an origin under a root. Pure: the caller brings bytes, keys, time and
 * proofs. docs/spec/signatures.md, "Which notes count".
 */
import { equalBytes, toHex } from './bytes.js';
import { type Checkpoint, parseCheckpoint } from './checkpoint.js';
import { cosignatureCounts } from './cosignature.js';
import { HashfedError, malformed } from './errors.js';
import { ALG_COSIGNATURE, type NoteKey, type VerifiedNote, verifyNote } from './note.js';
import type { TreeState } from './root.js';
import type { FormerNoteKey, OriginKeys } from './root-keys.js';
import type { Suite } from './suite.js';

/** Witnesses and mirrors that the verifier has chosen: at least `needed` distinct names must have cosigned. */
export interface CosignerPolicy {
  readonly keys: readonly NoteKey[];
  readonly needed: number;
}

export interface CheckpointPolicy {
  readonly keys: OriginKeys;
  readonly cosigners: CosignerPolicy;
}

/** MUST be true only if `state` was proven a prefix of `lastGood` (a consistency proof, or own replay). */
export type IsPrefix = (state: TreeState, lastGood: TreeState) => boolean;

/** What the verifier knows at the moment of verification. */
export interface Moment {
  readonly nowMs: number;
  /** Left out, former keys count on exactly their last good state and nowhere else. */
  readonly isPrefix?: IsPrefix;
}

export interface VerifiedCheckpoint extends Checkpoint {
  /** The note, verbatim. */
  readonly note: Uint8Array;
  /** Its signed bytes: what two checkpoints are compared by. */
  readonly body: Uint8Array;
  /** Sequenced and approved by distinct keys. */
  readonly twoKey: boolean;
  /** Distinct names of the policy's cosigners that counted. */
  readonly cosigners: readonly string[];
}

/**
 * Throws `MALFORMED`, `BAD_SIGNATURE` (a known key's signature is bad, or the sequencing key's is missing),
 * `KEY_REVOKED` (only a former key sequenced it, beyond its last good state), `THRESHOLD_NOT_MET` (cosigners).
 */
export function verifyCheckpoint(
  suite: Suite,
  policy: CheckpointPolicy,
  note: Uint8Array,
  moment: Moment,
): VerifiedCheckpoint {
  const verified = verifyNote(suite, note, knownKeys(policy));
  const checkpoint = readCheckpoint(verified, policy.keys.origin);
  requireSequencing(verified, checkpoint, policy.keys, moment);
  const cosigners = requireCosigners(verified, policy.cosigners, moment);
  const twoKey = isApproved(verified, checkpoint, policy.keys, moment);
  return { ...checkpoint, note: note.slice(), body: verified.bodyBytes, twoKey, cosigners };
}

/** Throws `MALFORMED` where a key has two jobs or two names: its one signature would count twice. */
function knownKeys({ keys, cosigners }: CheckpointPolicy): NoteKey[] {
  const former = keys.former.map((one) => one.key);
  const own = [keys.sequencing, ...keys.approve, ...former];
  const names = new Map<string, string>();
  for (const key of [...own, ...cosigners.keys]) {
    const id = toHex(key.publicKey);
    const name = names.get(id) ?? key.name;
    if (name !== key.name) malformed('keys', 'one key stands under two names');
    names.set(id, name);
  }
  for (const key of cosigners.keys) {
    if (key.algorithm !== ALG_COSIGNATURE) malformed('cosigners', 'a cosigner signs with 0x04');
    if (keys.reserved.has(toHex(key.publicKey))) malformed('cosigners', "is one of the publisher's own keys");
  }
  return [...own, ...cosigners.keys];
}

/** Exactly this origin, compared as bytes. */
function readCheckpoint(note: VerifiedNote, origin: string): Checkpoint {
  const checkpoint = parseCheckpoint(note.body);
  if (checkpoint.origin !== origin) {
    throw new HashfedError('BAD_SIGNATURE', 'the checkpoint is of another origin', {
      origin,
      field: 'origin',
    });
  }
  return checkpoint;
}

/** The key bytes whose signatures on this note verified and are not from the future. */
function signers(note: VerifiedNote, nowMs: number): Set<string> {
  const counted = note.verified.filter(({ timeS }) => timeS === undefined || cosignatureCounts(timeS, nowMs));
  return new Set(counted.map(({ key }) => toHex(key.publicKey)));
}

const overlap = (a: ReadonlySet<string>, b: ReadonlySet<string>): number =>
  [...a].filter((one) => b.has(one)).length;

function formerCounts(former: FormerNoteKey, state: TreeState, { isPrefix }: Moment): boolean {
  const { lastGood } = former;
  if (state.size > lastGood.size) return false;
  if (state.size === lastGood.size) return equalBytes(state.root, lastGood.root);
  return isPrefix?.(state, lastGood) ?? false;
}

/** The keys of a role that count for this state: today's, and former ones on proven prefixes. */
function countingKeys(
  role: 'list' | 'approve',
  keys: OriginKeys,
  state: TreeState,
  moment: Moment,
): Set<string> {
  const current = role === 'list' ? [keys.sequencing] : keys.approve;
  const former = keys.former.filter((one) => one.role === role && formerCounts(one, state, moment));
  return new Set([...current, ...former.map((one) => one.key)].map((key) => toHex(key.publicKey)));
}

function requireSequencing(note: VerifiedNote, state: Checkpoint, keys: OriginKeys, moment: Moment): void {
  const signed = signers(note, moment.nowMs);
  if (overlap(signed, countingKeys('list', keys, state, moment)) > 0) return;
  const { origin } = keys;
  if (keys.former.some((one) => one.role === 'list' && signed.has(toHex(one.key.publicKey)))) {
    throw new HashfedError('KEY_REVOKED', 'only a former key sequenced this checkpoint', { origin });
  }
  throw new HashfedError('BAD_SIGNATURE', 'the sequencing key did not sign this checkpoint', { origin });
}

/** Distinct approve keys, former ones on proven prefixes among them. */
function isApproved(note: VerifiedNote, state: Checkpoint, keys: OriginKeys, moment: Moment): boolean {
  const signed = signers(note, moment.nowMs);
  return overlap(signed, countingKeys('approve', keys, state, moment)) >= keys.approveThreshold;
}

function requireCosigners(note: VerifiedNote, policy: CosignerPolicy, { nowMs }: Moment): string[] {
  const signed = signers(note, nowMs);
  const counted = policy.keys.filter((key) => signed.has(toHex(key.publicKey)));
  const names = [...new Set(counted.map((key) => key.name))];
  if (names.length < policy.needed) {
    throw new HashfedError('THRESHOLD_NOT_MET', `${names.length} of ${policy.needed} required cosigners`);
  }
  return names;
}

import type { CheckpointBundle } from '../../proto/gen/hashfed/v1/common.js';
import {
  type CheckpointPolicy,
  compareStatement,
  equalBytes,
  type Freshness,
  HashfedError,
  type IsPrefix,
  keysFor,
  type Liveness,
  malformed,
  type PublisherRoot,
  prefixByProofs,
  requireTwoKeys,
  type TreeState,
  type VerifiedCheckpoint,
  verifyCheckpoint,
  verifyFreshness,
  verifyLiveness,
} from '../core/index.js';
import type { Source, SyncDeps } from './deps.js';
import { askConsistency } from './peer.js';
import type { SyncAlarm } from './types.js';

/** A statement that verified, with its envelope. */
export interface Verified<T> {
  readonly statement: T;
  readonly envelope: Uint8Array;
}

/** What a source offers for a list: signatures and times verified, the tree not yet. */
export interface Offer {
  readonly source: Source;
  readonly root: PublisherRoot;
  readonly checkpoint: VerifiedCheckpoint;
  /** Two keys signed it; whether it is a prefix is proven with the entries. Undefined where none was served. */
  readonly anchor: VerifiedCheckpoint | undefined;
  readonly freshness: Verified<Freshness> | undefined;
  readonly liveness: Verified<Liveness> | undefined;
  /** A signed statement names a newer state than this source serves: others may do better. */
  readonly withheld: boolean;
  readonly alarms: readonly SyncAlarm[];
  readonly minWaitMs: number;
}

/** What an offer is judged by. */
export interface Judging {
  readonly deps: SyncDeps;
  readonly source: Source;
  readonly root: PublisherRoot;
  readonly origin: string;
  readonly nowMs: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Verifies what was served about one list. Throws what is wrong with the notes, and `EQUIVOCATION` where a signed
 * statement contradicts them. A statement that is merely bad is left out and told: it must not keep a list from
 * moving on, and without it the list grows stale.
 */
export async function judgeOffer(
  judging: Judging,
  bundle: CheckpointBundle,
  minWaitMs: number,
): Promise<Offer> {
  const { deps, source, root, origin, nowMs } = judging;
  if (bundle.origin !== '' && bundle.origin !== origin)
    malformed('origin', 'the answer is about another list');
  const policy = { keys: keysFor(root, origin), cosigners: deps.cosigners };
  const checkpoint = await verifyNoteAt(judging, policy, bundle.note);
  const anchor =
    bundle.anchorNote.length === 0 ? undefined : await verifyAnchorNote(judging, policy, bundle, checkpoint);
  const alarms: SyncAlarm[] = [];
  const freshness = take(bundle.freshness, 'freshness', alarms, (envelope) =>
    verifyFreshness(deps.suite, root, origin, envelope, nowMs),
  );
  const liveness = take(bundle.liveness, 'liveness', alarms, (envelope) =>
    verifyLiveness(deps.suite, root, origin, envelope, nowMs),
  );
  const ahead = [freshness, liveness].map((one) => speaksOfMore(one, checkpoint, root));
  const withheld = ahead.includes(true);
  if (withheld) alarms.push({ kind: 'withheld' });
  return { source, root, checkpoint, anchor, freshness, liveness, withheld, alarms, minWaitMs };
}

function take<T>(
  envelope: Uint8Array,
  what: 'freshness' | 'liveness',
  alarms: SyncAlarm[],
  verify: (envelope: Uint8Array) => T,
): Verified<T> | undefined {
  if (envelope.length === 0) return undefined;
  try {
    return { statement: verify(envelope), envelope };
  } catch (error) {
    if (!(error instanceof HashfedError) || error.code === 'EQUIVOCATION') throw error;
    alarms.push({ kind: 'statement', what, code: error.code });
    return undefined;
  }
}

function speaksOfMore(
  one: Verified<Freshness | Liveness> | undefined,
  checkpoint: VerifiedCheckpoint,
  root: PublisherRoot,
): boolean {
  if (one === undefined) return false;
  const says = compareStatement(one.statement, checkpoint, [one.envelope, checkpoint.note]);
  return says === 'withheld' || one.statement.rootVersion > root.version;
}

/** A former key counts on proven prefixes of its last good state only: the proof is fetched where it is needed. */
async function verifyNoteAt(
  judging: Judging,
  policy: CheckpointPolicy,
  note: Uint8Array,
): Promise<VerifiedCheckpoint> {
  const { suite } = judging.deps;
  const { nowMs } = judging;
  const wanted: [TreeState, TreeState][] = [];
  const notYet: IsPrefix = (state, lastGood) => {
    wanted.push([state, lastGood]);
    return false;
  };
  try {
    const verified = verifyCheckpoint(suite, policy, note, { nowMs, isPrefix: notYet });
    if (wanted.length === 0) return verified;
  } catch (error) {
    if (wanted.length === 0) throw error;
  }
  const isPrefix = await proofsFor(judging, wanted);
  return verifyCheckpoint(suite, policy, note, { nowMs, isPrefix });
}

async function proofsFor(judging: Judging, wanted: readonly [TreeState, TreeState][]): Promise<IsPrefix> {
  const { deps, source, origin, signal } = judging;
  const proofs = [];
  for (const [from, to] of wanted)
    proofs.push({ from, to, hashes: await askConsistency(source, origin, from.size, to.size, signal) });
  return prefixByProofs(deps.suite.sha256, proofs);
}

/** Cosigners are asked of the checkpoint only. */
async function verifyAnchorNote(
  judging: Judging,
  policy: CheckpointPolicy,
  bundle: CheckpointBundle,
  checkpoint: VerifiedCheckpoint,
): Promise<VerifiedCheckpoint> {
  const alone = { keys: policy.keys, cosigners: { keys: policy.cosigners.keys, needed: 0 } };
  const anchor = await verifyNoteAt(judging, alone, bundle.anchorNote);
  requireTwoKeys(anchor);
  if (anchor.size > checkpoint.size) malformed('anchor', 'is larger than the checkpoint it came with');
  if (anchor.size === checkpoint.size && !equalBytes(anchor.root, checkpoint.root)) {
    const evidence = [checkpoint.note, anchor.note];
    throw new HashfedError('EQUIVOCATION', 'two roots of one size', { origin: judging.origin, evidence });
  }
  return anchor;
}

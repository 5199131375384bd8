import type { CheckpointBundle } from '../../proto/gen/hashfed/v1/common.js';
import { ListServiceService } from '../../proto/gen/hashfed/v1/list_service.js';
import {
  type CheckpointPolicy,
  compareStatement,
  equalBytes,
  type Freshness,
  HashfedError,
  keysFor,
  type Liveness,
  MAX_NOTE_BYTES,
  malformed,
  type PublisherRoot,
  settingsOf,
  type VerifiedCheckpoint,
  verifyAnchor,
  verifyCheckpoint,
  verifyFreshness,
  verifyLiveness,
} from '../core/index.js';
import { callUnary } from '../rpc/index.js';
import type { Source, SyncDeps } from './deps.js';
import { UNARY_MS } from './limits.js';
import type { ListReplica } from './replica.js';

/** What a source offers for one list, every signature of it verified; nothing of it is believed beyond that. */
export interface Offer {
  readonly checkpoint: VerifiedCheckpoint;
  /** The largest two-key checkpoint at or below it that is proven its prefix. */
  readonly anchor: VerifiedCheckpoint | undefined;
  readonly freshness: { readonly statement: Freshness; readonly envelope: Uint8Array } | undefined;
  readonly liveness: { readonly statement: Liveness; readonly envelope: Uint8Array } | undefined;
  /** A valid statement names a larger size: this source hides something. */
  readonly withheld: boolean;
  readonly minWaitMs: number;
}

export interface OfferContext {
  readonly deps: SyncDeps;
  readonly source: Source;
  readonly root: PublisherRoot;
  readonly replica: ListReplica;
  /** The one time that this whole sync judges by. */
  readonly nowMs: number;
  readonly signal?: AbortSignal;
}

/** Asks a source for the newest checkpoint of the list. Undefined where nothing is committed there yet. */
export async function fetchOffer(context: OfferContext): Promise<Offer | undefined> {
  const { source, replica, signal } = context;
  const limits = { deadlineMs: UNARY_MS, ...(signal && { signal }) };
  const answer = await callUnary(
    source.channel,
    ListServiceService.getCheckpoint,
    { origin: replica.origin.text },
    limits,
  );
  const bundle = answer.checkpoint;
  if (bundle === undefined) return malformed('checkpoint', 'is missing from the answer');
  if (bundle.note.length === 0) return undefined;
  return verifyOffer(context, bundle, answer.minWaitMs);
}

/** Verifies what came with a checkpoint. Throws what the checks throw. */
export async function verifyOffer(
  context: OfferContext,
  bundle: CheckpointBundle,
  minWaitMs: number,
): Promise<Offer> {
  const { deps, root, replica, nowMs } = context;
  const origin = replica.origin.text;
  if (bundle.note.length > MAX_NOTE_BYTES || bundle.anchorNote.length > MAX_NOTE_BYTES)
    malformed('note', 'is too long');
  const policy: CheckpointPolicy = { keys: keysFor(root, origin), cosigners: deps.cosigners };
  const checkpoint = verifyCheckpoint(deps.suite, policy, bundle.note, { nowMs });
  refuseBackwards(replica, checkpoint);
  const freshness = bundle.freshness.length === 0 ? undefined : verifiedFreshness(context, bundle.freshness);
  const liveness = bundle.liveness.length === 0 ? undefined : verifiedLiveness(context, bundle.liveness);
  const anchor = await findAnchor(context, policy, checkpoint, bundle.anchorNote);
  return {
    checkpoint,
    anchor,
    freshness,
    liveness,
    minWaitMs,
    withheld: isWithheld(checkpoint, freshness, liveness),
  };
}

/** A smaller size than held is a rollback; the same size with another root is a fork, and both notes prove it. */
function refuseBackwards(replica: ListReplica, checkpoint: VerifiedCheckpoint): void {
  const detail = { origin: replica.origin.text, evidence: [replica.checkpoint, checkpoint.note] };
  if (checkpoint.size < replica.size)
    throw new HashfedError('ROLLBACK', 'the source serves an older list than the one held', detail);
  if (checkpoint.size === replica.size && replica.size > 0 && !equalBytes(checkpoint.root, replica.root)) {
    throw new HashfedError('EQUIVOCATION', 'two roots of one size are signed', detail);
  }
}

function verifiedFreshness(
  { deps, root, replica, nowMs }: OfferContext,
  envelope: Uint8Array,
): NonNullable<Offer['freshness']> {
  return { statement: verifyFreshness(deps.suite, root, replica.origin.text, envelope, nowMs), envelope };
}

function verifiedLiveness(
  { deps, root, replica, nowMs }: OfferContext,
  envelope: Uint8Array,
): NonNullable<Offer['liveness']> {
  return { statement: verifyLiveness(deps.suite, root, replica.origin.text, envelope, nowMs), envelope };
}

/** Throws EQUIVOCATION where a statement names another root of the checkpoint's size. */
function isWithheld(
  checkpoint: VerifiedCheckpoint,
  freshness: Offer['freshness'],
  liveness: Offer['liveness'],
): boolean {
  const said = [freshness, liveness].filter((one) => one !== undefined);
  return said.some(
    ({ statement, envelope }) =>
      compareStatement(statement, checkpoint, [checkpoint.note, envelope]) === 'withheld',
  );
}

/** The larger of the anchor held and the one served, each proven a prefix of the checkpoint. */
async function findAnchor(
  context: OfferContext,
  policy: CheckpointPolicy,
  checkpoint: VerifiedCheckpoint,
  served: Uint8Array,
): Promise<VerifiedCheckpoint | undefined> {
  if (checkpoint.twoKey) return checkpoint;
  const { deps, replica, nowMs } = context;
  const known = { keys: policy.keys, cosigners: { keys: [], needed: 0 } };
  const held =
    replica.anchor.length === 0 ? undefined : verifyCheckpoint(deps.suite, known, replica.anchor, { nowMs });
  if (served.length === 0 || equalBytes(served, replica.anchor)) return held;
  const offered = verifyCheckpoint(deps.suite, known, served, { nowMs });
  if (held !== undefined && held.size >= offered.size) return held;
  const proof = await fetchConsistency(context, offered.size, checkpoint.size);
  return verifyAnchor(deps.suite, policy, checkpoint, { note: served, proof }, { nowMs });
}

/** A consistency proof between two sizes, as hashes; the caller verifies it. */
export async function fetchConsistency(
  { source, replica, signal }: OfferContext,
  from: number,
  to: number,
): Promise<Uint8Array[]> {
  if (from === to) return [];
  const request = { origin: replica.origin.text, size: BigInt(to), indexes: [], fromSize: BigInt(from) };
  const limits = { deadlineMs: UNARY_MS, ...(signal && { signal }) };
  const { consistency } = await callUnary(source.channel, ListServiceService.getProof, request, limits);
  if (consistency.length % 32 !== 0 || consistency.length > 128 * 32)
    malformed('consistency', 'is not whole hashes');
  return Array.from({ length: consistency.length / 32 }, (_, i) => consistency.subarray(32 * i, 32 * i + 32));
}

/** The settings that a list is followed under. */
export function settingsFor({ root, replica }: OfferContext) {
  return settingsOf(root, replica.origin.text);
}

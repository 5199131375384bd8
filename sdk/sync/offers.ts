import type { CheckpointBundle } from '../../proto/gen/hashfed/v1/common.js';
import { equalBytes, HashfedError, type PublisherRoot } from '../core/index.js';
import type { Source, SyncDeps } from './deps.js';
import { judgeOffer, type Offer } from './offer.js';
import { askCheckpoint } from './peer.js';
import type { ListReplica } from './replica.js';
import type { RootBook } from './root-book.js';
import type { SourceFailure } from './types.js';

/** Who is asked, and with what. */
export interface Asking {
  readonly deps: SyncDeps;
  readonly book: RootBook;
  readonly replica: ListReplica;
  readonly signal: AbortSignal | undefined;
}

export interface Failed {
  readonly source: Source;
  readonly error: HashfedError;
}

/** What all sources had to say. */
export interface Answers {
  /** Best first. */
  readonly offers: readonly Offer[];
  readonly failed: readonly Failed[];
  /** Sources that hold the list and have nothing committed. */
  readonly empty: number;
}

/** Asks every source at once; a silent one costs its deadline, not the sync. */
export async function askAll(asking: Asking): Promise<Answers> {
  const offers: Offer[] = [];
  const failed: Failed[] = [];
  let empty = 0;
  const nowMs = asking.deps.clock.nowMs();
  const askOne = async (source: Source) => {
    try {
      const { bundle, minWaitMs } = await askCheckpoint(source, asking.replica.origin.text, asking.signal);
      const offer = await judgeServed(asking, source, bundle, minWaitMs, nowMs);
      if (offer === undefined) empty++;
      else offers.push(offer);
    } catch (error) {
      failed.push({ source, error: asHashfed(error) });
    }
  };
  await Promise.all(asking.deps.sources.map(askOne));
  offers.sort(byWorth);
  refuseSplitView(offers, asking.replica.origin.text);
  return { offers, failed, empty };
}

/** Judges one answer under the newest root that can be had. Undefined where nothing is committed there. */
export async function judgeServed(
  asking: Asking,
  source: Source,
  bundle: CheckpointBundle,
  minWaitMs: number,
  nowMs: number,
): Promise<Offer | undefined> {
  const origin = asking.replica.origin.text;
  if (bundle.note.length === 0) {
    if (asking.replica.floor === undefined) return undefined;
    throw new HashfedError('ROLLBACK', 'the source holds less than was seen before', { origin });
  }
  const root = await currentRoot(asking, source);
  refuseExpiredRoot(root, nowMs, origin);
  asking.replica.useRoot(root);
  const { deps, signal } = asking;
  const judging = { deps, source, root, origin, nowMs, signal };
  const offer = await judgeOffer(judging, bundle, minWaitMs);
  if (!offer.withheld || (offer.freshness?.statement.rootVersion ?? 0) <= root.version) return offer;
  const newer = await asking.book.refresh(source, root.publisher, signal);
  if (newer.version === root.version) return offer;
  asking.replica.useRoot(newer);
  return await judgeOffer({ ...judging, root: newer }, bundle, minWaitMs);
}

/** The root is walked at every source: one that hides a newer version is not the only one asked. */
async function currentRoot({ book, replica, signal }: Asking, source: Source): Promise<PublisherRoot> {
  const origin = replica.origin.text;
  for (const publisher of book.candidates(origin)) await book.refresh(source, publisher, signal);
  return book.of(origin);
}

/** Behind an expired root a revoked key could still look good: what is held stays, nothing is added. */
function refuseExpiredRoot(root: PublisherRoot, nowMs: number, origin: string): void {
  if (nowMs < root.expiresMs) return;
  throw new HashfedError('STALE', 'the publisher root expired, and no newer one is served', { origin });
}

/** Those that hide nothing, then the largest, then the one with the newest freshness. */
function byWorth(a: Offer, b: Offer): number {
  if (a.withheld !== b.withheld) return a.withheld ? 1 : -1;
  if (a.checkpoint.size !== b.checkpoint.size) return b.checkpoint.size - a.checkpoint.size;
  return (b.freshness?.statement.issuedAtMs ?? 0) - (a.freshness?.statement.issuedAtMs ?? 0);
}

/** Two sources that show two histories: both notes are signed, so the publisher's key was used twice. */
function refuseSplitView(offers: readonly Offer[], origin: string): void {
  const bySize = new Map<number, Offer>();
  for (const offer of offers) {
    const { size, root, note } = offer.checkpoint;
    const other = bySize.get(size)?.checkpoint;
    if (other !== undefined && !equalBytes(other.root, root)) {
      const evidence = [other.note, note];
      throw new HashfedError('EQUIVOCATION', 'two sources serve two roots of one size', { origin, evidence });
    }
    bySize.set(size, offer);
  }
}

export function asHashfed(error: unknown): HashfedError {
  if (error instanceof HashfedError) return error;
  return new HashfedError('INTERNAL', 'a source failed in an unexpected way', { cause: error });
}

export function toFailure({ source, error }: Failed): SourceFailure {
  return { source: source.name, code: error.code, message: error.message };
}

import { equalBytes, HashfedError, type PublisherRoot, type TreeState } from '../../sdk/core/index.js';
import { askCheckpoint, judgeOffer, type Offer, type Source } from '../../sdk/sync/index.js';
import type { Following } from './types.js';

/** A source that did not help, and why. */
export interface Failed {
  readonly source: Source;
  readonly error: HashfedError;
}

export interface Gathered {
  /** Best first: those that hide nothing, then the largest, then the freshest. */
  readonly offers: readonly Offer[];
  readonly failed: readonly Failed[];
}

/** Asks every upstream for one list and verifies what it says, with the SDK's own judgement. */
export async function gatherOffers(
  following: Following,
  origin: string,
  signal: AbortSignal,
): Promise<Gathered> {
  const offers: Offer[] = [];
  const failed: Failed[] = [];
  const nowMs = following.deps.clock.nowMs();
  await Promise.all(
    following.deps.sources.map(async (source) => {
      try {
        const offer = await askOne(following, source, origin, nowMs, signal);
        if (offer !== undefined) offers.push(offer);
      } catch (error) {
        failed.push({ source, error: asHashfed(error) });
      }
    }),
  );
  offers.sort(byWorth);
  refuseSplitView(offers, origin);
  return { offers, failed };
}

/** Undefined where the upstream has nothing of a list of which nothing is held either. */
async function askOne(
  { deps, book, engine }: Following,
  source: Source,
  origin: string,
  nowMs: number,
  signal: AbortSignal,
): Promise<Offer | undefined> {
  const { bundle, minWaitMs } = await askCheckpoint(source, origin, signal);
  if (bundle.note.length === 0) {
    if (engine.lists.get(origin)?.head === undefined) return undefined;
    throw new HashfedError('ROLLBACK', 'the upstream holds less than was carried before', { origin });
  }
  for (const publisher of book.candidates(origin)) await book.refresh(source, publisher, signal);
  const root = book.of(origin);
  refuseExpiredRoot(root, nowMs, origin);
  return await judgeOffer({ deps, source, root, origin, nowMs, signal }, bundle, minWaitMs);
}

function refuseExpiredRoot(root: PublisherRoot, nowMs: number, origin: string): void {
  if (nowMs < root.expiresMs) return;
  throw new HashfedError('STALE', 'the publisher root expired, and no newer one is served', { origin });
}

function byWorth(a: Offer, b: Offer): number {
  if (a.withheld !== b.withheld) return a.withheld ? 1 : -1;
  if (a.checkpoint.size !== b.checkpoint.size) return b.checkpoint.size - a.checkpoint.size;
  return (b.freshness?.statement.issuedAtMs ?? 0) - (a.freshness?.statement.issuedAtMs ?? 0);
}

/** Two upstreams that show two histories of one size: both notes are signed. */
function refuseSplitView(offers: readonly Offer[], origin: string): void {
  const bySize = new Map<number, TreeState & { readonly note: Uint8Array }>();
  for (const { checkpoint } of offers) {
    const other = bySize.get(checkpoint.size);
    if (other !== undefined && !equalBytes(other.root, checkpoint.root)) {
      const evidence = [other.note, checkpoint.note];
      throw new HashfedError('EQUIVOCATION', 'two upstreams serve two roots of one size', {
        origin,
        evidence,
      });
    }
    bySize.set(checkpoint.size, checkpoint);
  }
}

export function asHashfed(error: unknown): HashfedError {
  if (error instanceof HashfedError) return error;
  return new HashfedError('INTERNAL', 'an upstream failed in an unexpected way', { cause: error });
}

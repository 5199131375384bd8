import { equalBytes, HashfedError } from '../core/index.js';
import type { StoredBundle } from '../store/index.js';
import { type Changes, commitRange, NO_CHANGES, takeNotes, type VerifiedRange } from './commit.js';
import type { Source, SyncDeps } from './deps.js';
import { keepEvidence } from './evidence.js';
import { judgeTail } from './judge-tail.js';
import { REBUILD_ABOVE } from './limits.js';
import { fetchOffer, type Offer, type OfferContext } from './offer.js';
import { pullEntries } from './pull.js';
import type { ListReplica } from './replica.js';
import type { RootBook } from './root-book.js';

export interface SyncOptions {
  readonly signal?: AbortSignal;
  /** Entries verified so far, and how many there will be. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What one sync of one list did. */
export interface SyncResult {
  readonly origin: string;
  readonly from: number;
  readonly size: number;
  readonly root: Uint8Array;
  readonly source: string;
  readonly changes: Changes;
  /** The source's wish before the next look, milliseconds. */
  readonly minWaitMs: number;
  /** The source hides a newer state that a valid statement names. */
  readonly withheld: boolean;
}

/**
 * Brings one list up to date: fix the time, walk the publisher's root, verify the offer, pull into staging, compare the
 * root, count what one key may do, check the seal, commit. Sources are tried in order; what one of them does wrong
 * never touches live data. Throws the failure of the last source, forks first.
 */
export async function syncList(
  deps: SyncDeps,
  book: RootBook,
  replica: ListReplica,
  options: SyncOptions = {},
): Promise<SyncResult> {
  const failures: unknown[] = [];
  for (const source of deps.sources) {
    try {
      return await syncFrom(deps, book, replica, source, options);
    } catch (error) {
      if (!mayTryNext(error)) throw error;
      await keepEvidence(deps, replica.origin.text, error);
      failures.push(error);
    }
  }
  throw worst(failures) ?? new HashfedError('USAGE', 'no source is configured', { field: 'sources' });
}

/** Our own disk, our own signal and our own age are the same at every source. */
function mayTryNext(error: unknown): boolean {
  if (!(error instanceof HashfedError)) return false;
  return !['CANCELLED', 'STORAGE_FAILED', 'UPGRADE_REQUIRED', 'USAGE', 'INTERNAL'].includes(error.code);
}

function worst(failures: readonly unknown[]): unknown {
  const fork = failures.find((one) => one instanceof HashfedError && one.code === 'EQUIVOCATION');
  const proven = failures.find((one) => one instanceof HashfedError && one.class === 'verification');
  return fork ?? proven ?? failures.at(-1);
}

async function syncFrom(
  deps: SyncDeps,
  book: RootBook,
  replica: ListReplica,
  source: Source,
  options: SyncOptions,
): Promise<SyncResult> {
  const { signal } = options;
  const nowMs = deps.clock.nowMs();
  for (const publisher of book.candidates(replica.origin.text)) await book.refresh(source, publisher, signal);
  const root = book.of(replica.origin.text);
  const context: OfferContext = { deps, source, root, replica, nowMs, ...(signal && { signal }) };
  const from = replica.size;
  const offer = await fetchOffer(context);
  const changes =
    offer === undefined ? NO_CHANGES(replica.origin.text) : await apply(context, offer, options);
  return {
    origin: replica.origin.text,
    from,
    size: replica.size,
    root: replica.root,
    source: source.name,
    changes,
    minWaitMs: offer?.minWaitMs ?? 0,
    withheld: offer?.withheld ?? false,
  };
}

async function apply(context: OfferContext, offer: Offer, options: SyncOptions): Promise<Changes> {
  const { replica, nowMs, root } = context;
  const behind = offer.checkpoint.size > replica.size;
  const verified = behind ? await pullVerified(context, offer, options) : undefined;
  const before = { checkpoint: replica.checkpoint, anchor: replica.anchor, extra: replica.extra };
  takeNotes(replica, offer, nowMs, root.version);
  try {
    const changes =
      verified === undefined ? await commitNotes(replica, before) : await commitRange(replica, verified);
    await takeStatements(context, offer);
    return changes;
  } catch (error) {
    Object.assign(replica, before);
    throw error;
  } finally {
    verified?.staging.discard();
  }
}

/** New notes for the size held: merged signatures, a new anchor. */
async function commitNotes(
  replica: ListReplica,
  before: Pick<ListReplica, 'checkpoint' | 'anchor' | 'extra'>,
): Promise<Changes> {
  const same = equalBytes(before.checkpoint, replica.checkpoint) && equalBytes(before.anchor, replica.anchor);
  if (same) replica.extra = before.extra;
  else if (replica.hasBase) await replica.list.commitDelta({ bundles: [], newHead: replica.head() });
  return NO_CHANGES(replica.origin.text);
}

/** Pulls into staging and checks root, seal, digest and the limit for one key. The caller ends the staging. */
async function pullVerified(
  context: OfferContext,
  { checkpoint, ...offer }: Offer,
  options: SyncOptions,
): Promise<VerifiedRange> {
  const { deps, source, replica, signal } = context;
  const total = checkpoint.size - replica.size;
  const kept: StoredBundle[] | undefined = total <= REBUILD_ABOVE && replica.hasBase ? [] : undefined;
  const staging = replica.state.stage();
  try {
    const tree = replica.range.clone();
    const pull = {
      origin: replica.origin.text,
      from: replica.size,
      to: checkpoint.size,
      ...(signal && { signal }),
    };
    for await (const bundle of pullEntries(deps, source, pull)) {
      tree.append(deps.suite.sha256.hashLeaves(bundle.bytes, bundle.count));
      staging.append(bundle.bytes, bundle.firstIndex);
      kept?.push(bundle);
      options.onProgress?.(tree.size - replica.size, total);
    }
    if (!equalBytes(tree.root(), checkpoint.root)) {
      throw new HashfedError('ROOT_MISMATCH', 'the entries do not make the signed root', {
        origin: replica.origin.text,
      });
    }
    const range = staging.finish();
    judgeTail(context, { checkpoint, ...offer }, range);
    return { staging, range, tree, bundles: kept };
  } catch (error) {
    staging.discard();
    throw error;
  }
}

/** The newer of the statements held and offered, kept beside the list. */
async function takeStatements(
  { replica, deps }: OfferContext,
  { freshness, liveness }: Offer,
): Promise<void> {
  const acceptedAt = deps.clock.monotonicMs();
  const newerFresh =
    freshness !== undefined &&
    freshness.statement.issuedAtMs > (replica.freshness?.statement.issuedAtMs ?? 0);
  const newerAlive =
    liveness !== undefined && liveness.statement.timeMs > (replica.liveness?.statement.timeMs ?? 0);
  if (newerFresh) {
    replica.freshness = { statement: freshness.statement, acceptedAt };
    replica.freshnessEnvelope = freshness.envelope;
  }
  if (newerAlive) {
    replica.liveness = { statement: liveness.statement, acceptedAt };
    replica.livenessEnvelope = liveness.envelope;
  }
  if ((newerFresh || newerAlive) && replica.hasBase) {
    await replica.list.putStatements(replica.freshnessEnvelope, replica.livenessEnvelope);
  }
}

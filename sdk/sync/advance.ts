import {
  compareHeads,
  compareStatement,
  type Freshness,
  type Liveness,
  MAX_DELTA_ENTRIES,
  newerStatement,
  settingsOf,
  type VerifiedCheckpoint,
} from '../core/index.js';
import type { StoredBundle } from '../store/index.js';
import { anchorFor } from './anchoring.js';
import { changesOf, noChanges, rebuiltBy, replacedBy } from './changes.js';
import { commitDelta, commitHead, commitRebuild, commitStatements } from './commit.js';
import { currencyOf } from './currency.js';
import type { SyncDeps } from './deps.js';
import { discardOnError, fillAndVerify } from './fill.js';
import { addArrival, type Held, type HeldNote, type Stated } from './held.js';
import type { Offer, Verified } from './offer.js';
import { pullEntries } from './pull.js';
import type { ListReplica } from './replica.js';
import type { RootBook } from './root-book.js';
import { proveContinuity } from './snapshot-pull.js';
import { type Goal, RangeBuilder, type VerifiedRange } from './stage.js';
import type { Content } from './stored-content.js';
import type { Changes, SyncOptions, SyncPath } from './types.js';
import { takeSnapshot } from './via-snapshot.js';

/** One attempt at one source. */
export interface Attempt {
  readonly deps: SyncDeps;
  readonly book: RootBook;
  readonly replica: ListReplica;
  readonly offer: Offer;
  readonly options: SyncOptions;
}

/** What an attempt that worked did. */
export interface Advance {
  readonly path: SyncPath;
  readonly changes: Changes;
  readonly range: VerifiedRange['range'] | undefined;
}

/** Brings the replica to what the offer says, verified and durable; or throws, and nothing has changed. */
export async function advance(attempt: Attempt): Promise<Advance> {
  const { replica, offer } = attempt;
  const held = replica.floor;
  const damaged = replica.damage !== undefined;
  if (held !== undefined) {
    refuseForkedStatements(held, offer);
    const next = compareHeads(asCheckpoint(held.checkpoint, replica.origin.text), offer.checkpoint);
    if (next === 'same' && !damaged) return await refresh(attempt, held);
    if (replica.lost) await proveFloor(attempt, held);
  }
  const settings = settingsOf(offer.root, replica.origin.text);
  const anchor = await anchorFor(attempt);
  const start = await takeSnapshot(attempt, settings);
  const base = start ?? { state: replica.state, tree: replica.tree, held: replica.held };
  const goal = { settings, target: offer.checkpoint, anchor };
  const entries = offer.checkpoint.size - base.state.size;
  if (start === undefined && held !== undefined && !damaged && entries <= MAX_DELTA_ENTRIES)
    return await byDelta(attempt, goal, anchor);
  return await byRebuild(attempt, base, goal, anchor);
}

/** Records built anew prove nothing about what was held before. */
function proveFloor({ deps, replica, offer, options }: Attempt, { checkpoint }: Held): Promise<void> {
  const origin = replica.origin.text;
  return proveContinuity(deps, offer.source, origin, checkpoint, offer.checkpoint, options.signal);
}

/** Statements held are signed: a checkpoint that contradicts them is a fork. */
function refuseForkedStatements(held: Held, { checkpoint }: Offer): void {
  for (const stated of [held.freshness, held.liveness]) {
    if (stated?.statement === undefined) continue;
    compareStatement(stated.statement, checkpoint, [stated.envelope, checkpoint.note]);
  }
}

function asCheckpoint(note: HeldNote, origin: string): VerifiedCheckpoint {
  return { ...note, origin, body: new Uint8Array(), twoKey: false, cosigners: [] };
}

/**
 * The same size: newer statements, and perhaps a note with more signatures or a later anchor. Where no anchor stands
 * under the root in force, the held one stays with the root version it was judged by, so that it is judged again.
 */
async function refresh(attempt: Attempt, held: Held): Promise<Advance> {
  const { deps, replica, offer } = attempt;
  const next = withStatements(deps, held, offer);
  const anchor = await anchorFor(attempt).catch(() => undefined);
  if (anchor !== undefined && (anchor.size !== held.anchor.size || offer.root.version !== held.rootVersion)) {
    const { note } = offer.checkpoint;
    await commitHead(replica, {
      ...next,
      checkpoint: { ...held.checkpoint, note },
      anchor,
      rootVersion: offer.root.version,
    });
    return { path: 'statements', changes: noChanges(replica.origin.text), range: undefined };
  }
  if (next.freshness === held.freshness && next.liveness === held.liveness)
    return { path: 'none', changes: noChanges(replica.origin.text), range: undefined };
  await commitStatements(replica, next);
  return { path: 'statements', changes: noChanges(replica.origin.text), range: undefined };
}

function withStatements(deps: SyncDeps, held: Held, offer: Offer): Held {
  const mono = deps.clock.monotonicMs();
  return {
    ...held,
    freshness: newer<Freshness>(held.freshness, offer.freshness, mono),
    liveness: newer<Liveness>(held.liveness, offer.liveness, mono),
  };
}

function newer<T extends Freshness | Liveness>(
  held: Stated<T> | undefined,
  next: Verified<T> | undefined,
  acceptedMono: number,
): Stated<T> | undefined {
  if (next === undefined) return held;
  if (held?.statement !== undefined && newerStatement(held.statement, next.statement) === held.statement)
    return held;
  return { ...next, acceptedMono };
}

/** What will be held once the range is committed. */
function nextHeld(attempt: Attempt, anchor: HeldNote): Held {
  const { deps, replica, offer } = attempt;
  const { note, size, root } = offer.checkpoint;
  const held = replica.floor;
  const nowMs = deps.clock.nowMs();
  const before: Held = {
    checkpoint: { note, size, root },
    anchor: { note: anchor.note, size: anchor.size, root: anchor.root },
    freshness: held?.freshness,
    liveness: held?.liveness,
    rootVersion: offer.root.version,
    arrivals: addArrival(held?.arrivals ?? [], { size, ms: nowMs }),
    lastFreshMs: lastFreshMs(attempt),
  };
  return withStatements(deps, before, offer);
}

/** What is known before the commit stays known: a new checkpoint may come without a statement that covers it. */
function lastFreshMs({ deps, book, replica }: Attempt): number {
  if (replica.held === undefined) return replica.floor?.lastFreshMs ?? 0;
  return currencyOf(deps, book, replica).lastFreshMs ?? 0;
}

async function byDelta(attempt: Attempt, goal: Goal, anchor: HeldNote): Promise<Advance> {
  const { deps, replica, offer, options } = attempt;
  const builder = new RangeBuilder(contentOf(replica), goal);
  const bundles: StoredBundle[] = [];
  const range = {
    origin: replica.origin.text,
    from: builder.next,
    to: goal.target.size,
    signal: options.signal,
  };
  const verified = await discardOnError(builder, async () => {
    for await (const bundle of pullEntries(deps, offer.source, range)) {
      builder.add(bundle);
      bundles.push(bundle);
    }
    return builder.finish();
  });
  const changes = await commitDelta(replica, verified, bundles, nextHeld(attempt, anchor));
  return { path: 'delta', changes, range: verified.range };
}

async function byRebuild(attempt: Attempt, base: Content, goal: Goal, anchor: HeldNote): Promise<Advance> {
  const { replica } = attempt;
  const before = replica.state;
  const onLog = base.state === before;
  const staged = onLog ? await replica.list.staging() : undefined;
  const more = goal.target.size > base.state.size;
  const verified = more ? await fillAndVerify(attempt, base, goal, staged) : undefined;
  const held = nextHeld(attempt, anchor);
  verified?.staging.commit();
  const ranged =
    verified === undefined ? noChanges(replica.origin.text) : changesOf(base.state, verified.range);
  base.state.compact();
  const changes = onLog ? rebuiltBy(ranged) : replacedBy(before, base.state);
  await commitRebuild(replica, { state: base.state, tree: verified?.tree ?? base.tree, held });
  await staged?.discard();
  return { path: onLog ? 'rebuild' : 'snapshot', changes, range: verified?.range };
}

const contentOf = ({ state, tree, held }: ListReplica): Content => ({ state, tree, held });

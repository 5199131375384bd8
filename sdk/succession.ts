import { checkSwap, equalBytes, HashfedError, listOf, type OriginSettings } from './core/index.js';
import type { Generations } from './generations.js';
import type { HashfedParts } from './hashfed-types.js';
import { MatchingList } from './matching-list.js';
import type { JournalEntry, NewJournalEntry, Store } from './store/index.js';
import { ListReplica, restoreStatements, type SyncOptions, type SyncResult, syncList } from './sync/index.js';

/** Journal entries read at once. */
const PAGE = 1_000;

export interface Succession extends Pick<HashfedParts, 'deps' | 'book'> {
  readonly generations: Generations;
  /** Origins that are matched: a configuration may name the next generation beside the old one. */
  readonly followed: ReadonlySet<string>;
}

export interface Successor {
  readonly list: MatchingList;
  readonly result: SyncResult;
}

/**
 * The next generation of a list that its publisher closed: synced and verified apart, and made the one that is matched
 * in one step, so that there is no moment without the list. What the old one had quarantined stays quarantined where
 * the same hash of the same item goes on. Undefined where the newest root names no later generation, or it holds
 * nothing yet. Throws what `syncList` throws, `THRESHOLD_NOT_MET`, `USAGE` and, where the old one is damaged,
 * `STORAGE_FAILED`; the old generation then stays.
 */
export async function succeed(
  { deps, book, generations, followed }: Succession,
  old: MatchingList,
  options: SyncOptions,
): Promise<Successor | undefined> {
  const settings = await successorOf({ deps, book }, old, options.signal);
  if (settings === undefined || followed.has(settings.origin.text)) return undefined;
  refuseLost(old);
  const replica = await ListReplica.open(deps.store, deps.suite, settings.origin.text);
  restoreStatements(deps, book, replica);
  const result = await syncList(deps, book, replica, options);
  if (replica.size === 0) return undefined;
  checkRemoved(settings, old.replica, replica);
  const { origin } = old;
  const sinceMs = generations.current(origin).sinceMs ?? old.firstSyncMs;
  const list = new MatchingList(replica, old.purpose, sinceMs);
  await carryJournal(deps.store, old, list);
  await generations.close(origin, { next: list.origin, sinceMs, note: old.replica.checkpoint });
  return { list, result };
}

/** Its records say what of the quarantine goes on: without them, all of it would be released. */
function refuseLost({ origin, replica }: MatchingList): void {
  if (!replica.lost) return;
  const why =
    'the generation was closed, and what is stored of it is damaged: configure the next one instead';
  throw new HashfedError('STORAGE_FAILED', why, { origin, cause: replica.damage?.error });
}

/** The latest generation that the publisher's newest root names, where it is later than ours. */
async function successorOf(
  { deps, book }: Pick<HashfedParts, 'deps' | 'book'>,
  { origin, purpose, replica }: MatchingList,
  signal: AbortSignal | undefined,
): Promise<OriginSettings | undefined> {
  for (const source of deps.sources) {
    for (const publisher of book.candidates(origin))
      await book.refresh(source, publisher, signal).catch(() => undefined);
  }
  const own = replica.origin;
  const later = [...book.of(origin).origins.values()].find(
    (one) => listOf(one.origin) === listOf(own) && one.origin.generation > own.generation,
  );
  if (later !== undefined && later.purpose !== purpose)
    throw new HashfedError('USAGE', `the next generation is not a list of the purpose ${purpose}`, {
      origin,
    });
  return later;
}

/** Its first checkpoint was signed by two keys; what one key took away above that counts against the list left. */
function checkRemoved(settings: OriginSettings, old: ListReplica, next: ListReplica): void {
  const { checkpoint, anchor } = next.held!;
  const { withdrawnOld } = next.state.countsSince(anchor.size);
  checkSwap(settings, old.state.count, withdrawnOld, checkpoint.size === anchor.size);
}

/** Enters every quarantined object again under the record that goes on. Doing it twice changes nothing. */
async function carryJournal(store: Store, old: MatchingList, next: MatchingList): Promise<void> {
  for (const state of ['held', 'blocked'] as const) {
    for (let after: string | undefined; ; ) {
      const page = await store.journal.byState(state, { limit: PAGE, ...(after !== undefined && { after }) });
      const again = page.flatMap((entry) => entriesAgain(entry, old, next));
      if (again.length > 0) await store.journal.add(again);
      after = page.at(-1)?.id;
      if (page.length < PAGE) break;
    }
  }
}

function entriesAgain(entry: JournalEntry, old: MatchingList, next: MatchingList): NewJournalEntry[] {
  const record = entry.origin === old.origin ? old.replica.state.recordByIndex(entry.addIndex) : undefined;
  if (record === undefined) return [];
  const { size, root } = next.replica;
  const { ref, itemId, action, timeMs, drill } = entry;
  return next.items
    .records(record.itemId)
    .filter(({ hash }) => equalBytes(hash, record.hash))
    .map(({ addIndex }) => ({
      ...{ ref, itemId, origin: next.origin, addIndex, size, root, action, timeMs, drill },
    }));
}

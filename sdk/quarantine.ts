import { fromHex } from './core/index.js';
import type { Verdict } from './match/index.js';
import type { MatchingList } from './matching-list.js';
import type { JournalEntry, NewJournalEntry, Store } from './store/index.js';
import type { Changes } from './sync/index.js';

/** Journal entries read at once. */
const PAGE = 1_000;

/** Journal entries for a verdict that takes something away: one per match of that strength. */
export function entriesFor(
  verdict: Verdict,
  ref: string,
  lists: readonly MatchingList[],
  nowMs: number,
): NewJournalEntry[] {
  const { action } = verdict;
  if (verdict.observed === true || (action !== 'hold' && action !== 'block' && action !== 'test')) return [];
  const drill = action === 'test';
  return verdict.matches.flatMap((match) => {
    const list = lists.find(({ origin }) => origin === match.origin);
    if (list === undefined || list.purpose !== (drill ? 'test' : 'listed')) return [];
    const { size, root } = list.replica;
    return [
      {
        ref,
        itemId: fromHex(match.item_id),
        origin: match.origin,
        addIndex: match.add_index,
        size,
        root,
        action: drill ? 'hold' : action,
        timeMs: nowMs,
        drill,
      } as const,
    ];
  });
}

/** Writes entries to the journal, or leaves them for the process that holds it. */
export async function journal(store: Store, entries: readonly NewJournalEntry[]): Promise<void> {
  if (entries.length === 0) return;
  if (store.readOnly) await store.inbox.put(entries);
  else await store.journal.add(entries);
}

/** Releases what the records that an update withdrew had caused; an object with another cause stays quarantined. */
export async function releaseWithdrawn(store: Store, changes: Changes): Promise<JournalEntry[]> {
  if (changes.withdrawn.length === 0 || store.readOnly) return [];
  return objectsOf(store, await store.journal.release(changes.origin, changes.withdrawn, 'withdrawn'));
}

/** Entries that nothing keeps quarantined any more, of those that were just released. */
export async function objectsOf(store: Store, released: readonly JournalEntry[]): Promise<JournalEntry[]> {
  const free: JournalEntry[] = [];
  for (const entry of released) {
    const others = await store.journal.byRef(entry.ref);
    if (!others.some(({ state }) => state === 'held' || state === 'blocked')) free.push(entry);
  }
  return free;
}

/**
 * Releases what no record stands behind any more: a withdrawal was committed and the process ended before it
 * released, an object was judged by one process while another one applied the withdrawal, or a generation was closed
 * (what goes on in the next one was entered again).
 */
export async function releaseOrphans(
  store: Store,
  lists: readonly MatchingList[],
  isClosed: (origin: string) => boolean,
): Promise<JournalEntry[]> {
  if (store.readOnly) return [];
  const byOrigin = new Map(lists.map((list) => [list.origin, list.replica]));
  const isOrphan = ({ origin, addIndex }: JournalEntry): boolean => {
    const replica = byOrigin.get(origin);
    if (replica === undefined) return isClosed(origin);
    return addIndex < replica.size && replica.state.rowByIndex(addIndex) === undefined;
  };
  return releaseWhere(store, isOrphan, 'withdrawn');
}

/** Releases quarantined entries that `applies` to, page by page; answers the objects that came free. */
export async function releaseWhere(
  store: Store,
  applies: (entry: JournalEntry) => boolean,
  cause: string,
): Promise<JournalEntry[]> {
  const ids: string[] = [];
  for (const state of ['held', 'blocked'] as const) {
    for (let after: string | undefined; ; ) {
      const page = await store.journal.byState(state, { limit: PAGE, ...(after !== undefined && { after }) });
      ids.push(...page.filter(applies).map(({ id }) => id));
      after = page.at(-1)?.id;
      if (page.length < PAGE) break;
    }
  }
  if (ids.length === 0) return [];
  return objectsOf(store, await store.journal.move(ids, 'released', cause));
}

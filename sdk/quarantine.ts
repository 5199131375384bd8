import { fromHex } from './core/index.js';
import type { Verdict } from './match/index.js';
import type { MatchingList } from './matching-list.js';
import type { JournalEntry, NewJournalEntry, Store } from './store/index.js';
import type { Changes } from './sync/index.js';

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
  const released = await store.journal.release(changes.origin, changes.withdrawn, 'withdrawn');
  const free: JournalEntry[] = [];
  for (const entry of released) {
    const others = await store.journal.byRef(entry.ref);
    if (!others.some(({ state }) => state === 'held' || state === 'blocked')) free.push(entry);
  }
  return free;
}

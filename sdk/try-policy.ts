import type { HashType } from './core/index.js';
import type { Hashfed } from './hashfed.js';
import { EntryCursor, type Inventory } from './inventory/index.js';
import type { Policy, Verdict } from './match/index.js';
import type { ObjectHashes, PdqValue } from './pipeline/index.js';
import type { JournalEntry, JournalState } from './store/index.js';
import { journalRef, objectOf } from './stored-objects.js';

/** One object that matches, under the policy in force and under another one. */
export interface PolicyTrial {
  readonly ref: string;
  readonly now: Verdict;
  readonly then: Verdict;
}

/** Entries read at once from the journal. */
const PAGE = 1_000;

/** Every stored object that any list knows, from its hashes; nothing is read, journaled or counted. */
export async function* tryOnInventory(
  hashfed: Hashfed,
  inventory: Inventory,
  policy: Policy,
  signal?: AbortSignal,
): AsyncGenerator<PolicyTrial> {
  for (const shelf of await inventory.shelves()) {
    for await (const block of shelf.blocks()) {
      signal?.throwIfAborted();
      const cursor = new EntryCursor(block);
      while (cursor.next()) {
        const entry = cursor.entry();
        const trial = await compare(hashfed, policy, objectOf(entry), () => journalRef(shelf, entry));
        if (trial !== undefined) yield trial;
      }
    }
  }
}

/**
 * Every object that is in quarantine. The journal knows what matched and not the object's other hashes: what rests on
 * those (a collision, a second hash type) is not seen here, and what resembled counts as if it were equal.
 */
export async function* tryOnJournal(hashfed: Hashfed, policy: Policy): AsyncGenerator<PolicyTrial> {
  const seen = new Set<string>();
  await hashfed.ready();
  await hashfed.store.inbox.absorb();
  for (const state of ['held', 'blocked'] as const)
    for await (const { ref } of entriesIn(hashfed, state)) {
      if (seen.has(ref)) continue;
      seen.add(ref);
      const object = rebuilt(hashfed, await hashfed.store.journal.byRef(ref));
      const trial = await compare(hashfed, policy, object, () => ref);
      if (trial !== undefined) yield trial;
    }
}

async function compare(
  hashfed: Hashfed,
  policy: Policy,
  object: ObjectHashes,
  ref: () => string,
): Promise<PolicyTrial | undefined> {
  const then = await hashfed.tryPolicy(object, policy);
  const now = await hashfed.tryPolicy(object, hashfed.policy);
  return now.action === 'none' && then.action === 'none' ? undefined : { ref: ref(), now, then };
}

async function* entriesIn({ store }: Hashfed, state: JournalState): AsyncGenerator<JournalEntry> {
  for (let after: string | undefined; ; ) {
    const page = await store.journal.byState(state, { limit: PAGE, ...(after !== undefined && { after }) });
    yield* page;
    if (page.length < PAGE) return;
    after = page.at(-1)!.id;
  }
}

/** The object's hashes as far as the records that matched tell them. */
function rebuilt({ matching }: Hashfed, entries: readonly JournalEntry[]): ObjectHashes {
  const hashes: { [type in HashType]?: Uint8Array } = {};
  const pdq: PdqValue[] = [];
  const photodna: Uint8Array[] = [];
  for (const { origin, addIndex } of entries) {
    const list = matching.find((one) => one.origin === origin);
    const record = list?.replica.state.recordByIndex(addIndex);
    if (list === undefined || record === undefined) continue;
    if (list.hashType === 'pdq') pdq.push({ hash: record.hash, quality: 100 });
    else if (list.hashType === 'photodna') photodna.push(record.hash);
    else hashes[list.hashType] = record.hash;
  }
  return { hashes, bytes: 0, perceptual: { pdq, photodna } };
}

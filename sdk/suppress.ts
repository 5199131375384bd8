import { fromUtf8, HashfedError, utf8 } from './core/index.js';
import { type Policy, parsePolicy } from './match/index.js';
import type { MatchingList } from './matching-list.js';
import type { JournalEntry, Store } from './store/index.js';

const NAME = 'suppressions';

/** What is let pass here, whatever publishers and policy say. */
export type Suppressions = Policy['suppress'];

/** What was suppressed locally, beside what the policy says. Throws `STORAGE_FAILED` for an unreadable setting. */
export async function readSuppressions(store: Store): Promise<Suppressions> {
  const held = await store.settings.get(NAME);
  if (held === undefined) return parsePolicy({}).suppress;
  try {
    return parsePolicy({ suppress: JSON.parse(fromUtf8(held, 'suppressions')) }).suppress;
  } catch (cause) {
    throw new HashfedError('STORAGE_FAILED', 'the stored suppressions cannot be read', { cause });
  }
}

/** Durable when it resolves. A process that only reads leaves it for the one that writes. */
export async function writeSuppressions(store: Store, suppress: Suppressions): Promise<void> {
  const checked = parsePolicy({ suppress }).suppress;
  const bytes = utf8(JSON.stringify(checked));
  if (store.readOnly) await store.inbox.putSetting(NAME, bytes);
  else await store.settings.put(NAME, bytes);
}

/** The policy with what is suppressed locally. */
export function withSuppressions(
  policy: Policy,
  { items, publishers, classifications }: Suppressions,
): Policy {
  const { suppress } = policy;
  return {
    ...policy,
    suppress: {
      items: [...new Set([...suppress.items, ...items])],
      publishers: [...new Set([...suppress.publishers, ...publishers])],
      classifications: [...suppress.classifications, ...classifications],
    },
  };
}

/** Whether a journal entry was caused by what is suppressed. */
export function isSuppressed(
  lists: readonly MatchingList[],
  { items, publishers, classifications }: Suppressions,
): (entry: JournalEntry) => boolean {
  const replicas = new Map(lists.map(({ origin, replica }) => [origin, replica]));
  const itemSet = new Set(items);
  const domains = new Set(publishers);
  return ({ origin, itemId, addIndex }) => {
    const replica = replicas.get(origin);
    if (itemSet.has(Buffer.from(itemId).toString('hex'))) return true;
    if (replica !== undefined && domains.has(replica.origin.domain)) return true;
    const record = classifications.length === 0 ? undefined : replica?.state.recordByIndex(addIndex);
    if (record === undefined) return false;
    return classifications.some(
      ({ scheme, codes }) => scheme === record.scheme && (codes === undefined || codes.includes(record.code)),
    );
  };
}

import type { Command } from 'commander';
import { toHex } from '../../sdk/core/index.js';
import { type Hashfed, HashfedError, type JournalEntry } from '../../sdk/index.js';
import { action, EXIT, table } from '../cli/index.js';
import { withHoster } from './hoster-shared.js';

interface Options {
  readonly limit: string;
}

interface Withdrawn {
  readonly ref: string;
  readonly origin: string;
  readonly item_id: string;
  readonly add_index: number;
  readonly held_ms: number;
  readonly released_ms: number;
}

export function register(program: Command): void {
  program
    .command('withdrawals')
    .description('what was released here because its publisher withdrew the entry that had held it')
    .option('--limit <n>', 'entries to show, newest first', '1000')
    .addHelpText('after', '\nExample:\n  hashfed withdrawals --json')
    .action(
      action<Options>((context, { limit }) => {
        const wanted = Number(limit);
        if (!Number.isInteger(wanted) || wanted < 1)
          throw new HashfedError('USAGE', '--limit must be a whole number above 0', { field: 'limit' });
        return withHoster(context, 'write', async (hashfed) => {
          const all = await withdrawn(hashfed);
          const shown = all.sort((a, b) => b.released_ms - a.released_ms).slice(0, wanted);
          const lines =
            shown.length === 0
              ? 'Nothing was released by a withdrawal yet.'
              : table([HEADING, ...shown.map(row)]);
          context.out.result({ withdrawals: shown }, lines);
          return EXIT.done;
        });
      }),
    );
}

async function withdrawn({ store, quarantine }: Hashfed): Promise<Withdrawn[]> {
  const found: Withdrawn[] = [];
  for await (const entry of quarantine.entries('released')) {
    const history = await store.journal.history(entry.id);
    if (history.at(-1)?.cause === 'withdrawn') found.push(describe(entry));
  }
  return found;
}

const describe = ({ ref, origin, itemId, addIndex, timeMs, changedMs }: JournalEntry): Withdrawn => ({
  ref,
  origin,
  item_id: toHex(itemId),
  add_index: addIndex,
  held_ms: timeMs,
  released_ms: changedMs,
});

const HEADING = ['released', 'list', 'entry', 'object'];

const row = ({ ref, origin, add_index, released_ms }: Withdrawn): string[] => [
  new Date(released_ms).toISOString(),
  origin,
  String(add_index),
  ref,
];

import { type Command, Option } from 'commander';
import { toHex } from '../../sdk/core/index.js';
import { type Hashfed, HashfedError, type JournalEntry, type JournalState } from '../../sdk/index.js';
import { action, type CliContext, EXIT, type ExitCode, table } from '../cli/index.js';
import { withHoster } from './hoster-shared.js';

const STATES = ['held', 'blocked', 'released', 'handed-over', 'deleted'] as const;
const QUARANTINED: readonly JournalState[] = ['held', 'blocked'];

interface ListOptions {
  readonly state?: JournalState;
  readonly limit: string;
}

interface ReleaseOptions {
  readonly reason: string;
}

export function register(program: Command): void {
  const quarantine = program
    .command('quarantine')
    .description('what was held or blocked, on the strength of which entry')
    .addHelpText('after', '\nExample:\n  hashfed quarantine list --state held');
  quarantine
    .command('list')
    .description('objects in quarantine, oldest entry first')
    .addOption(new Option('--state <state>', 'only entries in this state').choices([...STATES]))
    .option('--limit <n>', 'entries to show', '1000')
    .addHelpText('after', '\nExample:\n  hashfed quarantine list --state held')
    .action(action<ListOptions>((context, options) => withJournal(context, list(context, options))));
  quarantine
    .command('show')
    .argument(
      '<what>',
      'an entry id (32 hex digits), an item id with item:, or an object reference such as a path',
    )
    .description('one object or entry with its history')
    .addHelpText('after', '\nExample:\n  hashfed quarantine show /srv/uploads/photo.jpg')
    .action(action((context, _options, [what = '']) => withJournal(context, show(context, what))));
  quarantine
    .command('release')
    .argument(
      '<what>',
      'an entry id (32 hex digits), an item id with item:, or an object reference such as a path',
    )
    .description('undo: let the object go, whatever it was held for')
    .option('--reason <text>', 'why, for the journal', 'operator')
    .addHelpText('after', '\nExample:\n  hashfed quarantine release /srv/uploads/photo.jpg')
    .action(
      action<ReleaseOptions>((context, options, [what = '']) =>
        withJournal(context, release(context, what, options)),
      ),
    );
}

type Work = (hashfed: Hashfed) => Promise<ExitCode>;

const withJournal = (context: CliContext, work: Work): Promise<ExitCode> =>
  withHoster(context, 'write', work);

function list({ out }: CliContext, { state, limit }: ListOptions): Work {
  return async (hashfed) => {
    const wanted = Number(limit);
    if (!Number.isInteger(wanted) || wanted < 1)
      throw new HashfedError('USAGE', '--limit must be a whole number above 0', { field: 'limit' });
    const entries: JournalEntry[] = [];
    for (const one of state === undefined ? QUARANTINED : [state])
      for await (const entry of hashfed.quarantine.entries(one)) {
        if (entries.length >= wanted) break;
        entries.push(entry);
      }
    entries.sort((a, b) => a.timeMs - b.timeMs);
    out.result(
      { entries: entries.map(entryJson) },
      entries.length === 0 ? 'Nothing.' : table([HEADING, ...entries.map(row)]),
    );
    return EXIT.done;
  };
}

function show({ out }: CliContext, what: string): Work {
  return async (hashfed) => {
    const entries = await hashfed.quarantine.find(what);
    const history = [];
    for (const { id } of entries) history.push(...(await hashfed.store.journal.history(id)));
    history.sort((a, b) => a.sequence - b.sequence);
    out.result(
      {
        entries: entries.map(entryJson),
        history: history.map(historyJson),
      },
      [
        ...table([HEADING, ...entries.map(row)]),
        '',
        ...table([ITEM_HEADING, ...entries.map(itemRow)]),
        '',
        ...table(
          history.map(({ id, timeMs, state, cause }) => [new Date(timeMs).toISOString(), id, state, cause]),
        ),
      ],
    );
    return EXIT.done;
  };
}

function release({ out }: CliContext, what: string, { reason }: ReleaseOptions): Work {
  return async (hashfed) => {
    const { released, free } = await hashfed.quarantine.release(what, reason);
    const refs = [...new Set(free.map(({ ref }) => ref))];
    out.result(
      { released: refs, entries: released.map(({ id }) => id) },
      refs.length === 0
        ? 'No object came free: nothing was in quarantine under that name, or another entry still holds it.'
        : refs.map((ref) => `released  ${ref}`),
    );
    return EXIT.done;
  };
}

type Change = Awaited<ReturnType<Hashfed['store']['journal']['history']>>[number];

export const historyJson = ({ id, timeMs, state, cause }: Change): object => ({
  id,
  time_ms: timeMs,
  state,
  cause,
});

export const entryJson = (entry: JournalEntry): object => ({
  id: entry.id,
  ref: entry.ref,
  state: entry.state,
  action: entry.action,
  origin: entry.origin,
  item_id: toHex(entry.itemId),
  add_index: entry.addIndex,
  size: entry.size,
  checkpoint_root: toHex(entry.root),
  time_ms: entry.timeMs,
  changed_ms: entry.changedMs,
  drill: entry.drill,
});

const ITEM_HEADING = ['id', 'item'];

/** The item is what `hashfed suppress --item` takes. */
const itemRow = (entry: JournalEntry): string[] => [entry.id, toHex(entry.itemId)];

const HEADING = ['id', 'state', 'since', 'list', 'entry', 'object'];

const row = (entry: JournalEntry): string[] => [
  entry.id,
  entry.drill ? `${entry.state} (drill)` : entry.state,
  new Date(entry.timeMs).toISOString(),
  entry.origin,
  String(entry.addIndex),
  entry.ref,
];

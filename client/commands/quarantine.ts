import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { fromHex, toHex } from '../../sdk/core/index.js';
import { type Hashfed, HashfedError, type JournalEntry, type JournalState } from '../../sdk/index.js';
import { action, type CliContext, EXIT, type ExitCode, table } from '../cli/index.js';
import { withHoster } from './hoster-shared.js';

const STATES = ['held', 'blocked', 'released', 'handed-over', 'deleted'] as const;
const QUARANTINED: readonly JournalState[] = ['held', 'blocked'];
/** Entries read at once from the journal. */
const PAGE = 1000;

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
    .description('what was held or blocked, on the strength of which entry');
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
    await hashfed.store.inbox.absorb();
    const entries: JournalEntry[] = [];
    for (const one of state === undefined ? QUARANTINED : [state])
      for await (const entry of entriesIn(hashfed, one)) {
        if (entries.length >= wanted) break;
        entries.push(entry);
      }
    entries.sort((a, b) => a.timeMs - b.timeMs);
    out.result({ entries: entries.map(entryJson) }, table([HEADING, ...entries.map(row)]));
    return EXIT.done;
  };
}

export async function* entriesIn({ store }: Hashfed, state: JournalState): AsyncGenerator<JournalEntry> {
  for (let after: string | undefined; ; ) {
    const page = await store.journal.byState(state, { limit: PAGE, ...(after !== undefined && { after }) });
    yield* page;
    if (page.length < PAGE) return;
    after = page.at(-1)!.id;
  }
}

function show({ out }: CliContext, what: string): Work {
  return async (hashfed) => {
    const entries = await find(hashfed, what);
    const history = [];
    for (const { id } of entries) history.push(...(await hashfed.store.journal.history(id)));
    history.sort((a, b) => a.sequence - b.sequence);
    out.result(
      {
        entries: entries.map(entryJson),
        history: history.map(({ id, timeMs, state, cause }) => ({ id, time_ms: timeMs, state, cause })),
      },
      [
        ...table([HEADING, ...entries.map(row)]),
        '',
        ...table(
          history.map(({ id, timeMs, state, cause }) => [new Date(timeMs).toISOString(), id, state, cause]),
        ),
      ],
    );
    return EXIT.done;
  };
}

function release({ out, clock }: CliContext, what: string, { reason }: ReleaseOptions): Work {
  return async (hashfed) => {
    const entries = await find(hashfed, what);
    const ids = entries.map(({ id }) => id);
    const released = await hashfed.store.journal.move(ids, 'released', reason);
    const free = await freed(hashfed, released);
    hashfed.telemetry?.otherReleased(free, clock.nowMs());
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

/** Those of objects that nothing else keeps in quarantine. */
async function freed({ store }: Hashfed, released: readonly JournalEntry[]): Promise<JournalEntry[]> {
  const free: JournalEntry[] = [];
  for (const entry of released) {
    const others = await store.journal.byRef(entry.ref);
    if (!others.some(({ state }) => QUARANTINED.includes(state))) free.push(entry);
  }
  return free;
}

/** Every entry of the object, item or id that is named. Throws NOT_FOUND. */
export async function find({ store }: Hashfed, what: string): Promise<JournalEntry[]> {
  await store.inbox.absorb();
  const { journal } = store;
  const item = /^item:([0-9a-f]{32})$/.exec(what)?.[1];
  const entry = /^[0-9a-f]{32}$/.test(what) ? await journal.get(what) : undefined;
  const found =
    item !== undefined
      ? await journal.byItem(fromHex(item))
      : entry !== undefined
        ? await journal.byRef(entry.ref)
        : await byName(journal, what);
  if (found.length === 0)
    throw new HashfedError('NOT_FOUND', `the journal knows nothing of ${what}; see hashfed quarantine list`);
  return found;
}

/** As it was named when it was checked; a path may be given relative. */
async function byName(journal: Hashfed['store']['journal'], what: string): Promise<JournalEntry[]> {
  const exact = await journal.byRef(what);
  return exact.length > 0 ? exact : journal.byRef(resolve(what));
}

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

const HEADING = ['id', 'state', 'since', 'list', 'entry', 'object'];

const row = (entry: JournalEntry): string[] => [
  entry.id,
  entry.drill ? `${entry.state} (drill)` : entry.state,
  new Date(entry.timeMs).toISOString(),
  entry.origin,
  String(entry.addIndex),
  entry.ref,
];

import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { type Hashfed, HashfedError, type JournalEntry, type Policy } from '../../sdk/index.js';
import { action, type CliContext, count, EXIT, type ExitCode, stringify } from '../cli/index.js';
import { withHoster } from './hoster-shared.js';
import { entryJson, historyJson } from './quarantine.js';

const DAY_MS = 86_400_000;
const WHAT = 'an entry id (32 hex digits), an item id with item:, or an object reference such as a path';

interface HandOverOptions {
  readonly to: string;
  readonly out?: string;
}

interface DeleteOptions {
  readonly reason: string;
  readonly order?: string;
}

interface ExpireOptions {
  readonly dryRun?: boolean;
}

/** How a quarantine ends. The journal is told; the objects themselves lie in the hoster's own storage. */
export function register(program: Command): void {
  const quarantine = program.commands.find((command) => command.name() === 'quarantine') ?? program;
  quarantine
    .command('hand-over')
    .argument('<what>', WHAT)
    .description('note that an object was given to an authority, with the record of why it was held')
    .requiredOption('--to <whom>', 'who received it, for the journal')
    .option('--out <file>', 'write the record to go with it, as JSON; the file must not exist')
    .addHelpText(
      'after',
      '\nExample:\n  hashfed quarantine hand-over /srv/up/a.jpg --to "Police, ref 4711" --out a.json',
    )
    .action(
      action<HandOverOptions>((context, options, [what = '']) =>
        withHoster(context, 'write', (hashfed) => handOver(context, hashfed, what, options)),
      ),
    );
  quarantine
    .command('delete')
    .argument('<what>', WHAT)
    .description(
      'note that an object was deleted; refused before the preservation period of the policy is over',
    )
    .option('--reason <text>', 'why, for the journal', 'operator')
    .option('--order <reference>', 'an order that demands it before the period is over')
    .addHelpText('after', '\nExample:\n  hashfed quarantine delete /srv/up/a.jpg --reason "period over"')
    .action(
      action<DeleteOptions>((context, options, [what = '']) =>
        withHoster(context, 'write', (hashfed) => remove(context, hashfed, what, options)),
      ),
    );
  quarantine
    .command('expire')
    .description('end what the periods of the policy end, and name what waits too long for a decision')
    .option('--dry-run', 'only say what would end')
    .addHelpText('after', '\nExample:\n  hashfed quarantine expire --dry-run')
    .action(
      action<ExpireOptions>((context, options) =>
        withHoster(context, 'write', (hashfed) => expire(context, hashfed, options)),
      ),
    );
}

async function handOver(
  { out, clock }: CliContext,
  hashfed: Hashfed,
  what: string,
  { to, out: file }: HandOverOptions,
): Promise<ExitCode> {
  const entries = (await hashfed.quarantine.find(what)).filter(
    ({ state }) => state === 'held' || state === 'blocked',
  );
  if (entries.length === 0)
    throw new HashfedError('NOT_FOUND', 'nothing is in quarantine under that name', { field: 'what' });
  const history = (await Promise.all(entries.map(({ id }) => hashfed.store.journal.history(id)))).flat();
  const record = {
    handed_over_to: to,
    time_ms: clock.nowMs(),
    entries: entries.map(entryJson),
    history: history.map(historyJson),
  };
  // The record first: an object that was noted as given away without it could not be explained.
  if (file !== undefined) await writeRecord(file, record);
  const ids = entries.map(({ id }) => id);
  const moved = await hashfed.store.journal.move(ids, 'handed-over', cut(`to ${to}`));
  const refs = refsOf(moved);
  out.result({ handed_over: refs, entries: moved.map(({ id }) => id), record: file ?? null }, [
    ...refs.map((ref) => `handed over  ${ref}`),
    `Keep it until ${dateOf(moved, hashfed.policy)} at least.`,
  ]);
  return EXIT.done;
}

/** Never over a file that exists: it may be another object's record. */
async function writeRecord(file: string, record: object): Promise<void> {
  await writeFile(file, `${stringify(record)}\n`, { mode: 0o600, flag: 'wx' }).catch((cause: unknown) => {
    const exists = (cause as NodeJS.ErrnoException).code === 'EEXIST';
    const why = exists ? 'exists already; name another file' : 'cannot be written';
    throw new HashfedError('USAGE', `${file} ${why}; nothing was noted`, { field: 'out', cause });
  });
}

async function remove(
  { out, clock }: CliContext,
  hashfed: Hashfed,
  what: string,
  { reason, order }: DeleteOptions,
): Promise<ExitCode> {
  const entries = (await hashfed.quarantine.find(what)).filter(({ state }) => state !== 'deleted');
  const given = await givenAway(hashfed, entries);
  const early = entries.filter(
    (entry) =>
      (entry.state !== 'released' || given.has(entry.id)) && isPreserved(entry, hashfed, clock.nowMs()),
  );
  if (early.length > 0 && order === undefined) {
    const message = `it must be kept until ${dateOf(early, hashfed.policy)} (policy.retention.preserve_days); see --order`;
    throw new HashfedError('USAGE', message, { field: 'what' });
  }
  const cause = order === undefined ? reason : `order ${order}: ${reason}`;
  const moved = await hashfed.store.journal.move(
    entries.map(({ id }) => id),
    'deleted',
    cut(cause),
  );
  const refs = refsOf(moved);
  out.result(
    { deleted: refs, entries: moved.map(({ id }) => id) },
    refs.length === 0 ? 'It was noted as deleted before.' : refs.map((ref) => `deleted  ${ref}`),
  );
  return EXIT.done;
}

async function expire(
  { out, clock }: CliContext,
  hashfed: Hashfed,
  options: ExpireOptions,
): Promise<ExitCode> {
  const { retention } = hashfed.policy;
  const now = clock.nowMs();
  const ended: JournalEntry[] = [];
  const overdue: JournalEntry[] = [];
  await hashfed.store.inbox.absorb();
  for (const state of ['held', 'blocked', 'released', 'handed-over'] as const)
    for await (const entry of hashfed.quarantine.entries(state)) {
      if (isOver(entry, retention, now) && !(await isKeptRelease(hashfed, entry, now))) ended.push(entry);
      else if (state === 'held' && now - entry.timeMs > retention.decide_within_days * DAY_MS)
        overdue.push(entry);
    }
  if (options.dryRun !== true)
    await hashfed.store.journal.move(
      ended.map(({ id }) => id),
      'deleted',
      'expired',
    );
  const json = {
    expired: refsOf(ended),
    entries: ended.map(({ id }) => id),
    overdue: refsOf(overdue),
    dry_run: options.dryRun === true,
  };
  out.result(json, [
    ...json.expired.map((ref) => `expired  ${ref}`),
    ...json.overdue.map((ref) => `overdue  ${ref}: decide whether to release it or hand it over`),
    `${count(ended.length, 'entry', 'entries')} ended; waiting longer than ${count(retention.decide_within_days, 'day')} for a decision: ${overdue.length}.`,
  ]);
  return EXIT.done;
}

type Retention = Policy['retention'];

/** What was released ends by its own period; what is held waits for people, however long. */
function isOver(entry: JournalEntry, retention: Retention, now: number): boolean {
  const { delete_after_days, forget_released_after_days } = retention;
  if (entry.state === 'released') return now - entry.changedMs > forget_released_after_days * DAY_MS;
  if (entry.state === 'held' || delete_after_days === undefined) return false;
  return now - entry.timeMs > delete_after_days * DAY_MS;
}

function isPreserved({ timeMs }: JournalEntry, { policy }: Hashfed, now: number): boolean {
  return now - timeMs < policy.retention.preserve_days * DAY_MS;
}

/** Ids of the entries that were handed over once: releasing them later does not undo that somebody may ask for them. */
async function givenAway(
  { store }: Hashfed,
  entries: readonly Pick<JournalEntry, 'id'>[],
): Promise<ReadonlySet<string>> {
  const given = new Set<string>();
  for (const { id } of entries)
    if ((await store.journal.history(id)).some(({ state }) => state === 'handed-over')) given.add(id);
  return given;
}

async function isKeptRelease(hashfed: Hashfed, entry: JournalEntry, now: number): Promise<boolean> {
  if (entry.state !== 'released' || !isPreserved(entry, hashfed, now)) return false;
  return (await givenAway(hashfed, [entry])).size > 0;
}

function dateOf(entries: readonly JournalEntry[], { retention }: Policy): string {
  const newest = entries.reduce((max, { timeMs }) => Math.max(max, timeMs), 0);
  return new Date(newest + retention.preserve_days * DAY_MS).toISOString().slice(0, 10);
}

const refsOf = (entries: readonly JournalEntry[]): string[] => [...new Set(entries.map(({ ref }) => ref))];

/** The journal keeps 256 bytes of a cause. */
function cut(text: string): string {
  return Buffer.from(text, 'utf8')
    .subarray(0, 250)
    .toString('utf8')
    .replace(/\uFFFD+$/, '');
}

import type { Command } from 'commander';
import type { Hashfed, SyncSummary } from '../../sdk/index.js';
import {
  action,
  type CliContext,
  EXIT,
  type ExitCode,
  exitForError,
  type Progress,
  strongestExit,
  table,
} from '../cli/index.js';
import { errorJson, withHoster } from './hoster-shared.js';

interface Options {
  readonly watch?: boolean;
}

/** Failures within this time are one remark: lists are asked for one after another. Milliseconds. */
const TOGETHER_MS = 3_000;

type Synced = SyncSummary['results'][number];
type Failure = SyncSummary['failures'][number];

export function register(program: Command): void {
  program
    .command('sync')
    .description('bring local lists up to date, verified; with --watch, follow them as they change')
    .option('--watch', 'go on until stopped: apply updates as soon as a source announces them')
    .addHelpText('after', '\nExamples:\n  hashfed sync --config hashfed.json\n  hashfed sync --watch --json')
    .action(
      action<Options>((context, { watch }) =>
        withHoster(context, 'write', (hashfed) =>
          watch === true ? follow(context, hashfed) : syncOnce(context, hashfed),
        ),
      ),
    );
}

async function syncOnce(context: CliContext, hashfed: Hashfed): Promise<ExitCode> {
  const { results, failures } = await syncAll(context, hashfed);
  context.out.result(
    { lists: results.map(syncedJson), failures: failures.map(failureJson) },
    results.length === 0 ? [] : table([['list', 'size', 'before', 'how', 'released'], ...results.map(row)]),
  );
  for (const line of results.flatMap(repairLines)) context.out.warn(line);
  for (const line of failureLines(failures, failures.length + results.length)) context.out.warn(line);
  return exitOf(failures);
}

/** Under a progress bar for each list that has something to bring. */
async function syncAll({ out, signal }: CliContext, hashfed: Hashfed): Promise<SyncSummary> {
  let current = '';
  let bar: Progress | undefined;
  const onProgress = (origin: string, done: number, total: number): void => {
    if (origin !== current) {
      bar?.stop();
      bar = out.progress(origin);
      current = origin;
    }
    bar?.update(done, total);
  };
  try {
    return await hashfed.sync({ signal, onProgress });
  } finally {
    bar?.stop();
  }
}

/** Prints one line for every update that moved a list, until stopped; being stopped is its normal end. */
async function follow(context: CliContext, hashfed: Hashfed): Promise<ExitCode> {
  const { out, signal } = context;
  const seen: ExitCode[] = [];
  const troubles = gathered((failures) => {
    for (const line of failureLines(failures, hashfed.lists().length)) out.warn(line);
  });
  const tell = (synced: Synced): void => {
    for (const line of repairLines(synced)) out.warn(line);
    if (synced.size === synced.from && synced.released === 0) return;
    out.result({ event: 'synced', ...syncedJson(synced) }, syncedLine(synced));
  };
  const fail = (failure: Failure): void => {
    if (signal.aborted) return;
    const code = exitForError(failure.error);
    // A source that cannot be reached comes back; one that lies is told at the end as well.
    if (code === EXIT.verification) seen.push(code);
    if (out.json) out.result({ event: 'failed', ...failureJson(failure) }, []);
    else troubles.add(failure);
  };
  hashfed.on('synced', tell).on('failed', fail);
  await syncAll(context, hashfed);
  if (!signal.aborted)
    out.result({ event: 'watching', lists: hashfed.lists().length }, 'Watching. Stop with Ctrl-C.');
  await hashfed.watch(signal).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  troubles.flush();
  return strongestExit(seen);
}

/** Lists that fail together are told together. */
function gathered(tell: (failures: readonly Failure[]) => void) {
  const waiting = new Map<string, Failure>();
  const flush = (): void => {
    if (waiting.size > 0) tell([...waiting.values()]);
    waiting.clear();
  };
  return {
    add(failure: Failure): void {
      if (waiting.size === 0) setTimeout(flush, TOGETHER_MS).unref();
      waiting.set(failure.origin, failure);
    },
    flush,
  };
}

const exitOf = (failures: readonly Failure[]): ExitCode =>
  strongestExit(failures.map(({ error }) => exitForError(error)));

function syncedJson({
  origin,
  path,
  from,
  size,
  root,
  source,
  released,
  withheld,
  alarms,
  failures,
}: Synced) {
  return { origin, path, from, size, checkpoint_root: root, source, released, withheld, alarms, failures };
}

const failureJson = ({ origin, error }: Failure) => ({ origin, ...errorJson(error) });

function failureLine({ origin, error }: Failure): string {
  const { code, message } = errorJson(error);
  return `hashfed: ${code} [${origin}]: ${message}; what was held before stays in force`;
}

/** One line for lists that failed in the same way: an unreachable server is one trouble, not seven. */
function failureLines(failures: readonly Failure[], all: number): string[] {
  const groups = new Map<string, Failure[]>();
  for (const failure of failures) {
    const { code, message } = errorJson(failure.error);
    const key = `${code}: ${message}`;
    groups.set(key, [...(groups.get(key) ?? []), failure]);
  }
  return [...groups].map(([what, same]) =>
    same.length === 1
      ? failureLine(same[0]!)
      : `hashfed: ${what}; ${same.length} lists stay as they were${groups.size > 1 || same.length < all ? `: ${same.map(({ origin }) => origin).join(', ')}` : ''}`,
  );
}

function syncedLine({ origin, from, size, released }: Synced): string {
  const freed = released > 0 ? `, ${released} released` : '';
  return `${origin}: ${from} to ${size}${freed}`;
}

/** A disk that damaged one list may damage the next. */
function repairLines({ origin, alarms }: Synced): string[] {
  return alarms.flatMap((alarm) =>
    alarm.kind === 'damaged'
      ? [`hashfed: ${alarm.code} [${origin}]: ${alarm.message}; repaired now: look after the disk`]
      : [],
  );
}

/** How a list was brought up to date, as people read it. */
const HOW: Readonly<Record<Synced['path'], string>> = {
  none: 'unchanged',
  statements: 'unchanged, fresh',
  delta: 'new entries',
  rebuild: 'all entries',
  snapshot: 'snapshot',
};

const row = ({ origin, size, from, path, released }: Synced): string[] => [
  origin,
  String(size),
  String(from),
  HOW[path],
  String(released),
];

import type { Command } from 'commander';
import { HashfedError } from '../../sdk/core/index.js';
import type { Hashfed, SyncSummary } from '../../sdk/index.js';
import { action, type CliContext, EXIT, type ExitCode, exitForError, strongestExit } from '../cli/index.js';
import { withHashfed } from './hoster-shared.js';

interface Options {
  readonly watch?: boolean;
}

export function register(program: Command): void {
  program
    .command('sync')
    .description('bring the local lists up to date, every byte verified')
    .option('--watch', 'go on, and apply updates as they are announced')
    .addHelpText('after', '\nExample:\n  hashfed sync --watch --config members/hoster-a/hashfed.json')
    .action(
      action<Options>(async (context, { watch }) =>
        withHashfed(context, (hashfed) => (watch ? follow(context, hashfed) : once(context, hashfed)), {
          access: 'write',
        }),
      ),
    );
}

async function once(context: CliContext, hashfed: Hashfed): Promise<ExitCode> {
  const summary = await syncWithProgress(context, hashfed);
  const lists = summary.results.map(describeResult);
  const failures = summary.failures.map(({ origin, error }) => ({ origin, ...describeFailure(error) }));
  context.out.result({ lists, failures }, [
    ...lists.map(
      ({ origin, from, size, released }) =>
        `${origin}: ${from} → ${size}${released > 0 ? `, ${released} released` : ''}`,
    ),
    ...failures.map(({ origin, code, message }) => `${origin}: ${code}: ${message}`),
  ]);
  return exitOf(summary);
}

async function syncWithProgress({ out, signal }: CliContext, hashfed: Hashfed): Promise<SyncSummary> {
  const bar = out.progress('sync');
  try {
    return await hashfed.sync({ signal, onProgress: (_origin, done, total) => bar.update(done, total) });
  } finally {
    bar.stop();
  }
}

function exitOf({ failures }: SyncSummary): ExitCode {
  return strongestExit(failures.map(({ error }) => exitForError(error)));
}

/** Follows until a signal; says so once everything is up to date. */
async function follow(context: CliContext, hashfed: Hashfed): Promise<ExitCode> {
  const { out, signal } = context;
  const first = await syncWithProgress(context, hashfed);
  hashfed.on('synced', (result) => {
    if (result.size > result.from || result.released > 0) {
      const facts = { event: 'synced', ...describeResult(result) };
      out.result(facts, `${facts.origin}: ${facts.from} → ${facts.size}, ${facts.released} released`);
    }
  });
  hashfed.on('failed', ({ origin, error }) => {
    const facts = { event: 'failed', origin, ...describeFailure(error) };
    out.result(facts, `${origin}: ${facts.code}: ${facts.message}`);
  });
  const lists = first.results.map(describeResult);
  out.result({ event: 'watching', lists }, 'up to date; watching for updates (Ctrl-C stops)');
  await hashfed.watch(signal);
  return EXIT.done;
}

function describeResult({
  origin,
  from,
  size,
  root,
  released,
  source,
  alarms,
}: SyncSummary['results'][number]) {
  return { origin, from, size, root: Buffer.from(root).toString('hex'), released, source, alarms };
}

function describeFailure(error: unknown): { code: string; message: string } {
  if (error instanceof HashfedError) return { code: error.code, message: error.message };
  return { code: 'INTERNAL', message: error instanceof Error ? error.message : String(error) };
}

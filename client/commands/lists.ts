import type { Command } from 'commander';
import type { ListStatus } from '../../sdk/index.js';
import { action, EXIT, table } from '../cli/index.js';
import { withHashfed } from './hoster-shared.js';

export function register(program: Command): void {
  program
    .command('lists')
    .description('show the local lists: size, records, how current they are')
    .addHelpText('after', '\nExample:\n  hashfed lists --config members/hoster-a/hashfed.json')
    .action(
      action<object>(async (context) =>
        withHashfed(context, async (hashfed) => {
          const lists = hashfed.lists();
          context.out.result(
            { lists },
            table([HEAD, ...lists.map((list) => row(list, context.clock.nowMs()))]),
          );
          return EXIT.done;
        }),
      ),
    );
}

const HEAD = ['LIST', 'VERSION', 'SIZE', 'RECORDS', 'STATE', 'LAST FRESH', 'SEALED'];

function row(list: ListStatus, nowMs: number): string[] {
  const generation = list.origin.slice(list.origin.lastIndexOf('/') + 1);
  const version = list.size === 0 ? '-' : `${generation}.${list.batch_no}`;
  return [
    list.origin,
    version,
    String(list.size),
    String(list.present),
    list.state,
    age(list.last_fresh_ms, nowMs),
    age(list.sealed_ms, nowMs),
  ];
}

/** How long ago, in words short enough for a column. */
function age(timeMs: number | null, nowMs: number): string {
  if (timeMs === null) return 'never';
  const seconds = Math.max(0, Math.round((nowMs - timeMs) / 1000));
  if (seconds < 120) return `${seconds} s ago`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min ago`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h ago` : `${Math.round(seconds / 86_400)} d ago`;
}

import type { Command } from 'commander';
import type { ListStatus } from '../../sdk/index.js';
import { action, table } from '../cli/index.js';
import { freshnessExit, tellDamage, withHoster } from './hoster-shared.js';

export function register(program: Command): void {
  program
    .command('lists')
    .description('show local lists with size, freshness and age')
    .addHelpText('after', '\nExample:\n  hashfed lists --json')
    .action(
      action((context) =>
        withHoster(context, 'auto', async (hashfed) => {
          await tellDamage(hashfed, context);
          const lists = hashfed.lists();
          const now = context.clock.nowMs();
          context.out.result({ lists }, table([HEADING, ...lists.map((list) => row(list, now))]));
          return freshnessExit(hashfed, context);
        }),
      ),
    );
}

const HEADING = ['list', 'purpose', 'records', 'size', 'state', 'last fresh', 'newest batch'];

function row(list: ListStatus, nowMs: number): string[] {
  return [
    list.origin,
    list.purpose,
    String(list.present),
    String(list.size),
    list.state,
    age(list.last_fresh_ms, nowMs),
    age(list.sealed_ms, nowMs),
  ];
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const;

/** `3 h ago`; `never` for null. */
function age(sinceMs: number | null, nowMs: number): string {
  if (sinceMs === null) return 'never';
  const ms = Math.max(0, nowMs - sinceMs);
  if (ms < 1000) return 'now';
  const [unit, length] = UNITS.find(([, unitMs]) => ms >= unitMs) ?? UNITS[3];
  return `${Math.floor(ms / length)} ${unit} ago`;
}

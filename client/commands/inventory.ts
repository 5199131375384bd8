import type { Command } from 'commander';
import { HashfedError, openInventory, type Shelf } from '../../sdk/index.js';
import { action, bytesText, EXIT, table } from '../cli/index.js';
import { withHoster } from './hoster-shared.js';

interface Options {
  readonly maxAgeHours: string;
  readonly forget?: boolean;
}

export function register(program: Command): void {
  program
    .command('inventory')
    .description('what is known of stored objects, and how much of it was checked against current lists')
    .option('--max-age-hours <n>', 'lists that were fresh at most so long ago count as current', '24')
    .option('--forget', 'remove the inventory; the next scan reads every file again')
    .addHelpText('after', '\nExamples:\n  hashfed inventory\n  hashfed inventory --max-age-hours 12 --json')
    .action(
      action<Options>((context, { maxAgeHours, forget }) =>
        withHoster(context, 'auto', async (hashfed) => {
          const hours = Number(maxAgeHours);
          if (!(hours > 0))
            throw new HashfedError('USAGE', '--max-age-hours must be a number above 0', {
              field: 'max-age-hours',
            });
          const inventory = openInventory(hashfed, await context.config());
          if (forget === true) {
            await inventory.wipe();
            context.out.result({ forgotten: true }, 'The inventory was removed.');
            return EXIT.done;
          }
          const shelves = await Promise.all((await inventory.shelves()).map(describe));
          const coverage = await inventory.coverage(context.clock.nowMs(), hours);
          const rows = shelves.map((one) => [
            one.name,
            String(one.objects),
            bytesText(one.bytes),
            String(one.bytes_per_object),
            one.matched_ms === null ? 'never' : new Date(one.matched_ms).toISOString(),
          ]);
          context.out.result({ shelves, coverage }, [
            ...(rows.length > 0 ? table([INVENTORY_HEADING, ...rows]) : []),
            statement(coverage),
          ]);
          return EXIT.done;
        }),
      ),
    );
}

async function describe(shelf: Shelf) {
  const disk = await shelf.diskBytes();
  const { head, objects, bytes } = shelf;
  return {
    name: head.name,
    kind: head.kind,
    objects,
    bytes,
    disk_bytes: disk,
    bytes_per_object: objects === 0 ? 0 : Math.round(disk / objects),
    scanned_ms: head.seen?.atMs ?? null,
    matched_ms: head.matched?.atMs ?? null,
    lists_fresh_ms: head.matched?.freshMs ?? null,
    unfinished: head.next !== null,
  };
}

/** `each`: bytes of the inventory on disk for one object. */
const INVENTORY_HEADING = ['folder', 'objects', 'content', 'bytes each', 'matched'];

function statement({
  share,
  bytes,
  max_age_hours,
}: {
  share: number;
  bytes: number;
  max_age_hours: number;
}): string {
  if (bytes === 0) return 'Nothing is known of any object yet: run hashfed scan.';
  const percent = Math.floor(share * 100);
  return `${percent} % of bytes were checked against lists of at most ${max_age_hours} h.`;
}

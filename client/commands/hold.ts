import { type Command, Option } from 'commander';
import { Reason } from '../../proto/gen/hashfed/v1/enums.js';
import { HashfedError, MAX_HOLD_MS } from '../../sdk/core/index.js';
import { action, type CliContext, count, EXIT } from '../cli/index.js';
import { ownLists, parseTarget, pullOwnLists, type Workstation, writeHold } from '../publisher/index.js';
import { publishFile } from './publish.js';
import { openStation, outcomeJson, outcomeLines, withBatchFile } from './publisher-shared.js';

interface Options {
  readonly collection: string;
  readonly hash?: readonly string[];
  readonly item?: readonly string[];
  readonly batch?: string;
  readonly reason: string;
  readonly hours: string;
  readonly dryRun?: boolean;
  readonly out?: string;
}

const REASONS: Readonly<Record<string, number>> = {
  'suspected-error': Reason.SUSPECTED_ERROR,
  'suspected-compromise': Reason.SUSPECTED_COMPROMISE,
  'mass-matches': Reason.MASS_MATCHES,
  disputed: Reason.DISPUTED,
  drill: Reason.DRILL,
};

export function register(program: Command): void {
  program
    .command('hold')
    .description(
      'emergency brake: for some hours these entries answer at most "hold"; the sequencing key is enough',
    )
    .requiredOption('--collection <name>', 'which of our collections')
    .option('--hash <hash...>', 'TYPE:HEX or HEX')
    .option('--item <id...>', 'item id, hex')
    .option('--batch <publish-id>', 'everything that the newest batch added, if it has this publish id')
    .addOption(new Option('--reason <reason>', 'why').choices(Object.keys(REASONS)).makeOptionMandatory())
    .option('--hours <n>', 'how long, 1 to 72', '24')
    .option('--dry-run', 'count and check, publish nothing')
    .addOption(
      new Option('--out <batch>', 'publish nothing: write the batch, for hashfed batch prepare').conflicts(
        'dryRun',
      ),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  hashfed hold --collection known --item 0123456789abcdef0123456789abcdef --reason mass-matches --hours 12\n  hashfed hold --collection known --hash sha256:9f86d081…0a08 --reason disputed --out brake.hfbatch',
    )
    .action(
      action<Options>(async (context, options) => {
        const hours = Number(options.hours);
        if (!Number.isInteger(hours) || hours < 1 || hours * 3_600_000 > MAX_HOLD_MS)
          throw new HashfedError('USAGE', '--hours is 1 to 72', { field: 'hours' });
        const station = await openStation(context);
        try {
          await run(context, station, options, hours);
          return EXIT.done;
        } finally {
          station.channel.close();
        }
      }),
    );
}

async function run(
  context: CliContext,
  station: Workstation,
  options: Options,
  hours: number,
): Promise<void> {
  const { hash = [], item = [], batch } = options;
  const targets = [...hash, ...item.map((id) => `item:${id}`)].map(parseTarget);
  if (targets.length === 0 && batch === undefined)
    throw new HashfedError('USAGE', 'name what to hold: --hash, --item or --batch', { field: 'hash' });
  const replicas = await pullOwnLists(station, ownLists(station.config, options.collection).values());
  await withBatchFile(context, station, options.out, async (batchFile) => {
    const held = await writeHold(station, replicas, {
      targets,
      publishId: batch === undefined ? undefined : new Uint8Array(Buffer.from(batch, 'hex')),
      reason: REASONS[options.reason]!,
      untilMs: context.clock.nowMs() + hours * 3_600_000,
      batchFile,
    });
    if (options.out !== undefined) {
      const text = `${count(held, 'record')}, to be held for ${count(hours, 'hour')} from now by ${batchFile}`;
      context.out.result({ batch: batchFile, records: held }, text);
      return;
    }
    const outcome = await publishFile(context, station, batchFile, {
      dryRun: options.dryRun === true,
      replicas,
    });
    context.out.result({ ...outcomeJson(outcome), records: held }, [
      ...outcomeLines(outcome),
      `Records that answer at most "hold" for ${count(hours, 'hour')}: ${held}`,
    ]);
  });
}

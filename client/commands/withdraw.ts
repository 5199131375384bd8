import { readFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { Reason } from '../../proto/gen/hashfed/v1/enums.js';
import { HashfedError, toHex } from '../../sdk/core/index.js';
import { action, type CliContext, count, EXIT } from '../cli/index.js';
import {
  ownLists,
  parseTarget,
  pullOwnLists,
  stillListed,
  type WithdrawTarget,
  type Workstation,
  writeWithdrawal,
} from '../publisher/index.js';
import { publishFile } from './publish.js';
import { openStation, outcomeJson, outcomeLines, withBatchFile } from './publisher-shared.js';

interface Options {
  readonly collection: string;
  readonly hash?: readonly string[];
  readonly item?: readonly string[];
  readonly file?: string;
  readonly reason: string;
  readonly wholeItem?: boolean;
  readonly dryRun?: boolean;
  readonly urgent?: boolean;
  readonly out?: string;
}

const MAX_TARGET_FILE_BYTES = 256 * 1024 * 1024;

/** Reasons for a WITHDRAW, as they are typed. */
const REASONS: Readonly<Record<string, number>> = {
  wrong: Reason.WRONG,
  'not-illegal': Reason.NOT_ILLEGAL,
  duplicate: Reason.DUPLICATE,
  'criteria-changed': Reason.CRITERIA_CHANGED,
  'retention-ended': Reason.RETENTION_ENDED,
  ordered: Reason.ORDERED,
  superseded: Reason.SUPERSEDED,
  collision: Reason.COLLISION,
  'known-good': Reason.KNOWN_GOOD,
  'key-compromised': Reason.KEY_COMPROMISED,
  'depicted-person': Reason.DEPICTED_PERSON,
};

export function register(program: Command): void {
  program
    .command('withdraw')
    .description('withdraw hashes or whole items; whoever holds the list releases what they caused')
    .requiredOption('--collection <name>', 'which of our collections')
    .option('--hash <hash...>', 'TYPE:HEX or HEX: every record of that hash')
    .option('--item <id...>', 'item id, hex: its records in every list of the collection')
    .option('--file <file>', 'hashes and items (item:HEX), one a line')
    .option('--whole-item', 'a hash withdraws its items under every hash type')
    .addOption(new Option('--reason <reason>', 'why').choices(Object.keys(REASONS)).makeOptionMandatory())
    .option('--dry-run', 'count and check, publish nothing')
    .option('--urgent', 'sign with the sequencing key alone, now; the second person countersigns later')
    .addOption(
      new Option('--out <batch>', 'publish nothing: write the batch, for hashfed batch prepare').conflicts([
        'dryRun',
        'urgent',
      ]),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  hashfed withdraw --collection known --item 0123456789abcdef0123456789abcdef --reason wrong\n  hashfed withdraw --collection known --file ids.txt --reason ordered --out away.hfbatch',
    )
    .action(
      action<Options>(async (context, options) => {
        const targets = await readTargets(options);
        const station = await openStation(context);
        try {
          await run(context, station, targets, options);
          return EXIT.done;
        } finally {
          station.channel.close();
        }
      }),
    );
}

async function readTargets({ hash = [], item = [], file }: Options): Promise<WithdrawTarget[]> {
  const named = [...hash, ...item.map((id) => `item:${id}`)].map(parseTarget);
  const targets = file === undefined ? named : [...named, ...(await readTargetFile(file))];
  if (targets.length === 0)
    throw new HashfedError('USAGE', 'name what to withdraw: --hash, --item or --file', { field: 'hash' });
  return targets;
}

/** Hashes and items, one a line; empty lines and those that begin with `#` apart. Throws USAGE with the line. */
async function readTargetFile(file: string): Promise<WithdrawTarget[]> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new HashfedError('USAGE', `cannot read ${file}`, { field: 'file', cause });
  });
  if (bytes.length > MAX_TARGET_FILE_BYTES)
    throw new HashfedError('USAGE', `${file} is over ${MAX_TARGET_FILE_BYTES} bytes`, { field: 'file' });
  return bytes
    .toString('utf8')
    .split(/\r?\n/)
    .flatMap((text, at) => {
      const line = text.trim();
      return line === '' || line.startsWith('#') ? [] : [targetOf(line, `${file}, line ${at + 1}`)];
    });
}

function targetOf(line: string, where: string): WithdrawTarget {
  try {
    return parseTarget(line);
  } catch (cause) {
    if (!(cause instanceof HashfedError)) throw cause;
    throw new HashfedError('USAGE', `${where}: ${cause.message}`, { field: 'file', cause });
  }
}

async function run(
  context: CliContext,
  station: Workstation,
  targets: readonly WithdrawTarget[],
  options: Options,
): Promise<void> {
  const replicas = await pullOwnLists(station, ownLists(station.config, options.collection).values());
  await withBatchFile(context, station, options.out, async (batchFile) => {
    const records = await writeWithdrawal(station, replicas, {
      targets,
      reason: REASONS[options.reason]!,
      wholeItems: options.wholeItem === true,
      batchFile,
      sourceName: 'withdrawal',
    });
    const left = stillListed(replicas, records);
    const items = [...new Set(records.map(({ itemId }) => toHex(itemId)))];
    const found = { withdrawn: records.length, items, still_listed: left };
    if (options.out !== undefined) {
      context.out.result({ batch: batchFile, ...found }, [
        `${count(records.length, 'record')} of ${count(items.length, 'item')}, to be withdrawn by ${batchFile}`,
        ...leftLines(left),
      ]);
      return;
    }
    const outcome = await publishFile(context, station, batchFile, { ...options, replicas });
    context.out.result({ ...outcomeJson(outcome), ...found }, [...outcomeLines(outcome), ...leftLines(left)]);
  });
}

function leftLines(left: number): string[] {
  if (left === 0) return [];
  return [
    `${count(left, 'other record')} of these items still listed; withdraw them with --item or --whole-item.`,
  ];
}

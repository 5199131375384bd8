import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { HashfedError, toHex } from '../../sdk/core/index.js';
import { action, type CliContext, EXIT } from '../cli/index.js';
import {
  type ImportOutcome,
  openBatch,
  ownLists,
  type PublishOutcome,
  publishBatch,
  type Replica,
  resumePending,
  takeOutbox,
  type Workstation,
} from '../publisher/index.js';
import {
  type ImportOptions,
  importFile,
  isBatchFile,
  openStation,
  outcomeJson,
  outcomeLines,
  passphraseOf,
  refusedFileOf,
  refusedLines,
} from './publisher-shared.js';

interface Options extends ImportOptions {
  readonly dryRun?: boolean;
  readonly urgent?: boolean;
  readonly readd?: boolean;
}

export function register(program: Command): void {
  program
    .command('publish')
    .argument('<file>', 'a batch file, or a source to import with --map')
    .description('import, prepare, sign and commit at once, where the keys are at hand')
    .option('--format <format>', 'auto or csv', 'auto')
    .option('--map <file>', 'what columns and classification values mean (JSON); for a source')
    .requiredOption('--collection <name>', 'which of our collections the hashes go to')
    .option('--dry-run', 'count and check, publish nothing')
    .option('--readd', 'list again what was withdrawn as wrong or not illegal; needs two keys')
    .option('--urgent', 'sign with the sequencing key alone, now; the second person countersigns later')
    .addHelpText('after', '\nExample:\n  hashfed publish cases.csv --map map.json --collection known')
    .action(
      action<Options>(async (context, options, [file = '']) => {
        const station = await openStation(context);
        try {
          await run(context, station, resolve(file), options);
          return EXIT.done;
        } finally {
          station.channel.close();
        }
      }),
    );
}

async function run(context: CliContext, station: Workstation, file: string, options: Options): Promise<void> {
  if (await isBatchFile(file)) {
    await requireCollection(station, file, options.collection);
    const outcome = await publishFile(context, station, file, options);
    context.out.result(outcomeJson(outcome), outcomeLines(outcome));
    return;
  }
  await mkdir(station.paths.outbox, { recursive: true, mode: 0o700 });
  const batchFile = join(station.paths.outbox, `${toHex(context.random.bytes(8))}.hfbatch`);
  const imported = await importFile(context, file, batchFile, options);
  try {
    const outcome = await publishFile(context, station, batchFile, options);
    context.out.result({ ...outcomeJson(outcome), ...importJson(imported, batchFile) }, [
      ...outcomeLines(outcome),
      ...refusedLines(imported, batchFile),
    ]);
  } finally {
    await rm(batchFile, { force: true });
  }
}

/** A batch names its lists itself; what the command line says must agree. Throws USAGE. */
async function requireCollection(station: Workstation, file: string, collection: string): Promise<void> {
  const { batch, reader } = await openBatch(file);
  await reader.close();
  const own = new Set(ownLists(station.config, collection).values());
  const other = batch.lists.find(({ origin }) => !own.has(origin));
  if (other !== undefined)
    throw new HashfedError('USAGE', `the batch is for a list outside the collection "${collection}"`, {
      origin: other.origin,
      field: 'collection',
    });
}

const importJson = ({ rows, items, refused }: ImportOutcome, batchFile: string): object => ({
  rows,
  items,
  refused,
  refused_file: refused > 0 ? refusedFileOf(batchFile) : null,
});

/** How to publish; `replicas` are own lists that the caller pulled a moment ago. */
export interface PublishFlags extends Pick<Options, 'dryRun' | 'urgent' | 'readd'> {
  readonly replicas?: ReadonlyMap<string, Replica>;
}

/** Publishes a batch file under progress bars. */
export async function publishFile(
  context: CliContext,
  station: Workstation,
  batchFile: string,
  flags: PublishFlags,
): Promise<PublishOutcome> {
  const { dryRun } = flags;
  const letGo = dryRun === true ? () => {} : await takeOutbox(station);
  try {
    if (dryRun !== true)
      for (const { folder } of await resumePending(station, passphraseOf(context)))
        context.out.warn(`Finished a publication that was interrupted: ${folder}`);
    return await publishAlone(context, station, batchFile, flags);
  } finally {
    letGo();
  }
}

async function publishAlone(
  context: CliContext,
  station: Workstation,
  batchFile: string,
  { dryRun, urgent, readd, replicas }: PublishFlags,
): Promise<PublishOutcome> {
  const pulling = context.out.progress('own lists');
  const uploading = context.out.progress('upload');
  try {
    return await publishBatch(station, {
      batchFile,
      passphrase: passphraseOf(context),
      oneKey: urgent === true,
      dryRun: dryRun === true,
      readd: readd === true,
      ...(replicas && { replicas }),
      onPull: pulling.update,
      onUpload: uploading.update,
    });
  } finally {
    pulling.stop();
    uploading.stop();
  }
}

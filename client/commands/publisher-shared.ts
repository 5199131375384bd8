import { existsSync } from 'node:fs';
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { equalBytes, HashfedError, toHex } from '../../sdk/core/index.js';
import { type CliContext, count, table } from '../cli/index.js';
import {
  BATCH_FILE,
  csvImporter,
  type Importer,
  type ImportOutcome,
  importToBatch,
  type ListOutcome,
  loadImportMap,
  openWorkstation,
  ownLists,
  type PublishOutcome,
  requireList,
  type Workstation,
} from '../publisher/index.js';
import { signingSuite } from './signing-suite.js';

export interface ImportOptions {
  readonly format?: string;
  readonly map?: string;
  readonly collection: string;
}

/** Opens the workstation of the configuration that the command line names. */
export async function openStation(
  context: CliContext,
  options: { readonly expiredRoot?: boolean } = {},
): Promise<Workstation> {
  const { clock, random, signal } = context;
  const config = await context.config();
  return openWorkstation({ config, suite: signingSuite(context), clock, random, signal, ...options });
}

/** The passphrase of encrypted keys, where one is set. */
export const passphraseOf = ({ env }: CliContext): string | undefined => env['HASHFED_KEY_PASSPHRASE'];

/**
 * The passphrase of an encrypted key: from the environment, else asked on the terminal without echo. Undefined where
 * there is neither.
 */
export async function askPassphrase(context: CliContext, file: string): Promise<string | undefined> {
  const given = passphraseOf(context);
  if (given !== undefined || context.out.json || process.stdin.isTTY !== true) return given;
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true });
  process.stderr.write(`Passphrase for ${file}: `);
  try {
    return await lines.question('', { signal: context.signal });
  } finally {
    lines.close();
    process.stderr.write('\n');
  }
}

/** True for a batch file, by its first bytes. Throws USAGE where there is no such file. */
export async function isBatchFile(file: string): Promise<boolean> {
  const handle = await openSource(file);
  try {
    const { buffer } = await handle.read(new Uint8Array(8), 0, 8, 0);
    return equalBytes(buffer, BATCH_FILE.magic);
  } finally {
    await handle.close();
  }
}

function openSource(file: string): Promise<FileHandle> {
  return open(file, 'r').catch((cause: unknown) => {
    throw new HashfedError('USAGE', `cannot read ${file}`, { field: 'FILE', cause });
  });
}

/** Reads a source file into a batch file; refused rows go to a CSV beside it. */
export async function importFile(
  context: CliContext,
  file: string,
  batchFile: string,
  options: ImportOptions,
): Promise<ImportOutcome> {
  const importer = await importerFor(options);
  const lists = ownLists(await context.config(), options.collection);
  const source = await openSource(file);
  const progress = context.out.progress('rows');
  try {
    return await importToBatch({
      importer,
      source: source.createReadStream({ autoClose: false }),
      sourceName: basename(file),
      batchFile,
      refusedFile: refusedFileOf(batchFile),
      originOf: (type) => requireList(lists, type),
      random: context.random,
      clock: context.clock,
      signal: context.signal,
      onRows: (rows) => progress.update(rows, 0),
    });
  } finally {
    progress.stop();
    await source.close();
  }
}

/** Where a batch is made: in `kept`, which must not exist yet, or in the outbox, from where it goes when `work` ends. */
export async function withBatchFile(
  { random }: CliContext,
  { paths }: Workstation,
  kept: string | undefined,
  work: (batchFile: string) => Promise<void>,
): Promise<void> {
  if (kept !== undefined) {
    const file = resolve(kept);
    if (existsSync(file)) throw new HashfedError('USAGE', `${file} exists already`, { field: 'out' });
    return work(file);
  }
  await mkdir(paths.outbox, { recursive: true, mode: 0o700 });
  const file = join(paths.outbox, `${toHex(random.bytes(8))}.hfbatch`);
  try {
    await work(file);
  } finally {
    await rm(file, { force: true });
  }
}

export const refusedFileOf = (batchFile: string): string => `${batchFile}.refused.csv`;

async function importerFor({ format = 'auto', map }: ImportOptions): Promise<Importer> {
  if (format !== 'auto' && format !== 'csv')
    throw new HashfedError('USAGE', `--format ${format}: this build reads csv`, { field: 'format' });
  if (map === undefined)
    throw new HashfedError('USAGE', '--map FILE is required: it says what columns and classifications mean', {
      field: 'map',
    });
  return csvImporter(await loadImportMap(map));
}

/** The refused rows in words, for the terminal. */
export function refusedLines({ refused, firstRefused }: ImportOutcome, batchFile: string): string[] {
  if (refused === 0) return [];
  return [
    `${count(refused, 'row')} refused, written to ${refusedFileOf(batchFile)}:`,
    ...firstRefused.map(({ line, field, reason }) => `  line ${line}: ${field}: ${reason}`),
  ];
}

/** An outcome as `--json` prints it. */
export function outcomeJson(outcome: PublishOutcome): object {
  return {
    publish_id: toHex(outcome.publishId),
    committed: outcome.committed.length > 0,
    live: outcome.committed.length > 0 && outcome.committed.every(({ live }) => live),
    keys_used: outcome.keysUsed,
    folder: outcome.folder ?? null,
    lists: outcome.lists.map((list) => ({
      origin: list.origin,
      from: list.from,
      size: list.to,
      root: list.root,
      batch_no: list.batchNo,
      added: list.added,
      amended: list.amended,
      withdrawn: list.withdrawn,
      holds: list.holds,
      set_count: list.setCount,
      two_keys_needed: list.twoKeysNeeded,
      committed_ms: outcome.committed.find(({ origin }) => origin === list.origin)?.committedMs ?? null,
    })),
  };
}

/** An outcome for people. */
export function outcomeLines(outcome: PublishOutcome): string[] {
  const done = outcome.committed.length > 0;
  return [
    done
      ? `Published ${toHex(outcome.publishId)} with ${outcome.keysUsed.length === 1 ? 'one key' : `${outcome.keysUsed.length} keys`}.`
      : `Dry run: nothing was sent.`,
    ...table([
      ['list', 'added', 'amended', 'withdrawn', 'held', 'records', 'size', 'keys needed'],
      ...outcome.lists.map(listRow),
    ]),
  ];
}

const listRow = (list: ListOutcome): string[] => [
  list.origin,
  ...[list.added, list.amended, list.withdrawn, list.holds, list.setCount, list.to].map(String),
  list.twoKeysNeeded ? 'two' : 'one',
];

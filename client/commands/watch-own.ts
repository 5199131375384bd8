import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { ERROR_TABLE, HashfedError } from '../../sdk/core/index.js';
import { pause } from '../../sdk/rpc/index.js';
import { action, type CliContext, EXIT, table } from '../cli/index.js';
import { publisherPaths, takeHanded, type Watched, type WatchRound, watchOnce } from '../publisher/index.js';
import { openStation, passphraseOf } from './publisher-shared.js';

interface Options {
  readonly once?: boolean;
  readonly every: string;
  readonly handed?: readonly string[];
}

const MINUTE_MS = 60_000;
/** A round that could not be done is tried again after this long, milliseconds. */
const RETRY_MS = MINUTE_MS;

export function register(program: Command): void {
  program
    .command('watch-own')
    .description(
      'say hourly that our lists live, and alarm when the server shows something else than we signed',
    )
    .option('--once', 'one round, then end')
    .option('--every <minutes>', 'minutes between rounds', '60')
    .option('--handed <file...>', 'signed files that another desk handed in: their notes are ours too')
    .addHelpText('after', '\nExample:\n  hashfed watch-own --config members/police/hashfed.json')
    .action(
      action<Options>(async (context, options) => {
        const everyMs = minutes(options.every) * MINUTE_MS;
        await takeFiles(context, options.handed ?? []);
        for (;;) {
          const waitMs = await roundOrRetry(context, options.once === true, everyMs);
          if (waitMs === undefined) return EXIT.verification;
          if (options.once === true) return EXIT.done;
          await pause(waitMs, context.signal);
        }
      }),
    );
}

function minutes(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 24 * 60) return value;
  throw new HashfedError('USAGE', '--every is a whole number of minutes, 1 to 1440', { field: 'every' });
}

async function takeFiles(context: CliContext, files: readonly string[]): Promise<void> {
  if (files.length === 0) return;
  const station = await openStation(context);
  try {
    await takeHanded(
      station,
      files.map((file) => resolve(file)),
    );
  } finally {
    station.channel.close();
  }
}

/** Milliseconds until the next round, or undefined after an alarm. While watching, what may pass is tried again. */
async function roundOrRetry(
  context: CliContext,
  once: boolean,
  everyMs: number,
): Promise<number | undefined> {
  try {
    return (await round(context)) ? everyMs : undefined;
  } catch (error) {
    const lasting =
      !(error instanceof HashfedError) || error.class !== 'failed' || error.code === 'CANCELLED';
    if (once || lasting) throw error;
    context.out.warn(`This round failed (${error.code}: ${error.message}); trying again.`);
    return Math.min(RETRY_MS, everyMs);
  }
}

/** True where nothing is wrong. */
async function round(context: CliContext): Promise<boolean> {
  const station = await openStation(context);
  try {
    const outcome = await watchOnce(station, passphraseOf(context));
    const alarms = outcome.lists.filter(({ verdict }) => verdict !== 'same');
    const evidence = await keepEvidence(context, alarms);
    context.out.result(toJson(outcome, evidence), toLines(outcome, evidence));
    if (!outcome.signed && outcome.lists.length > 0 && alarms.length === 0)
      context.out.warn('No liveness was signed: the live key is not at hand, or the root has none.');
    return alarms.length === 0;
  } finally {
    station.channel.close();
  }
}

/** What the server showed is kept verbatim: it is the proof. */
async function keepEvidence(context: CliContext, alarms: readonly Watched[]): Promise<string | undefined> {
  if (alarms.length === 0) return undefined;
  const folder = join(
    publisherPaths(await context.config()).records,
    'alarms',
    String(context.clock.nowMs()),
  );
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const { origin, shownNote } of alarms)
    await writeFile(join(folder, `${origin.replaceAll('/', '_')}.note`), shownNote, { mode: 0o600 });
  return folder;
}

function toJson({ lists, signed }: WatchRound, evidence: string | undefined): object {
  return {
    signed,
    alarm: evidence !== undefined,
    evidence: evidence ?? null,
    lists: lists.map(({ origin, size, shownSize, verdict }) => ({
      origin,
      size,
      shown_size: shownSize,
      verdict,
    })),
  };
}

const MEANING: Readonly<Record<string, string>> = {
  EQUIVOCATION: 'the server shows another history of the same size: ring your hosters, keep the evidence',
  ROLLBACK: 'the server shows an older state than we handed in, or none: it withholds or was restored',
  SIGNER_BEHIND:
    'the server shows more than this desk handed in: another desk published (--handed), or the sequencing key is in other hands',
};

function toLines({ lists, signed }: WatchRound, evidence: string | undefined): string[] {
  if (lists.length === 0) return ['Nothing was published from here yet.'];
  const alarms = lists.filter(({ verdict }) => verdict !== 'same');
  return [
    ...table([
      ['list', 'ours', 'shown', 'verdict'],
      ...lists.map((one) => [one.origin, String(one.size), String(one.shownSize), one.verdict]),
    ]),
    ...alarms.map(({ origin, verdict }) => `ALARM ${origin}: ${MEANING[verdict] ?? describe(verdict)}`),
    ...(evidence === undefined ? [] : [`What was shown is kept in ${evidence}.`]),
    signed ? 'Liveness signed.' : 'No liveness signed.',
  ];
}

const describe = (verdict: string): string =>
  verdict in ERROR_TABLE ? `the note that the server shows does not count (${verdict})` : verdict;

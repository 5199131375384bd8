import { open } from 'node:fs/promises';
import type { Command } from 'commander';
import { stringify as toCsv } from 'csv-stringify/sync';
import { HashfedError } from '../../sdk/core/index.js';
import { platformSuite } from '../../sdk/hash/platform/index.js';
import { action, type CliContext, count, EXIT, stringify } from '../cli/index.js';
import {
  acknowledge,
  EXPORT_COLUMNS,
  exportRows,
  type MonitorDesk,
  openMonitor,
  type ReadTelemetry,
  readTelemetry,
} from '../monitor/telemetry/index.js';
import { showFigures } from './monitor-figures.js';
import { register as watch } from './monitor-watch.js';

interface Period {
  readonly from?: string;
  readonly to?: string;
  readonly acknowledge?: boolean;
}

interface ExportOptions extends Period {
  readonly format: string;
  readonly out?: string;
}

const DAY_MS = 86_400_000;

export function register(program: Command): void {
  const monitor = program
    .command('monitor')
    .description('what hosters counted, read as the monitor')
    .addHelpText('after', '\nExample:\n  hashfed monitor figures --from 2026-11-01 --to 2026-11-30');
  withPeriod(monitor.command('figures').description('totals by hoster, list, classification, action and day'))
    .addHelpText('after', '\nExample:\n  hashfed monitor figures --from 2026-11-01 --to 2026-11-30')
    .action(
      action<Period>((context, period) =>
        withMonitor(context, async (desk) => {
          const read = await readPeriod(context, desk, period);
          return showFigures(context, desk, read, isWhole(period));
        }),
      ),
    );
  withPeriod(monitor.command('export').description('every number of every report, one a row'))
    .option('--format <format>', 'csv or json', 'csv')
    .option('--out <file>', 'write to a file that does not exist yet')
    .addHelpText('after', '\nExample:\n  hashfed monitor export --format csv --out november.csv')
    .action(
      action<ExportOptions>((context, options) =>
        withMonitor(context, async (desk) => {
          const { reports } = await readPeriod(context, desk, options);
          await writeExport(context, exportRows(reports), options);
          return EXIT.done;
        }),
      ),
    );
  watch(monitor, withMonitor);
}

function withPeriod(command: Command): Command {
  return command
    .option('--from <day>', 'first UTC day, YYYY-MM-DD')
    .option('--to <day>', 'last UTC day, YYYY-MM-DD')
    .option('--no-acknowledge', 'send no receipts for what is read');
}

/** Runs `work` with the monitor's connection and closes it whatever happens. */
async function withMonitor<T>(context: CliContext, work: (desk: MonitorDesk) => Promise<T>): Promise<T> {
  const { clock, random, signal } = context;
  const config = await context.config();
  const desk = await openMonitor({ config, suite: platformSuite(), clock, random, signal });
  try {
    return await work(desk);
  } finally {
    desk.channel.close();
  }
}

/** Reads and verifies a period and says so to the hosters, in receipts, where a key is configured. */
async function readPeriod(
  { signal, clock, out }: CliContext,
  desk: MonitorDesk,
  period: Period,
): Promise<ReadTelemetry> {
  const from = dayOf(period.from, 'from');
  const to = dayOf(period.to, 'to');
  const read = await readTelemetry({
    ...desk,
    signal,
    allRevisions: true,
    ...(from !== undefined && { fromMs: from }),
    ...(to !== undefined && { toMs: to + DAY_MS }),
  });
  for (const { arrival, why } of read.unverified)
    out.warn(`hashfed: report ${arrival} does not verify: ${why}`);
  if (period.acknowledge !== false && desk.signer !== undefined)
    await acknowledge(desk.channel, desk.signer, read.reports, clock.nowMs(), signal);
  return read;
}

const isWhole = ({ from, to }: Period): boolean => from === undefined && to === undefined;

function dayOf(text: string | undefined, field: string): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(ms)) throw new HashfedError('USAGE', `--${field} is a day as YYYY-MM-DD`, { field });
  return ms;
}

async function writeExport(
  context: CliContext,
  rows: ReturnType<typeof exportRows>,
  { format, out }: ExportOptions,
): Promise<void> {
  const json = format === 'json' || context.out.json;
  if (!json && format !== 'csv')
    throw new HashfedError('USAGE', '--format is csv or json', { field: 'format' });
  const text = json
    ? `${stringify({ columns: EXPORT_COLUMNS, rows })}\n`
    : toCsv(rows, { header: true, columns: [...EXPORT_COLUMNS] });
  if (out === undefined) {
    process.stdout.write(text);
    return;
  }
  const file = await open(out, 'wx', 0o600).catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'EEXIST' ? 'is there already' : 'cannot be written';
    throw new HashfedError('USAGE', `${out} ${why}`, { field: 'out', cause });
  });
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  context.out.result({ file: out, rows: rows.length }, `Wrote ${count(rows.length, 'row')} to ${out}.`);
}

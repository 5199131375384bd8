import type { Command } from 'commander';
import type { TelemetryAlarm, TelemetryDesk, TelemetryPreview } from '../../sdk/index.js';
import { HashfedError } from '../../sdk/index.js';
import { action, type CliContext, count, EXIT } from '../cli/index.js';
import { withHoster } from './hoster-shared.js';

export function register(program: Command): void {
  const telemetry = program
    .command('telemetry')
    .description('the counts that leave this hoster for the monitor: no hash, no name, no user')
    .addHelpText('after', '\nExample:\n  hashfed telemetry show --json');
  telemetry
    .command('show')
    .description('exactly what will leave, and what has left and is not settled')
    .addHelpText('after', '\nExample:\n  hashfed telemetry show --json')
    .action(
      action((context) =>
        withDesk(context, async (desk) => {
          const preview = await desk.show(context.signal);
          context.out.result(preview, previewLines(preview));
          return EXIT.done;
        }),
      ),
    );
  telemetry
    .command('flush')
    .description('send everything counted so far, the running day or hour included')
    .addHelpText(
      'after',
      '\nExample:\n  hashfed telemetry flush\n\nA later flush of the same day sends its counts anew and replaces the earlier ones.',
    )
    .action(
      action((context) =>
        withDesk(context, async (desk) => {
          const outcome = await desk.flush(context.signal);
          const { queued, accepted, late, refused, acknowledged, alarms } = outcome;
          context.out.result(outcome, [
            `${count(queued, 'report')} made, ${accepted} accepted, ${refused} refused, ${acknowledged} read by the monitor.`,
            ...(late > 0 ? [`${late} came too late to count.`] : []),
            ...alarms.map(alarmLine),
          ]);
          return refused > 0 ? EXIT.failed : EXIT.done;
        }),
      ),
    );
}

/** With the store of this member: its writer, or a reader that asks the writer. */
function withDesk<T>(context: CliContext, work: (desk: TelemetryDesk) => Promise<T>): Promise<T> {
  return withHoster(context, 'auto', (hashfed) => {
    if (hashfed.telemetry === undefined)
      throw new HashfedError('USAGE', 'telemetry is counted elsewhere', { field: 'telemetry' });
    return work(hashfed.telemetry);
  });
}

function previewLines({ enabled, member, next, spool, alarms }: TelemetryPreview): string[] {
  if (!enabled) return ['Telemetry is switched off: nothing is counted and nothing leaves.'];
  return [
    `Reports of ${member} that a flush makes now: ${next.length}`,
    ...next.flatMap((report) => JSON.stringify(report, null, 2).split('\n')),
    `Queued, or waiting for receipts: ${spool.length}`,
    ...spool.map(
      (one) =>
        `  ${spooledText(one.report)}: ${one.state}${one.state === 'receipted' && !one.monitor_receipt ? ', not yet read by the monitor' : ''}`,
    ),
    ...(spool.length > 0 ? ['Their text: hashfed telemetry show --json'] : []),
    ...alarms.map(alarmLine),
  ];
}

/** Which window a report is of; its fields are those that `--json` shows. */
function spooledText(report: object): string {
  const { window_kind, window_start, revision } = report as Record<string, unknown>;
  return `${window_kind} ${window_start}, revision ${revision}`;
}

const CAUSES = {
  refused: 'was refused',
  'no-monitor-receipt': 'was not read by the monitor within 72 hours',
  undelivered: 'could not be delivered within 72 hours',
} as const;

const alarmLine = ({ cause, window, revision, code }: TelemetryAlarm): string =>
  `! ${window}, revision ${revision}: ${CAUSES[cause]}${code === '' ? '' : ` (${code})`}${ADVICE[code] ?? ''}`;

const ADVICE: Readonly<Record<string, string>> = {
  TELEMETRY_CONFLICT: '; another store reports under this name: one member, one store',
};

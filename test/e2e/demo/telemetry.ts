import type { Federation } from './federation.js';
import { hashfed, result } from './processes.js';
import type { Report } from './report.js';
import { must, type Truth } from './run.js';

export interface TelemetryCounts {
  readonly reports: number;
  readonly objects_checked: number;
  readonly objects_matched: number;
}

/** The hoster sends its counts; the monitor, as its own member, must read the same numbers. */
export async function countAtMonitor(
  report: Report,
  federation: Federation,
  truth: Truth,
): Promise<TelemetryCounts> {
  await hashfed(['telemetry', 'flush', '--config', federation.config('hoster-a')]);
  const { totals } = result(
    await hashfed(['monitor', 'figures', '--config', federation.config('monitor')]),
  ) as unknown as {
    totals: TelemetryCounts;
  };
  // The scan checked every file once; the withdrawn file was checked once more, and found nothing.
  must(
    totals.objects_checked === truth.tree.files + 1,
    `the monitor counts ${totals.objects_checked} objects, expected ${truth.tree.files + 1}`,
  );
  must(
    totals.objects_matched === truth.expected,
    `the monitor counts ${totals.objects_matched} matches, expected ${truth.expected}`,
  );
  must(totals.reports >= 1, 'no report arrived');
  report.step(
    'telemetry',
    `the monitor reads the same: ${totals.objects_checked} objects checked, ${totals.objects_matched} matched`,
    totals,
  );
  return {
    reports: totals.reports,
    objects_checked: totals.objects_checked,
    objects_matched: totals.objects_matched,
  };
}

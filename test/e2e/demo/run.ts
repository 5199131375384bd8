import { type Federation, makeFederation, setPolicy, writeCsv } from './federation.js';
import { type Content, countFiles, readTree, sample, type Tree } from './files.js';
import { type MirroredList, mirrorLists } from './mirror.js';
import type { DemoOptions } from './options.js';
import { type Running, startServer } from './processes.js';
import type { Report } from './report.js';
import { checkSelftest, publish, readLists, type SyncedList, scan, sync } from './steps.js';
import { countAtMonitor, type TelemetryCounts } from './telemetry.js';
import { type Withdrawal, withdrawAndRelease } from './withdrawal.js';

/** Files between two signs of progress. */
const PROGRESS_FILES = 250;
/** Distinct contents that the two publishers list. */
const SAMPLE_SIZES = [60, 40] as const;

export interface DemoRun extends DemoOptions {
  /** For everything the demo makes; outside the scanned folder. */
  readonly folder: string;
  readonly report: Report;
  readonly signal: AbortSignal;
}

/** What is true by construction, before anything is published. */
export interface Truth {
  readonly tree: Tree;
  readonly police: readonly Content[];
  readonly hotline: readonly Content[];
  readonly expected: number;
}

/** Throws with what went wrong unless `ok`. */
export function must(ok: boolean, what: string): asserts ok {
  if (!ok) throw new Error(what);
}

export async function runDemo(run: DemoRun): Promise<void> {
  const started = performance.now();
  const truth = await countTruth(run);
  const federation = await prepare(run);
  const server = await startServer(federation.server);
  run.report.step('serve', `server listens on ${federation.address} with mutual TLS`);
  try {
    const outcome = await runSteps(run, federation, truth);
    const summary = summarise(outcome, truth, (performance.now() - started) / 1000);
    run.report.summary(summary, summaryLines(outcome, truth, summary.seconds));
    if (!run.once) await waitForStop(run, federation, server);
  } finally {
    await server.stop();
  }
}

async function countTruth({ scan: folder, seed, report }: DemoRun): Promise<Truth> {
  report.heading(`Counting the files below ${folder}`);
  const tree = await readTree(folder, (files) => {
    if (files % PROGRESS_FILES === 0) report.progress(`  ${files} files`);
  });
  report.progress(undefined);
  const [police, hotline] = sample(tree, seed, SAMPLE_SIZES);
  must(
    police.length > 0 && hotline.length > 0,
    `${folder} holds ${tree.contents.length} different files, too few to list some of them; name another with --scan DIR`,
  );
  const expected = countFiles(police) + countFiles(hotline);
  report.step(
    'count',
    `${tree.files} files, ${tree.contents.length} different; ${police.length + hotline.length} of those will be listed, so ${expected} files must match`,
    {
      files: tree.files,
      bytes: tree.bytes,
      contents: tree.contents.length,
      expected_matches: expected,
    },
  );
  return { tree, police, hotline, expected };
}

async function prepare({ folder, report }: DemoRun): Promise<Federation> {
  report.heading('Making a federation');
  const federation = await makeFederation(`${folder}/federation`);
  const policy = await setPolicy(federation.config('hoster-a'));
  report.step(
    'init',
    'operator, police, hotline, two hosters, monitor, mirror: keys, certificates, signed directory',
    { policy },
  );
  report.say('the hoster waits for nothing (probation_hours: 0, observe_hours: 0), but for 24 hours');
  report.say('with new entries of the hotline: those are held, not blocked');
  return federation;
}

export interface Outcome {
  /** As the hoster holds them at the end, the withdrawal included. */
  readonly lists: readonly SyncedList[];
  readonly scanned: Record<string, number>;
  readonly withdrawal: Withdrawal;
  readonly telemetry: TelemetryCounts;
  readonly mirror: readonly MirroredList[];
}

/** Between two parts: stops here when a signal came. */
function begin({ report, signal }: DemoRun, text: string): void {
  must(!signal.aborted, 'stopped by a signal');
  report.heading(text);
}

async function runSteps(run: DemoRun, federation: Federation, truth: Truth): Promise<Outcome> {
  const { report } = run;
  begin(run, 'Police and hotline publish signed batches');
  for (const [member, contents] of [
    ['police', truth.police],
    ['hotline', truth.hotline],
  ] as const) {
    const files = await writeCsv(run.folder, member, contents);
    await publish(report, federation, member, files);
  }
  begin(run, 'A hoster syncs, verifies and scans');
  await sync(report, federation, truth);
  await checkSelftest(report, federation);
  const scanned = await scan(report, federation, run.scan, truth);
  begin(run, 'A withdrawal reaches the hoster');
  const withdrawal = await withdrawAndRelease(report, federation, mostCopied(truth.police));
  begin(run, 'Counts reach the monitor');
  const telemetry = await countAtMonitor(report, federation, truth);
  begin(run, 'A mirror carries the same lists');
  const mirror = await mirrorLists(report, federation);
  const lists = await readLists(federation);
  requireSameRoots(lists, mirror);
  begin(run, 'Later parts of the federation');
  for (const name of ['known-good veto', 'notice and removal', "the monitor's page"]) report.notYet(name);
  return { lists, scanned, withdrawal, telemetry, mirror };
}

/** The content that lies in most places: its withdrawal releases all of them. */
const mostCopied = (contents: readonly Content[]): Content =>
  contents.reduce((most, one) => (one.paths.length > most.paths.length ? one : most));

/** Hoster, origin and mirror hold the same histories. */
function requireSameRoots(lists: readonly SyncedList[], mirror: readonly MirroredList[]): void {
  const served = new Map(mirror.map(({ origin, origin_root }) => [origin, origin_root]));
  for (const { origin, checkpoint_root } of lists)
    must(served.get(origin) === checkpoint_root, `the hoster holds another ${origin} than the origin serves`);
}

function summarise(
  { lists, scanned, withdrawal, telemetry, mirror }: Outcome,
  truth: Truth,
  seconds: number,
): Record<string, unknown> & { readonly seconds: number } {
  return {
    ok: true,
    seconds: Math.round(seconds * 10) / 10,
    lists,
    hoster: {
      files: scanned['files'],
      bytes: scanned['bytes'],
      expected_matches: truth.expected,
      matches: scanned['matches'],
      false_matches: scanned['false_matches'],
      held: scanned['held'],
      blocked: scanned['blocked'],
      vetoed: null,
    },
    withdrawal,
    telemetry,
    takedown: { notices: null, within_norm: null, norm_seconds: null, censored: null, metric_version: null },
    mirror,
    monitor_url: null,
  };
}

/** The summary for people. */
function summaryLines(
  { lists, scanned, withdrawal, telemetry }: Outcome,
  truth: Truth,
  seconds: number,
): string[] {
  return [
    `${lists.length} lists, the same at origin, hoster and mirror`,
    `${scanned['files']} files scanned: ${scanned['matches']} of ${truth.expected} expected matches, ${scanned['false_matches']} false`,
    `${scanned['blocked']} blocked, ${scanned['held']} held, ${withdrawal.released} released by a withdrawal`,
    `${telemetry.objects_checked} objects checked, ${telemetry.objects_matched} matched, as the monitor reads it`,
    `everything that exists was verified, in ${seconds} s; notices and the monitor's page: not yet`,
  ];
}

async function waitForStop(
  { report, signal }: DemoRun,
  federation: Federation,
  server: Running,
): Promise<void> {
  report.heading(
    `The server goes on at ${federation.address}; the monitor's page: not yet. In another terminal:`,
  );
  report.say(`npx hashfed lists --config ${federation.config('hoster-a')}`);
  report.say(`npx hashfed monitor figures --config ${federation.config('monitor')}`);
  report.say('Ctrl-C ends it and removes what it made.');
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
    server.child.once('exit', () => resolve());
  });
}

import { Coverage, TelemetryReport } from '../../proto/gen/hashfed/v1/telemetry.js';
import { decodeStrict, HashfedError, parseDsse, type Suite } from '../core/index.js';
import type { JournalEntry, SpooledReport, Store } from '../store/index.js';
import { dueWindows } from './due.js';
import { reportJson } from './json.js';
import { MAX_REPORT_BYTES, MONITOR_ALARM_MS } from './limits.js';
import { basisOf, buildReport, makeReport, NO_COVERAGE, type ReportFacts } from './report.js';
import { type SubmitOutcome, submitQueued } from './submit.js';
import { sumName, type TalliedObject, tallyObject } from './tally.js';
import type { TelemetryAlarm, TelemetryParts, TelemetryPreview } from './types.js';
import { type Window, windowAt } from './window.js';

const THROUGH = 'telemetry.through';
const COVERAGE = 'telemetry.coverage';

export interface FlushOutcome extends SubmitOutcome {
  /** Reports that were made now. */
  readonly queued: number;
  readonly alarms: readonly TelemetryAlarm[];
}

export interface FlushOptions {
  /** Also the window that is still running. */
  readonly open: boolean;
  /** Also ask whether the monitor has read what was sent before. */
  readonly ask: boolean;
  readonly signal?: AbortSignal;
}

/** A hoster's counts: taken synchronously, spooled before they are sent, sent until they are receipted. */
export class Telemetry {
  readonly #parts: TelemetryParts;
  #flushing: Promise<unknown> = Promise.resolve();

  constructor(parts: TelemetryParts) {
    this.#parts = parts;
  }

  get store(): Store {
    return this.#parts.store;
  }

  /** Counts one checked object in the window of `nowMs`. Never throws, costs no I/O. */
  object(counted: TalliedObject & { readonly nowMs: number }): void {
    const { enabled, store, publisherOf } = this.#parts;
    const window = enabled ? this.#label(counted.nowMs) : undefined;
    if (window === undefined) return;
    for (const step of tallyObject(counted, publisherOf)) {
      if (step.kind === 'add') store.counters.add(window, step.name, step.n);
      else store.counters.addDistinct(window, step.set, step.member);
    }
  }

  /** Counts objects that were let out of quarantine: by a withdrawal, or for another reason. */
  released(
    entries: readonly JournalEntry[],
    nowMs: number,
    sum: 'releases' | 'otherReleases' = 'releases',
  ): void {
    const window = this.#parts.enabled ? this.#label(nowMs) : undefined;
    if (window === undefined) return;
    for (const group of ['figures', 'drill'] as const) {
      const refs = new Set(
        entries.filter(({ drill }) => drill === (group === 'drill')).map(({ ref }) => ref),
      );
      if (refs.size > 0) this.store.counters.add(window, sumName(group, sum), refs.size);
    }
  }

  /** States what is known of coverage beside what is counted; kept until it is stated again. */
  async stateCoverage(coverage: Partial<Coverage>): Promise<void> {
    const bytes = Coverage.encode({ ...(await this.#coverage()), ...coverage }).finish();
    if (this.store.readOnly) await this.store.inbox.putSetting(COVERAGE, bytes);
    else await this.store.settings.put(COVERAGE, bytes);
  }

  /** What would leave, without sending anything. Needs the writer of the store. */
  async show(): Promise<TelemetryPreview> {
    const { enabled, member } = this.#parts;
    const held = await this.store.spool.list();
    return {
      enabled,
      member,
      next: enabled ? await this.#previews() : [],
      spool: held.map((report) => ({
        state: report.state,
        queued_ms: report.queuedMs,
        server_receipt: report.state === 'receipted',
        monitor_receipt: report.monitorReceipt.length > 0,
        report: reportJson(reportOf(report)),
      })),
      alarms: alarmsOf(held, this.#parts.clock.nowMs()),
    };
  }

  /**
   * Makes reports of all windows that have something new to say (with `open`, of the running one too) and sends what is
   * queued. What cannot be sent stays queued, and the reason is thrown. Needs the writer of the store. One at a time.
   */
  flush(options: FlushOptions): Promise<FlushOutcome> {
    const turn = this.#flushing.then(() => this.#flush(options));
    this.#flushing = turn.catch(() => {});
    return turn;
  }

  async #flush(options: FlushOptions): Promise<FlushOutcome> {
    if (!this.#parts.enabled)
      throw new HashfedError('USAGE', 'telemetry is switched off in the configuration', {
        field: 'telemetry.enabled',
      });
    const queued = await this.#queueDue(options.open);
    const { suite, channels } = this.#parts;
    const deps = { spool: this.store.spool, suite, channels, members: await this.#parts.members() };
    const sent = await submitQueued(deps, options.ask, options.signal);
    const alarms = alarmsOf(await this.store.spool.list(), this.#parts.clock.nowMs());
    return { queued, ...sent, alarms };
  }

  async #queueDue(open: boolean): Promise<number> {
    await this.store.inbox.absorb();
    const { report, forget, through } = await this.#due(open);
    const signer = await this.#parts.signer();
    const deps = { signer, sha256: this.#parts.suite.sha256, facts: await this.#facts() };
    let queued = 0;
    for (const window of report) {
      const made = await this.store.spool.revise(window.label, (slot, counts) =>
        buildReport(deps, window, counts, slot, this.#parts.clock.nowMs()),
      );
      if (made !== undefined) queued += 1;
    }
    for (const label of forget) await this.store.spool.forget(label);
    await this.#putThrough(through);
    return queued;
  }

  async #due(open: boolean) {
    const { unit, clock } = this.#parts;
    const held = await this.store.settings.get(THROUGH);
    return dueWindows({
      unit,
      nowMs: clock.nowMs(),
      through: held && Buffer.from(held).toString('utf8'),
      counted: await this.store.counters.windows(),
      revised: (await this.store.spool.revisions()).map(({ window }) => window),
      open,
    });
  }

  async #putThrough(through: string): Promise<void> {
    const held = await this.store.settings.get(THROUGH);
    if (held !== undefined && Buffer.from(held).toString('utf8') === through) return;
    await this.store.settings.put(THROUGH, new Uint8Array(Buffer.from(through, 'utf8')));
  }

  async #previews(): Promise<object[]> {
    const { store, suite, clock } = this.#parts;
    const facts = await this.#facts();
    const revisions = new Map((await store.spool.revisions()).map((one) => [one.window, one.revision]));
    const newest = new Map((await store.spool.list()).map((one) => [one.window, one]));
    const next = await store.spool.next();
    const found: object[] = [];
    for (const window of (await this.#due(true)).report) {
      const slot = { ...next, id: '0'.repeat(32), revision: (revisions.get(window.label) ?? 0) + 1 };
      const counts = await store.counters.read(window.label);
      const report = makeReport(facts, window, counts, slot, clock.nowMs());
      if (!sameBasis(suite, report, newest.get(window.label))) found.push(reportJson(report));
    }
    return found;
  }

  async #facts(): Promise<ReportFacts> {
    const { member, sdkVersion, policySha256 } = this.#parts;
    return { member, sdkVersion, policySha256, coverage: await this.#coverage() };
  }

  async #coverage(): Promise<Coverage> {
    const held = await this.store.settings.get(COVERAGE);
    return held === undefined ? NO_COVERAGE : decodeStrict(Coverage, held, 'coverage', 1024);
  }

  /** Undefined for a clock that no label can name: counting must not throw into matching. */
  #label(nowMs: number): Window['label'] | undefined {
    try {
      return windowAt(this.#parts.unit, nowMs).label;
    } catch {
      return undefined;
    }
  }
}

function reportOf({ bytes }: SpooledReport): TelemetryReport {
  const { body } = parseDsse('telemetry', bytes, MAX_REPORT_BYTES);
  return decodeStrict(TelemetryReport, body, 'report', MAX_REPORT_BYTES);
}

function sameBasis(suite: Suite, report: TelemetryReport, held: SpooledReport | undefined): boolean {
  if (held === undefined) return false;
  const [a, b] = [basisOf(suite.sha256, report), basisOf(suite.sha256, reportOf(held))];
  return Buffer.compare(a, b) === 0;
}

/** What the spool says a person should look at. */
export function alarmsOf(spool: readonly SpooledReport[], nowMs: number): TelemetryAlarm[] {
  return spool.flatMap((report): TelemetryAlarm[] => {
    const { sequence, window, revision, state } = report;
    const base = { sequence, window, revision, code: '' };
    if (state === 'refused')
      return [{ ...base, cause: 'refused', code: Buffer.from(report.receipt).toString('utf8') }];
    if (nowMs - report.queuedMs < MONITOR_ALARM_MS) return [];
    return [{ ...base, cause: state === 'receipted' ? 'no-monitor-receipt' : 'undelivered' }];
  });
}

/**
 * Telemetry reports with their receipts, numbered in order of arrival. Concurrent puts are gathered into one
 * transaction, so that they share one sync and one step of the counter.
 */
import { HashfedError } from '../../sdk/core/index.js';
import { ValueReader, ValueWriter } from './codec.js';
import { sameBytes } from './deps.js';
import { checkAborted, damaged } from './failure.js';
import type { Kernel, Precondition, Row } from './kernel.js';
import { KeyReader, keyOf, rangeOf } from './keys.js';
import { MAX_ATTEMPTS, MAX_PAGE_SIZE } from './limits.js';
import { page } from './paging.js';
import type { Page, ReportQuery, StoredReceipt, StoredReport, TelemetryStore } from './types.js';

type NewReport = Omit<StoredReport, 'sequence'>;
interface Put {
  readonly report: StoredReport;
  readonly receipt: Uint8Array;
  readonly fresh: boolean;
}
interface Waiting {
  readonly report: NewReport;
  readonly receipt: Uint8Array;
  readonly resolve: (put: Put) => void;
  readonly reject: (error: unknown) => void;
}

const BY = { server: 1, monitor: 2 } as const;
const COUNTER = keyOf('counter', 'report');
const reportKey = ({
  member,
  window,
  revision,
}: {
  member: string;
  window: string;
  revision: number;
}): Uint8Array => keyOf('report', member, window, { u32: revision });
const receiptKey = (
  r: { member: string; window: string; revision: number },
  by: StoredReceipt['by'],
): Uint8Array => keyOf('receipt', r.member, r.window, { u32: r.revision }, { u8: BY[by] });
const arrivalKey = (sequence: number): Uint8Array => keyOf('arrival', { u64: sequence });

const encode = ({ receivedMs, sequence, bytes }: StoredReport): Uint8Array =>
  new ValueWriter().u64(receivedMs).u64(sequence).blob(bytes).finish();

function decode({ key, value }: Row): StoredReport {
  const at = new KeyReader(key);
  const r = new ValueReader(value, 'report');
  const report = {
    member: at.name(),
    window: at.name(),
    revision: at.u32(),
    receivedMs: r.u64(),
    sequence: r.u64(),
    bytes: r.blob(),
  };
  r.end();
  return report;
}

/** Reports in one transaction: bounds how long a transaction is. */
const MAX_GATHERED = 256;

export class TelemetryRepository implements TelemetryStore {
  readonly #kernel: Kernel;
  #waiting: Waiting[] = [];
  #running = false;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  async put(report: NewReport, receipt: Uint8Array): Promise<Put> {
    reportKey(report);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ report, receipt, resolve, reject });
      if (!this.#running) void this.#drain();
    });
  }

  async get(member: string, window: string, revision: number): Promise<StoredReport | undefined> {
    const key = reportKey({ member, window, revision });
    const value = await this.#kernel.get(key);
    return value && decode({ key, value });
  }

  list(query: ReportQuery): Promise<Page<StoredReport>> {
    const { member, fromWindow, toWindow } = query;
    if (member === undefined) return page(this.#kernel, rangeOf('report'), query, decode);
    const all = rangeOf('report', member);
    const from = fromWindow === undefined ? all.from : keyOf('report', member, fromWindow);
    const to = toWindow === undefined ? all.to : keyOf('report', member, toWindow);
    return page(this.#kernel, { from, to }, query, decode);
  }

  async arrivals(after: number, limit: number, signal?: AbortSignal): Promise<readonly StoredReport[]> {
    const keys: Uint8Array[] = [];
    const range = {
      from: arrivalKey(after + 1),
      to: rangeOf('arrival').to,
      limit: Math.min(limit, MAX_PAGE_SIZE),
    };
    for await (const { value } of this.#kernel.scan({ ...range, ...(signal && { signal }) }))
      keys.push(value);
    checkAborted(signal);
    const values = await this.#kernel.getMany(keys);
    return values.map((value, i) =>
      decode({ key: keys[i]!, value: value ?? damaged('report', 'is missing') }),
    );
  }

  async putReceipt(receipt: StoredReceipt): Promise<void> {
    await this.#kernel.transact({ puts: [{ key: receiptKey(receipt, receipt.by), value: receipt.bytes }] });
  }

  async receipt(
    member: string,
    window: string,
    revision: number,
    by: StoredReceipt['by'],
  ): Promise<StoredReceipt | undefined> {
    const bytes = await this.#kernel.get(receiptKey({ member, window, revision }, by));
    return bytes && { member, window, revision, by, bytes };
  }

  async #drain(): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0) {
      const group = takeDistinct(this.#waiting);
      this.#waiting = this.#waiting.filter((waiting) => !group.includes(waiting));
      await this.#putGroup(group).catch((error: unknown) => {
        for (const { reject } of group) reject(error);
      });
    }
    this.#running = false;
  }

  async #putGroup(group: readonly Waiting[]): Promise<void> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const fresh: Waiting[] = [];
      for (const waiting of group) if (!(await this.#settleKnown(waiting))) fresh.push(waiting);
      if (fresh.length === 0) return;
      const counter = await this.#kernel.get(COUNTER);
      const before = counter ? new ValueReader(counter, 'counter').u64() : 0;
      const reports = fresh.map(({ report }, i) => ({ ...report, sequence: before + 1 + i }));
      if (!(await this.#kernel.transact(writesOf(fresh, reports, counter ?? null)))) continue;
      fresh.forEach(({ receipt, resolve }, i) => {
        resolve({ report: reports[i]!, receipt, fresh: true });
      });
      return;
    }
    throw new HashfedError('OVERLOADED', 'too many concurrent reports', { retryAfterMs: 1_000 });
  }

  /** Answers a repeated or conflicting report; false when there is none of that revision yet. */
  async #settleKnown({ report, resolve, reject }: Waiting): Promise<boolean> {
    const { member, window, revision } = report;
    const known = await this.get(member, window, revision);
    if (!known) return false;
    if (!sameBytes(known.bytes, report.bytes)) {
      reject(
        new HashfedError('TELEMETRY_CONFLICT', 'another report of this revision is stored', {
          field: 'revision',
        }),
      );
      return true;
    }
    const receipt = await this.receipt(member, window, revision, 'server');
    resolve({ report: known, receipt: receipt?.bytes ?? damaged('receipt', 'is missing'), fresh: false });
    return true;
  }
}

/** The first waiting report of each key; a repeated one is judged after the first is stored. */
function takeDistinct(waiting: readonly Waiting[]): Waiting[] {
  const taken = new Map<string, Waiting>();
  for (const one of waiting) {
    const key = Buffer.from(reportKey(one.report)).toString('latin1');
    if (!taken.has(key)) taken.set(key, one);
    if (taken.size === MAX_GATHERED) break;
  }
  return [...taken.values()];
}

function writesOf(
  fresh: readonly Waiting[],
  reports: readonly StoredReport[],
  counter: Uint8Array | null,
): { checks: Precondition[]; puts: Row[] } {
  const checks: Precondition[] = [{ key: COUNTER, value: counter }];
  const puts: Row[] = [{ key: COUNTER, value: new ValueWriter().u64(reports.at(-1)!.sequence).finish() }];
  reports.forEach((report, i) => {
    const key = reportKey(report);
    checks.push({ key, value: null });
    puts.push(
      { key, value: encode(report) },
      { key: receiptKey(report, 'server'), value: fresh[i]!.receipt },
    );
    puts.push({ key: arrivalKey(report.sequence), value: key });
  });
  return { checks, puts };
}

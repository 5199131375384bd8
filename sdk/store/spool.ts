import { createHash } from 'node:crypto';
import { type Clock, HashfedError, type Random } from '../core/index.js';
import { BodyReader, BodyWriter, damaged } from './body.js';
import type { LedgerCounters } from './counters.js';
import type { Ledger, Transaction } from './ledger.js';
import { decodeLatest, decodeReport, encodeLatest, encodeReport } from './spool-codec.js';
import type {
  BuiltReport,
  ReportSlot,
  RevisionSlot,
  Spool,
  SpooledReport,
  SpoolState,
  WindowCounts,
  WindowRevision,
} from './types.js';

const REPORT = 'sr!';
const BY_ID = 'si!';
const NEXT = 'sn!';
/** Newest revision of each window. */
const LATEST = 'sl!';
const NONE = new Uint8Array();

/** The telemetry spool: reports keyed by sequence, chained by digest, kept until both receipts are there. */
export class LedgerSpool implements Spool {
  readonly #ledger: Ledger;
  readonly #counters: LedgerCounters;
  readonly #clock: Clock;
  readonly #random: Random;

  constructor(ledger: Ledger, counters: LedgerCounters, clock: Clock, random: Random) {
    this.#ledger = ledger;
    this.#counters = counters;
    this.#clock = clock;
    this.#random = random;
  }

  enqueue(
    window: string,
    revision: number,
    build: (slot: ReportSlot, counts: WindowCounts) => Uint8Array | Promise<Uint8Array>,
  ): Promise<SpooledReport> {
    const used = `sw!${this.#ledger.name('report', window, String(revision))}`;
    const work = async (transaction: Transaction) => {
      if ((await transaction.get(used)) !== undefined) {
        throw new HashfedError('WINDOW_OVERLAP', 'this window and revision were reported before');
      }
      const counts = await this.#counters.readIn(transaction, window);
      const slot = await this.#slot(transaction);
      const bytes = await built(async () => build(slot, counts));
      const digest = createHash('sha256').update(bytes).digest();
      const report = this.#queue(transaction, { ...slot, window, revision, bytes }, digest);
      transaction.mark(used);
      await this.#counters.forgetIn(transaction, window);
      return report;
    };
    return this.#counters.flush().then(() => this.#ledger.commit(work));
  }

  revise(
    window: string,
    build: (
      slot: RevisionSlot,
      counts: WindowCounts,
    ) => BuiltReport | undefined | Promise<BuiltReport | undefined>,
  ): Promise<SpooledReport | undefined> {
    const latestKey = this.#latestKey(window);
    const work = async (transaction: Transaction) => {
      const counts = await this.#counters.readIn(transaction, window);
      const latest = decodeLatest(await transaction.get(latestKey), window);
      const revision = latest.revision + 1;
      const slot = { ...(await this.#slot(transaction)), revision, lastBasis: latest.basis };
      const made = await built(async () => build(slot, counts));
      if (made === undefined) return undefined;
      const { id, sequence, previous } = slot;
      const fields = { id, sequence, previous, window, revision, bytes: made.bytes };
      transaction.put(latestKey, encodeLatest(window, revision, made.basis));
      return this.#queue(transaction, fields, made.digest);
    };
    return this.#counters.flush().then(() => this.#ledger.commit(work));
  }

  async revisions(): Promise<WindowRevision[]> {
    const found: WindowRevision[] = [];
    for await (const [, value] of this.#ledger.entries(LATEST)) {
      const { window, revision } = decodeLatest(value, '');
      found.push({ window, revision });
    }
    return found.sort((a, b) => (a.window < b.window ? -1 : 1));
  }

  async forget(window: string): Promise<void> {
    await this.#counters.flush();
    await this.#ledger.commit(async (transaction) => {
      transaction.remove(this.#latestKey(window));
      await this.#counters.forgetIn(transaction, window);
    });
  }

  async #slot(transaction: Transaction): Promise<ReportSlot> {
    const id = Buffer.from(this.#random.bytes(16)).toString('hex');
    return { id, ...(await readNext(transaction)) };
  }

  #queue(
    transaction: Transaction,
    fields: ReportSlot & Pick<SpooledReport, 'window' | 'revision' | 'bytes'>,
    digest: Uint8Array,
  ): SpooledReport {
    const { id, sequence } = fields;
    const empty = { receipt: NONE, monitorReceipt: NONE };
    const report = { ...fields, state: 'queued', queuedMs: this.#clock.nowMs(), ...empty } as const;
    putReport(transaction, report);
    transaction.put(BY_ID + id, new BodyWriter().u64(sequence).finish());
    transaction.put(NEXT, encodeNext(sequence + 1, digest));
    return report;
  }

  #latestKey = (window: string) => LATEST + this.#ledger.name('report', window);

  async list(state?: SpoolState): Promise<SpooledReport[]> {
    const found: SpooledReport[] = [];
    for await (const [, value] of this.#ledger.entries(REPORT)) {
      const report = decodeReport(value);
      if (state === undefined || report.state === state) found.push(report);
    }
    return found;
  }

  get(id: string): Promise<SpooledReport | undefined> {
    return findReport(this.#ledger, id);
  }

  /** A report that has its receipt stays receipted: sending it again changed nothing. */
  markSent(id: string): Promise<void> {
    return this.#change(id, (report) => (report.state === 'queued' ? { ...report, state: 'sent' } : report));
  }

  putReceipt(id: string, receipt: Uint8Array): Promise<void> {
    return this.#change(id, (report) => ({ ...report, state: 'receipted', receipt }));
  }

  putMonitorReceipt(id: string, monitorReceipt: Uint8Array): Promise<void> {
    return this.#change(id, (report) => ({ ...report, monitorReceipt }));
  }

  refuse(id: string, code: string): Promise<void> {
    const receipt = new Uint8Array(Buffer.from(code, 'utf8'));
    return this.#change(id, (report) =>
      report.state === 'receipted' ? report : { ...report, state: 'refused', receipt },
    );
  }

  remove(id: string): Promise<void> {
    return this.#ledger.commit(async (transaction) => {
      const report = await findReport(transaction, id);
      if (report === undefined) return;
      const answered = report.state === 'receipted' && report.monitorReceipt.length > 0;
      if (!answered && report.state !== 'refused') {
        throw new HashfedError('USAGE', 'a report is kept until server and monitor have answered');
      }
      transaction.remove(reportKey(report.sequence));
      transaction.remove(BY_ID + id);
    });
  }

  next(): Promise<{ sequence: number; previous: Uint8Array }> {
    return readNext(this.#ledger);
  }

  #change(id: string, change: (report: SpooledReport) => SpooledReport): Promise<void> {
    return this.#ledger.commit(async (transaction) => {
      const report = await findReport(transaction, id);
      if (report === undefined) throw new HashfedError('NOT_FOUND', 'there is no such report in the spool');
      putReport(transaction, change(report));
    });
  }
}

/** What goes wrong while a report is built (signing, say) refuses this report and breaks nothing. */
async function built<T>(build: () => Promise<T>): Promise<T> {
  try {
    return await build();
  } catch (cause) {
    if (cause instanceof HashfedError && cause.code !== 'STORAGE_FAILED') throw cause;
    throw new HashfedError('INTERNAL', 'the report could not be built', { cause });
  }
}

type Reader = Pick<Transaction, 'get'>;

const reportKey = (sequence: number) => REPORT + sequence.toString(16).padStart(14, '0');

function putReport(transaction: Transaction, report: SpooledReport): void {
  transaction.put(reportKey(report.sequence), encodeReport(report));
}

async function findReport(from: Reader, id: string): Promise<SpooledReport | undefined> {
  const place = await from.get(BY_ID + id);
  if (place === undefined) return undefined;
  const value = await from.get(reportKey(new BodyReader(place, 'spool').u64()));
  if (value === undefined) throw damaged('spool', 'a report is gone');
  return decodeReport(value);
}

const encodeNext = (sequence: number, previous: Uint8Array) =>
  new BodyWriter().u64(sequence).raw(previous).finish();

async function readNext(from: Reader): Promise<{ sequence: number; previous: Uint8Array }> {
  const value = await from.get(NEXT);
  if (value === undefined) return { sequence: 1, previous: new Uint8Array(32) };
  const reader = new BodyReader(value, 'spool');
  return { sequence: reader.u64(), previous: reader.raw(32).slice() };
}

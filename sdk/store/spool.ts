import { createHash } from 'node:crypto';
import { type Clock, HashfedError, type Random } from '../core/index.js';
import { BodyReader, BodyWriter, damaged } from './body.js';
import type { LedgerCounters } from './counters.js';
import type { Ledger, Transaction } from './ledger.js';
import type { ReportSlot, Spool, SpooledReport, SpoolState, WindowCounts } from './types.js';

const REPORT = 'sr!';
const BY_ID = 'si!';
const NEXT = 'sn!';
const STATES: readonly SpoolState[] = ['queued', 'sent', 'receipted'];
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
      const id = Buffer.from(this.#random.bytes(16)).toString('hex');
      const slot = { id, ...(await readNext(transaction)) };
      const bytes = await built(async () => build(slot, counts));
      const empty = { receipt: NONE, monitorReceipt: NONE };
      const queuedMs = this.#clock.nowMs();
      const report = { ...slot, window, revision, bytes, state: 'queued', queuedMs, ...empty } as const;
      putReport(transaction, report);
      transaction.put(BY_ID + id, new BodyWriter().u64(slot.sequence).finish());
      transaction.mark(used);
      transaction.put(NEXT, encodeNext(slot.sequence + 1, createHash('sha256').update(bytes).digest()));
      await this.#counters.forgetIn(transaction, window);
      return report;
    };
    return this.#counters.flush().then(() => this.#ledger.commit(work));
  }

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

  remove(id: string): Promise<void> {
    return this.#ledger.commit(async (transaction) => {
      const report = await findReport(transaction, id);
      if (report === undefined) return;
      if (report.state !== 'receipted' || report.monitorReceipt.length === 0) {
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
async function built(build: () => Promise<Uint8Array>): Promise<Uint8Array> {
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

function encodeReport(report: SpooledReport): Uint8Array {
  const body = new BodyWriter().text(report.id).u64(report.sequence).bytes(report.previous);
  body.text(report.window).u32(report.revision).u32(STATES.indexOf(report.state)).u64(report.queuedMs);
  return body.bytes(report.bytes).bytes(report.receipt).bytes(report.monitorReceipt).finish();
}

function decodeReport(value: Uint8Array): SpooledReport {
  const reader = new BodyReader(value, 'spool');
  const id = reader.text();
  const sequence = reader.u64();
  const previous = reader.bytes().slice();
  const window = reader.text();
  const revision = reader.u32();
  const state = STATES[reader.u32()];
  const queuedMs = reader.u64();
  const [bytes, receipt, monitorReceipt] = [
    reader.bytes().slice(),
    reader.bytes().slice(),
    reader.bytes().slice(),
  ];
  reader.end();
  if (state === undefined) throw damaged('spool', 'a report has no known state');
  return { id, sequence, previous, window, revision, bytes, state, queuedMs, receipt, monitorReceipt };
}

import type {
  SubmitTelemetryResponse,
  TelemetryRecord,
} from '../../proto/gen/hashfed/v1/telemetry_exchange.js';
import {
  countSigners,
  equalBytes,
  HashfedError,
  MAX_AHEAD_MS,
  type Member,
  parseDsse,
  signingKeysAt,
} from '../../sdk/core/index.js';
import {
  type CheckedReport,
  closesMs,
  MAX_REPORT_BYTES,
  makeReceipt,
  parseReport,
  type ReceiptSigner,
} from '../../sdk/telemetry/index.js';
import type { StoredReport } from '../storage/index.js';
import { Chains } from './chains.js';
import type { TelemetryDeps } from './deps.js';
import type { Feed } from './feed.js';

const PREFIX = 'members/';

interface Received extends CheckedReport {
  readonly member: string;
  readonly envelope: Uint8Array;
  readonly digest: Uint8Array;
}

/** Takes reports: every refusal happens before anything is stored, and what is stored has its receipt. */
export class Receiver {
  readonly #deps: TelemetryDeps;
  readonly #feed: Feed;
  readonly #chains: Chains;
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(deps: TelemetryDeps, feed: Feed) {
    this.#deps = deps;
    this.#feed = feed;
    this.#chains = new Chains(deps);
  }

  /** One report of `member` (no prefix), as its certificate names it. The codes are those of the service's proto. */
  async submit(member: string, envelope: Uint8Array): Promise<SubmitTelemetryResponse> {
    const received = this.#check(member, envelope);
    const receipt = await this.#alone(member, () => this.#store(received));
    return { receipt, monitorReceipt: await this.#monitorReceipt(received) };
  }

  #check(member: string, envelope: Uint8Array): Received {
    const { suite, directory, clock } = this.#deps;
    const signed = parseDsse('telemetry', envelope, MAX_REPORT_BYTES);
    const keys = keysOf(directory.current.members.get(PREFIX + member), clock.nowMs());
    if (countSigners(suite, 'telemetry', signed, keys) < 1)
      throw new HashfedError('BAD_SIGNATURE', "the report is not signed by its member's key", {
        field: 'envelope',
      });
    const checked = parseReport(signed.body);
    if (checked.report.member !== PREFIX + member)
      throw new HashfedError('NOT_ENTITLED', 'the report is of another member', { field: 'member' });
    if (checked.window.startMs > clock.nowMs() + MAX_AHEAD_MS)
      throw new HashfedError('FUTURE', 'the window has not begun', { field: 'window_start_ms' });
    return { ...checked, member, envelope, digest: suite.sha256.digest(signed.body) };
  }

  async #store(received: Received): Promise<Uint8Array> {
    const { storage, clock } = this.#deps;
    const { member, window, report, envelope } = received;
    const { revision } = report;
    const held = await storage.telemetry.get(member, window.label, revision);
    if (held !== undefined) return this.#again(held, received);
    await this.#checkOverlap(received);
    const receivedMs = clock.nowMs();
    const inTime = receivedMs < closesMs(window);
    if (!inTime && (await this.#hasRevision(received)))
      throw new HashfedError('WINDOW_CLOSED', 'the window is closed; its figures stand', {
        field: 'window_start_ms',
      });
    const receipt = makeReceipt(this.#signer(), report, received.digest, { receivedMs, inTime });
    const stored = { member, window: window.label, revision, receivedMs, bytes: envelope };
    const put = await storage.telemetry.put(stored, receipt);
    if (put.fresh) await this.#noteLink(received, inTime);
    this.#feed.notify();
    return put.receipt;
  }

  /** The same body again has the same receipt; another body under its number is a conflict. */
  async #again(held: StoredReport, received: Received): Promise<Uint8Array> {
    const { member, window, report } = received;
    const { body } = parseDsse('telemetry', held.bytes);
    if (!equalBytes(this.#deps.suite.sha256.digest(body), received.digest))
      throw new HashfedError('TELEMETRY_CONFLICT', 'another report of this revision is stored', {
        field: 'revision',
      });
    const found = await this.#deps.storage.telemetry.receipt(member, window.label, report.revision, 'server');
    if (found === undefined) throw new HashfedError('STORAGE_FAILED', 'a report is stored without receipt');
    return found.bytes;
  }

  /** A day and an hour of it would count the same objects twice. */
  async #checkOverlap({ member, window }: Received): Promise<void> {
    const day = window.label.slice(0, 10);
    const bounds =
      window.unit === 'day'
        ? { fromWindow: `${day}T`, toWindow: `${day}U` }
        : { fromWindow: day, toWindow: `${day}!` };
    const page = await this.#deps.storage.telemetry.list({ member, ...bounds, pageSize: 1 });
    if (page.items.length > 0)
      throw new HashfedError('WINDOW_OVERLAP', 'the day and hours of it were both reported', {
        field: 'window_kind',
      });
  }

  async #hasRevision({ member, window: { label } }: Received): Promise<boolean> {
    const bounds = { fromWindow: label, toWindow: `${label}!` };
    return (await this.#deps.storage.telemetry.list({ member, ...bounds, pageSize: 1 })).items.length > 0;
  }

  async #noteLink({ member, report, digest }: Received, inTime: boolean): Promise<void> {
    const link = await this.#chains.note(member, report, digest);
    const fields = { member, sequence: Number(report.sequence), link, in_time: inTime };
    if (link === 'first' || link === 'next') this.#deps.log.info('telemetry.received', fields);
    else this.#deps.log.warn('telemetry.chain', fields);
  }

  async #monitorReceipt({ member, window, report }: Received): Promise<Uint8Array> {
    const { telemetry } = this.#deps.storage;
    const held = await telemetry.receipt(member, window.label, report.revision, 'monitor');
    return held?.bytes ?? new Uint8Array();
  }

  /** The operator's member that the signing key belongs to. */
  #signer(): ReceiptSigner {
    const { signing, directory, clock } = this.#deps;
    if (signing !== undefined)
      for (const member of directory.current.members.values())
        if (
          member.roles.includes('operator') &&
          keysOf(member, clock.nowMs()).some((key) => equalBytes(key, signing.publicKey))
        )
          return { kind: 'server', name: member.name, signer: signing };
    throw new HashfedError('UNAVAILABLE', 'this server has no key to sign receipts with');
  }

  /** One report of a member at a time: each is judged against what the one before left. */
  #alone<T>(member: string, work: () => Promise<T>): Promise<T> {
    const done = (this.#turns.get(member) ?? Promise.resolve()).then(work);
    const settled = done.catch(() => {});
    this.#turns.set(member, settled);
    void settled.then(() => {
      if (this.#turns.get(member) === settled) this.#turns.delete(member);
    });
    return done;
  }
}

export function keysOf(member: Member | undefined, nowMs: number): Uint8Array[] {
  return member === undefined ? [] : signingKeysAt(member, nowMs);
}

/** A stored report with its receipts, as the monitor reads it. */
export async function recordOf(
  { storage }: Pick<TelemetryDeps, 'storage'>,
  stored: StoredReport,
): Promise<TelemetryRecord> {
  const { member, window, revision, sequence, bytes } = stored;
  const server = await storage.telemetry.receipt(member, window, revision, 'server');
  const monitor = await storage.telemetry.receipt(member, window, revision, 'monitor');
  const receipts = [server, monitor].flatMap((receipt) => (receipt === undefined ? [] : [receipt.bytes]));
  return { arrival: BigInt(sequence), envelope: bytes, receipts };
}

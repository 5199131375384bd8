import type { LoadedConfig } from './config/index.js';
import { fromHex, HashfedError, utf8 } from './core/index.js';
import type { Counting } from './counting.js';
import { type Policy, policyText } from './match/index.js';
import type { JournalEntry } from './store/index.js';
import type { RootBook, SyncDeps } from './sync/index.js';
import {
  askHolder,
  type FlushOutcome,
  MemberBook,
  readSigningKey,
  Telemetry,
  TelemetryAgent,
  type TelemetryAlarm,
  type TelemetryPreview,
} from './telemetry/index.js';

export interface TelemetryWorld {
  readonly config: LoadedConfig;
  readonly deps: SyncDeps;
  readonly book: RootBook;
  readonly policy: Policy;
  readonly sdkVersion: string;
}

/**
 * Counts of this hoster, shown before they leave, and sent. Where another process holds the ledger, that one is asked to
 * do it, so that any process may count, show and flush.
 */
export class TelemetryDesk {
  readonly #telemetry: Telemetry;
  readonly #deps: SyncDeps;
  readonly #agent: TelemetryAgent | undefined;
  #listener: (alarms: readonly TelemetryAlarm[]) => void = () => {};
  #told = '[]';

  constructor(telemetry: Telemetry, deps: SyncDeps) {
    this.#telemetry = telemetry;
    this.#deps = deps;
    if (deps.store.readOnly) return;
    const { clock, random } = deps;
    const onFlush = ({ alarms }: FlushOutcome): void => this.#tell(alarms);
    this.#agent = new TelemetryAgent({ telemetry, clock, random, onFlush });
    this.#agent.start();
  }

  get counting(): Counting {
    return this.#telemetry;
  }

  /** Counts objects that left quarantine for another reason than a withdrawal. */
  otherReleased(entries: readonly JournalEntry[], nowMs: number): void {
    this.#telemetry.released(entries, nowMs, 'otherReleases');
  }

  /** From here on windows are closed and sent without being asked: for processes that run for long. */
  sendsByItself(): void {
    this.#agent?.startSending();
  }

  /** Called when what a person should look at has changed and is not nothing, while this process sends by itself. */
  onAlarms(listener: (alarms: readonly TelemetryAlarm[]) => void): void {
    this.#listener = listener;
  }

  #tell(alarms: readonly TelemetryAlarm[]): void {
    const told = JSON.stringify(alarms);
    if (told !== this.#told && alarms.length > 0) this.#listener(alarms);
    this.#told = told;
  }

  /** States what is known of coverage beside what is counted; kept until it is stated again. */
  stateCoverage(coverage: Parameters<Telemetry['stateCoverage']>[0]): Promise<void> {
    return this.#telemetry.stateCoverage(coverage);
  }

  /** Exactly what will leave, and what left and is not settled. Throws UNAVAILABLE where the holder does not answer. */
  async show(signal?: AbortSignal): Promise<TelemetryPreview> {
    if (!this.#deps.store.readOnly) return this.#telemetry.show();
    const { preview } = await askHolder(this.#deps.store, 'show', this.#asking(signal));
    return preview ?? noAnswer();
  }

  /** Sends everything counted so far, the running window included. Throws USAGE, UNAVAILABLE and what the server says. */
  async flush(signal?: AbortSignal): Promise<FlushOutcome> {
    const options = { open: true, ask: true, ...(signal && { signal }) };
    if (!this.#deps.store.readOnly) return this.#telemetry.flush(options);
    const { flushed } = await askHolder(this.#deps.store, 'flush', this.#asking(signal));
    return flushed ?? noAnswer();
  }

  async close(): Promise<void> {
    await this.#agent?.stop();
  }

  #asking(signal: AbortSignal | undefined) {
    const { clock, random } = this.#deps;
    return { clock, random, ...(signal && { signal }) };
  }
}

const noAnswer = (): never => {
  throw new HashfedError('UNAVAILABLE', 'the process that holds the store gave another answer');
};

/** Telemetry as the configuration says. Keys and directory are read when they are first needed. */
export function openTelemetry({ config, deps, book, policy, sdkVersion }: TelemetryWorld): TelemetryDesk {
  const { store, suite, clock, random, sources } = deps;
  const telemetry = new Telemetry({
    store,
    suite,
    clock,
    random,
    channels: sources.map(({ channel }) => channel),
    enabled: config.telemetry?.enabled ?? true,
    unit: config.telemetry?.window ?? 'day',
    member: `members/${config.member}`,
    sdkVersion,
    policySha256: suite.sha256.digest(utf8(policyText(policy))),
    publisherOf: (origin) => publisherOf(book, origin),
    signer: () =>
      readSigningKey(config.path(config.signing_key ?? missing(config, 'signing_key')), suite.ed25519),
    members: () => {
      const pinned = fromHex(config.directory_sha256 ?? missing(config, 'directory_sha256'));
      return MemberBook.open({ suite, federation: config.federation, pinned, documents: store.documents });
    },
  });
  return new TelemetryDesk(telemetry, deps);
}

function publisherOf(book: RootBook, origin: string): string | undefined {
  try {
    return book.of(origin).publisher;
  } catch {
    return undefined;
  }
}

function missing(config: LoadedConfig, field: string): never {
  throw new HashfedError('USAGE', `${config.file}: ${field}: is needed to report counts`, { field });
}

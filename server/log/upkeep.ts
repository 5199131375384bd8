import { HashfedError } from '../../sdk/core/index.js';
import type { Engine } from './engine.js';
import { Erasure } from './erasure.js';
import { FRESHNESS_EVERY_MS, type FreshnessIssuer } from './freshness.js';
import type { Snapshots } from './snapshots.js';

const SWEEP_EVERY_MS = 3_600_000;
const LOOK_EVERY_MS = 250;

/** What a server does unasked: statements, snapshots, sweeping, and looking whether its store still stands. */
export class Upkeep {
  /** Rejects once the store has failed: nothing it says can be trusted until it was reopened and checked. */
  readonly failed: Promise<never>;
  readonly #engine: Engine;
  readonly #freshness: FreshnessIssuer;
  readonly #snapshots: Snapshots;
  readonly #erasure: Erasure;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #stopped = new AbortController();
  readonly #unsubscribe: () => void;
  #running: Promise<unknown> = Promise.resolve();

  constructor(engine: Engine, freshness: FreshnessIssuer, snapshots: Snapshots) {
    this.#engine = engine;
    this.#freshness = freshness;
    this.#snapshots = snapshots;
    this.#erasure = new Erasure(engine);
    this.#unsubscribe = engine.lists.onChange((origin) => {
      freshness.issue(origin);
      this.#later('snapshot', () => snapshots.refresh(origin));
    });
    this.failed = new Promise((_, reject) => {
      this.#every(LOOK_EVERY_MS, () => {
        const { failure } = engine.storage;
        if (failure !== undefined)
          reject(
            new HashfedError('STORAGE_FAILED', 'the store failed and has to be reopened', { cause: failure }),
          );
      });
    });
    this.failed.catch(() => undefined);
  }

  /** Issues the first statements and begins. */
  start(): void {
    this.#freshness.issueAll();
    for (const origin of this.#engine.lists.origins())
      this.#later('snapshot', () => this.#snapshots.refresh(origin));
    this.#every(FRESHNESS_EVERY_MS, () => {
      for (const origin of this.#engine.lists.origins()) this.#engine.lists.changed(origin);
    });
    this.#every(SWEEP_EVERY_MS, () => this.#later('sweep', () => this.#sweep()));
    this.#later('sweep', () => this.#sweep());
  }

  /** Ends the timers and waits for what is running. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#unsubscribe();
    this.#stopped.abort(new HashfedError('CANCELLED', 'the server is stopping'));
    await this.#running;
  }

  async #sweep(): Promise<void> {
    const { storage, turns, log } = this.#engine;
    const count = await turns.run(() => storage.prepared.sweep(this.#stopped.signal));
    if (count > 0) log.info('prepared.swept', { count });
    await this.#erasure.sweep(this.#stopped.signal);
  }

  #every(ms: number, work: () => void): void {
    this.#timers.push(setInterval(work, ms).unref());
  }

  /** One after the other, in the background; a failure is logged, and tried again on the next occasion. */
  #later(what: string, work: () => Promise<void>): void {
    this.#running = this.#running.then(async () => {
      if (this.#stopped.signal.aborted) return;
      try {
        await work();
      } catch (error) {
        this.#engine.log.warn('upkeep.failed', { why: what, error });
      }
    });
  }
}

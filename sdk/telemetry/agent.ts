import type { Random } from '../core/index.js';
import { type Clock, HashfedError } from '../core/index.js';
import { backoffMs } from '../rpc/index.js';
import { ANSWER, decodeAsk, encodeAsk, type Question, REQUEST } from './ask.js';
import { AGENT_SEND_MS, AGENT_TICK_MS, ASK_KEEP_MS, MONITOR_ASK_MS } from './limits.js';
import type { FlushOutcome, Telemetry } from './telemetry.js';
import type { TelemetryPreview } from './types.js';

export interface AgentOptions {
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly random: Random;
  /** What was sent, or why it could not be; for the log. */
  readonly onFlush?: (outcome: FlushOutcome) => void;
  readonly onError?: (error: unknown) => void;
}

/**
 * Runs in the process that holds the ledger: takes up what other processes counted, answers what they ask, and, where
 * told to, reports by itself. It keeps no process alive.
 */
export class TelemetryAgent {
  readonly #options: AgentOptions;
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #sendAtMs = 0;
  #askAtMs = 0;
  #failures = 0;
  #sends = false;

  constructor(options: AgentOptions) {
    this.#options = options;
  }

  /** From here on also closes windows and sends them by itself: for processes that run for long. */
  startSending(): void {
    this.#sends = true;
  }

  start(): void {
    this.#timer = setTimeout(() => {
      this.#running = this.tick()
        .catch((error: unknown) => this.#options.onError?.(error))
        .then(() => {
          if (!this.#stop.signal.aborted) this.start();
        });
    }, AGENT_TICK_MS);
    this.#timer.unref();
  }

  /** Ends what runs; the store may be closed after. */
  async stop(): Promise<void> {
    this.#stop.abort(new HashfedError('CANCELLED', 'telemetry stops'));
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** One round. */
  async tick(): Promise<void> {
    const { store } = this.#options.telemetry;
    await store.inbox.absorb();
    for (const name of await store.settings.names()) {
      if (name.startsWith(REQUEST)) await this.#answer(name);
      else if (name.startsWith(ANSWER)) await this.#dropOld(name);
    }
    const now = this.#options.clock.monotonicMs();
    if (this.#sends && now >= this.#sendAtMs) await this.#send(now);
  }

  async #send(now: number): Promise<void> {
    const ask = now >= this.#askAtMs;
    this.#sendAtMs = now + AGENT_SEND_MS;
    try {
      const { telemetry, onFlush } = this.#options;
      const outcome = await telemetry.flush({ open: false, ask, signal: this.#stop.signal });
      if (ask) this.#askAtMs = now + MONITOR_ASK_MS;
      this.#failures = 0;
      onFlush?.(outcome);
    } catch (error) {
      this.#sendAtMs = now + AGENT_SEND_MS + backoffMs(this.#options.random, this.#failures);
      this.#failures += 1;
      throw error;
    }
  }

  async #answer(name: string): Promise<void> {
    const { telemetry, clock } = this.#options;
    const { settings } = telemetry.store;
    const asked = decodeAsk<Question>(await settings.get(name));
    await settings.remove(name);
    const nowMs = clock.nowMs();
    if (asked === undefined || Math.abs(nowMs - asked.at_ms) > ASK_KEEP_MS) return;
    const answer = await this.#carryOut(asked.value);
    await settings.put(ANSWER + name.slice(REQUEST.length), encodeAsk(nowMs, answer));
  }

  async #carryOut(question: Question): Promise<Reply> {
    const { telemetry } = this.#options;
    try {
      if (question === 'show') return { preview: await telemetry.show() };
      return { flushed: await telemetry.flush({ open: true, ask: true, signal: this.#stop.signal }) };
    } catch (error) {
      const known = error instanceof HashfedError;
      return {
        error: known
          ? { code: error.code, message: error.message }
          : { code: 'INTERNAL', message: 'telemetry failed' },
      };
    }
  }

  async #dropOld(name: string): Promise<void> {
    const { telemetry, clock } = this.#options;
    const answer = decodeAsk(await telemetry.store.settings.get(name));
    if (answer === undefined || Math.abs(clock.nowMs() - answer.at_ms) > ASK_KEEP_MS)
      await telemetry.store.settings.remove(name);
  }
}

/** What the holder of the ledger answers. */
export interface Reply {
  readonly preview?: TelemetryPreview;
  readonly flushed?: FlushOutcome;
  readonly error?: { readonly code: string; readonly message: string };
}

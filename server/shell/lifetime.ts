import { type Clock, HashfedError } from '../../sdk/core/index.js';

/** What the shell needs of a gRPC call of any shape. */
export interface CallSurface {
  getDeadline(): Date | number;
  once(event: 'cancelled', listener: () => void): unknown;
}

/**
 * One call from its first byte to the end of its handler. Aborts on cancel, deadline and shutdown, since a
 * handler goes on running after all of them unless it is told. Our own timer is needed beside gRPC's, which
 * waits behind the unread messages of a stalled client.
 */
export class CallLifetime {
  readonly deadlineMs: number;
  readonly #onAbort: (reason: HashfedError) => void;
  readonly #timer: NodeJS.Timeout;
  /** Made when a handler first asks: short calls never do. */
  #controller: AbortController | undefined;
  #reason: HashfedError | undefined;
  #answered = false;

  /** `mostMs` is the server's own limit on the call; `onAbort` is called at most once. */
  constructor(call: CallSurface, clock: Clock, mostMs: number, onAbort: (reason: HashfedError) => void) {
    const now = clock.nowMs();
    const asked = Number(call.getDeadline());
    this.#onAbort = onAbort;
    this.deadlineMs = Math.min(Number.isNaN(asked) ? now : asked, now + mostMs);
    this.#timer = setTimeout(() => this.abort(late()), Math.max(0, this.deadlineMs - now));
    call.once('cancelled', () => this.abort(clock.nowMs() < this.deadlineMs ? cancelled() : late()));
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Why it was aborted; undefined while it was not. */
  get reason(): HashfedError | undefined {
    return this.#reason;
  }

  abort(reason: HashfedError): void {
    if (this.#answered || this.#reason !== undefined) return;
    this.#reason = reason;
    this.#onAbort(reason);
    this.#controller?.abort(reason);
  }

  /** True for the first to answer; from then on nothing aborts any more. */
  answer(): boolean {
    const first = !this.#answered;
    this.#answered = true;
    clearTimeout(this.#timer);
    return first;
  }
}

function late(): HashfedError {
  return new HashfedError('DEADLINE', 'the deadline has passed');
}

function cancelled(): HashfedError {
  return new HashfedError('CANCELLED', 'the client cancelled the call');
}

import { type Clock, HashfedError } from '../core/index.js';
import { MIN_BYTES_PER_S, PACE_AFTER_MS } from './limits.js';

/**
 * How fast one source sends, over all streams of one pull: a source that sends a little now and then must not keep
 * us from asking another one for ever. Time that we take ourselves does not count.
 */
export class Pace {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  #waitedMs = 0;
  #bytes = 0;

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** True where taking the stream up again would only go on as before. */
  get tooSlow(): boolean {
    return this.#waitedMs > PACE_AFTER_MS && this.#bytes * 1_000 < this.#waitedMs * MIN_BYTES_PER_S;
  }

  /** Hands on what comes. Throws `DEADLINE` where it comes too slowly. */
  async *of<T>(messages: AsyncIterable<T>, bytesOf: (message: T) => number): AsyncGenerator<T> {
    let asked = this.#clock.monotonicMs();
    for await (const message of messages) {
      this.#waitedMs += this.#clock.monotonicMs() - asked;
      this.#bytes += bytesOf(message);
      if (this.tooSlow)
        throw new HashfedError('DEADLINE', `less than ${MIN_BYTES_PER_S} bytes a second arrived`);
      yield message;
      asked = this.#clock.monotonicMs();
    }
  }
}

import { HashfedError } from '../../sdk/core/index.js';

const RETRY_MS = 1_000;

/** A number of places for each member. */
export class Places {
  readonly #most: number;
  readonly #taken = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Runs `work` in a place of the member's. Throws OVERLOADED where all are taken. */
  async hold<T>(member: string, work: () => Promise<T>): Promise<T> {
    const taken = this.#taken.get(member) ?? 0;
    if (taken >= this.#most)
      throw new HashfedError('OVERLOADED', `at most ${this.#most} of these calls at once`, {
        retryAfterMs: RETRY_MS,
      });
    this.#taken.set(member, taken + 1);
    try {
      return await work();
    } finally {
      const left = (this.#taken.get(member) ?? 1) - 1;
      if (left === 0) this.#taken.delete(member);
      else this.#taken.set(member, left);
    }
  }
}

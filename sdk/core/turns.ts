/**
 * One at a time, in the order of asking: whoever forks a list's state waits for the others instead of failing them, for
 * only one fork may commit.
 */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `work` after all that was asked for before; one that fails does not stop the next. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work, work);
    this.#last = mine.catch(() => undefined);
    return mine;
  }
}

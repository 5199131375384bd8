/**
 * One at a time, in the order of asking. Judging a batch forks a list's state and reads it in pieces, and only one
 * fork may commit: publishers wait for each other instead of failing each other.
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

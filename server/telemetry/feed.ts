/** Tells who watches that something arrived; what arrived is read from where it is kept. */
export class Feed {
  readonly #wakers = new Set<() => void>();

  notify(): void {
    for (const wake of this.#wakers) wake();
  }

  /** Resolves true at the next notification, false after `ms` or when `signal` fires. Subscribe before reading. */
  subscribe(): { wait(ms: number, signal: AbortSignal): Promise<boolean>; close(): void } {
    let moved = false;
    let wake = (): void => {};
    const waker = (): void => {
      moved = true;
      wake();
    };
    this.#wakers.add(waker);
    return {
      wait: (ms, signal) =>
        new Promise((resolve) => {
          const done = (): void => {
            clearTimeout(timer);
            signal.removeEventListener('abort', done);
            wake = () => {};
            const was = moved;
            moved = false;
            resolve(was);
          };
          const timer = setTimeout(done, ms);
          signal.addEventListener('abort', done, { once: true });
          wake = done;
          if (moved || signal.aborted) done();
        }),
      close: () => this.#wakers.delete(waker),
    };
  }
}

/** Bytes that may be held at once. Whoever finds too few waits a while, in the order of asking. */
export class ByteBudget {
  readonly #limit: number;
  readonly #waiting: { readonly bytes: number; readonly wake: (got: boolean) => void }[] = [];
  #held = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get held(): number {
    return this.#held;
  }

  /** Takes them now or not at all. */
  take(bytes: number): boolean {
    if (this.#waiting.length > 0 || this.#held + bytes > this.#limit) return false;
    this.#held += bytes;
    return true;
  }

  /** False when they did not become free in time: then nothing is taken. */
  wait(bytes: number, waitMs: number): Promise<boolean> {
    if (this.take(bytes)) return Promise.resolve(true);
    if (bytes > this.#limit) return Promise.resolve(false);
    return new Promise((resolve) => {
      const waiter = {
        bytes,
        wake: (got: boolean) => {
          clearTimeout(timer);
          resolve(got);
        },
      };
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        waiter.wake(false);
        this.#serve();
      }, waitMs);
      this.#waiting.push(waiter);
    });
  }

  give(bytes: number): void {
    this.#held -= bytes;
    this.#serve();
  }

  #serve(): void {
    for (;;) {
      const next = this.#waiting[0];
      if (next === undefined || this.#held + next.bytes > this.#limit) return;
      this.#waiting.shift();
      this.#held += next.bytes;
      next.wake(true);
    }
  }
}

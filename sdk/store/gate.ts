import { HashfedError } from '../core/index.js';

const broken = (cause: unknown) =>
  new HashfedError(
    'STORAGE_FAILED',
    'an earlier write failed: close the store, open it again, and it is checked',
    {
      cause,
    },
  );

/**
 * All writes of one store pass here, one at a time. The first failed write closes the gate for good: what a
 * disk says after it failed once is worth nothing before reopening.
 */
export class WriteGate {
  readonly readOnly: boolean;
  #tail: Promise<unknown> = Promise.resolve();
  #failure: unknown;
  #closed = false;

  constructor(readOnly: boolean) {
    this.readOnly = readOnly;
  }

  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** Runs `work` after all earlier ones. Refusals (`USAGE`, `MALFORMED` …) pass through and break nothing. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#tail.then(() => this.guard(work));
    this.#tail = turn.catch(() => {});
    return turn;
  }

  /** The same rule for a write that may run beside others: files that nothing refers to yet. */
  async guard<T>(work: () => Promise<T>): Promise<T> {
    this.check();
    try {
      return await work();
    } catch (cause) {
      const code = cause instanceof HashfedError ? cause.code : 'STORAGE_FAILED';
      if (code !== 'STORAGE_FAILED') throw cause;
      this.#failure ??= cause;
      if (cause instanceof HashfedError) throw cause;
      throw new HashfedError('STORAGE_FAILED', 'a write to the store failed', { cause });
    }
  }

  check(): void {
    if (this.readOnly) throw new HashfedError('STORAGE_FAILED', 'the store is open for reading only');
    if (this.#closed) throw new HashfedError('STORAGE_FAILED', 'the store is closed');
    if (this.#failure !== undefined) throw broken(this.#failure);
  }

  /** Lets running writes end and refuses later ones. */
  async close(): Promise<void> {
    await this.#tail;
    this.#closed = true;
  }
}

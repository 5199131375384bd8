import { HashfedError } from '../core/index.js';
import { MAX_OBJECTS, OBJECTS_PER_WORKER } from './limits.js';

export interface ManyOptions {
  /** Objects in work at once; default 64 for each thread. */
  readonly concurrency?: number;
  readonly signal?: AbortSignal;
}

/** Runs `one` on each input, some at once, and gives results as they are ready. The first throw ends it. */
export async function* inParallel<Input, Result>(
  inputs: Iterable<Input> | AsyncIterable<Input>,
  one: (input: Input) => Promise<Result>,
  options: ManyOptions & { readonly workers: number },
): AsyncGenerator<Result> {
  const { workers, signal, concurrency = workers * OBJECTS_PER_WORKER } = options;
  if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > MAX_OBJECTS) {
    throw new HashfedError('USAGE', `concurrency must be 1 to ${MAX_OBJECTS}`, { field: 'concurrency' });
  }
  const ready = new Ready<Result>();
  const source = Symbol.asyncIterator in inputs ? inputs[Symbol.asyncIterator]() : inputs[Symbol.iterator]();
  let running = 0;
  let ended = false;
  try {
    for (;;) {
      while (!ended && running < concurrency && ready.waiting < concurrency) {
        if (signal?.aborted === true) throw new HashfedError('CANCELLED', 'checking was cancelled');
        const next = await source.next();
        if (next.done === true) ended = true;
        else {
          running++;
          ready.follow(one(next.value).finally(() => running--));
        }
        if (ready.waiting > 0) yield* ready.drain();
      }
      yield* ready.drain();
      if (ended && running === 0 && ready.waiting === 0) return;
      await ready.some();
    }
  } finally {
    if (!ended) await source.return?.();
  }
}

/** Results that nobody has taken yet. */
class Ready<Result> {
  #results: Result[] = [];
  #failure: { readonly error: unknown } | undefined;
  #wake: () => void = () => {};

  get waiting(): number {
    return this.#results.length + (this.#failure === undefined ? 0 : 1);
  }

  follow(work: Promise<Result>): void {
    work.then(
      (result) => {
        this.#results.push(result);
        this.#wake();
      },
      (error: unknown) => {
        this.#failure ??= { error };
        this.#wake();
      },
    );
  }

  *drain(): Generator<Result> {
    if (this.#failure !== undefined) throw this.#failure.error;
    const results = this.#results;
    this.#results = [];
    yield* results;
  }

  some(): Promise<void> {
    if (this.waiting > 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

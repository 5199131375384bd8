/** One worker thread of a pool and the job it has; replaced when it overruns, crashes or has done its share. */

import { Worker } from 'node:worker_threads';
import { HashfedError } from '../../core/index.js';
import { JOBS_PER_WORKER, WORKER_GRACE_MS, WORKER_HEAP_MB } from './limits.js';
import type { PdqImage, PdqImageOptions } from './types.js';
import type { Answer } from './worker-messages.js';

export interface Task {
  readonly input: string | Uint8Array;
  readonly options: Omit<PdqImageOptions, 'signal'>;
  readonly timeoutMs: number;
  resolve(image: PdqImage): void;
  reject(error: HashfedError): void;
  /** Lets go of the caller's signal. */
  release?(): void;
}

export class PoolWorker {
  readonly #script: URL;
  readonly #idle: () => void;
  #worker: Worker | undefined;
  #task: Task | undefined;
  #timer: NodeJS.Timeout | undefined;
  #jobs = 0;
  #closed = false;

  constructor(script: URL, idle: () => void) {
    this.#script = script;
    this.#idle = idle;
  }

  get busy(): boolean {
    return this.#task !== undefined;
  }

  run(task: Task): void {
    this.#task = task;
    this.#worker ??= this.#start();
    const worker = this.#worker;
    worker.ref();
    this.#timer = setTimeout(() => this.#drop('timeout'), task.timeoutMs + WORKER_GRACE_MS);
    worker.postMessage({ id: this.#jobs++, input: task.input, options: task.options });
  }

  #start(): Worker {
    const worker = new Worker(this.#script, { resourceLimits: { maxOldGenerationSizeMb: WORKER_HEAP_MB } });
    worker.on('message', (answer: Answer) => this.#answered(answer));
    worker.on('error', () => this.#lost(worker));
    worker.on('exit', () => this.#lost(worker));
    return worker;
  }

  #answered(answer: Answer): void {
    if (answer.id !== this.#jobs - 1) return;
    const task = this.#finish();
    if (answer.image !== undefined) task?.resolve(answer.image);
    else task?.reject(new HashfedError(answer.failure?.code ?? 'INTERNAL', answer.failure?.message ?? 'pdq'));
    if (this.#jobs >= JOBS_PER_WORKER) this.#discard();
    else this.#worker?.unref();
    this.#idle();
  }

  #finish(): Task | undefined {
    clearTimeout(this.#timer);
    const task = this.#task;
    this.#task = undefined;
    task?.release?.();
    return task;
  }

  #discard(): void {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#jobs = 0;
    void worker?.terminate();
  }

  #lost(worker: Worker): void {
    if (worker === this.#worker) this.#drop('crashed');
  }

  /** Gives the job up together with the thread; the next job starts another. */
  #drop(reason: 'timeout' | 'crashed'): void {
    this.#discard();
    this.#finish()?.resolve({ ok: false, reason });
    if (!this.#closed) this.#idle();
  }

  async close(error: HashfedError): Promise<void> {
    this.#closed = true;
    const worker = this.#worker;
    this.#worker = undefined;
    this.#finish()?.reject(error);
    await worker?.terminate();
  }
}

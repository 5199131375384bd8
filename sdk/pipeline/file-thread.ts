import { Worker } from 'node:worker_threads';
import type { FileAnswer, FileJob, SniffedFile } from './file-messages.js';
import { BATCHES_IN_HAND } from './limits.js';

/** One file that waits for its hashes. */
export interface FileTask {
  readonly path: string;
  readonly sniff: boolean;
  resolve(outcome: SniffedFile): void;
}

/** One hashing thread and the batches it has in hand; started when first needed, and again should it crash. */
export class FileThread {
  readonly #script: URL;
  readonly #idle: () => void;
  readonly #stop = new SharedArrayBuffer(4);
  readonly #batches: (readonly FileTask[])[] = [];
  #worker: Worker | undefined;

  constructor(script: URL, idle: () => void) {
    this.#script = script;
    this.#idle = idle;
  }

  get free(): boolean {
    return this.#batches.length < BATCHES_IN_HAND;
  }

  get pending(): number {
    return this.#batches.reduce((sum, batch) => sum + batch.length, 0);
  }

  /** All tasks of a batch ask alike about sniffing. */
  run(batch: readonly FileTask[]): void {
    this.#worker ??= this.#start();
    this.#worker.ref();
    this.#batches.push(batch);
    const job: FileJob = { paths: batch.map(({ path }) => path), sniff: batch[0]?.sniff ?? false };
    this.#worker.postMessage(job);
  }

  #start(): Worker {
    const worker = new Worker(this.#script, { workerData: { stop: this.#stop } });
    worker.on('message', ({ outcomes }: FileAnswer) => this.#answered(outcomes));
    worker.on('error', () => this.#lost(worker));
    worker.on('exit', () => this.#lost(worker));
    return worker;
  }

  #answered(outcomes: readonly SniffedFile[]): void {
    const batch = this.#batches.shift() ?? [];
    batch.forEach((task, i) => {
      task.resolve(outcomes[i] ?? LOST);
    });
    if (this.#batches.length === 0) this.#worker?.unref();
    this.#idle();
  }

  /** What it had in hand was not hashed, and says so. */
  #lost(worker: Worker): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    for (const batch of this.#batches.splice(0)) for (const task of batch) task.resolve(LOST);
    this.#idle();
  }

  async close(): Promise<void> {
    Atomics.store(new Int32Array(this.#stop), 0, 1);
    const worker = this.#worker;
    if (worker === undefined) return;
    this.#lost(worker);
    await worker.terminate();
  }
}

const LOST: SniffedFile = { status: 'unreadable', code: 'ECANCELED' };

import { availableParallelism } from 'node:os';
import type { SniffedFile } from './file-messages.js';
import { type FileTask, FileThread } from './file-thread.js';
import { BATCH_FILES, MAX_WORKERS } from './limits.js';

export interface FilePoolOptions {
  /** Threads, 1 to 64; default as many as processors. */
  readonly workers?: number;
  /** The compiled file-worker.js, where it does not lie beside this file. */
  readonly script?: URL;
}

/**
 * Hashes files in threads, several small ones a message. Its queue is as long as its callers make it: `checkMany`
 * keeps a bounded number of files in work.
 */
export class FilePool {
  readonly size: number;
  readonly #threads: FileThread[];
  readonly #queue: FileTask[] = [];
  #closed = false;

  constructor(options: FilePoolOptions = {}) {
    this.size = Math.min(MAX_WORKERS, Math.max(1, options.workers ?? availableParallelism()));
    const script = options.script ?? new URL('./file-worker.js', import.meta.url);
    this.#threads = Array.from({ length: this.size }, () => new FileThread(script, () => this.#pump()));
  }

  /** As `hashFile`; a closed pool or a crashed thread answers `unreadable` with the code ECANCELED. */
  hash(path: string, sniff = false): Promise<SniffedFile> {
    if (this.#closed) return Promise.resolve({ status: 'unreadable', code: 'ECANCELED' });
    return new Promise((resolve) => {
      this.#queue.push({ path, sniff, resolve });
      // Files that are asked for in one turn of the event loop travel together.
      if (this.#queue.length === 1) queueMicrotask(() => this.#pump());
    });
  }

  #pump(): void {
    for (;;) {
      const thread = this.#leastBusy();
      if (thread === undefined || this.#queue.length === 0) return;
      thread.run(this.#nextBatch());
    }
  }

  #leastBusy(): FileThread | undefined {
    const free = this.#threads.filter((thread) => thread.free);
    return free.sort((a, b) => a.pending - b.pending)[0];
  }

  #nextBatch(): FileTask[] {
    const share = Math.ceil(this.#queue.length / (2 * this.size));
    const most = Math.min(BATCH_FILES, Math.max(1, share));
    const other = this.#queue.findIndex(({ sniff }) => sniff !== this.#queue[0]?.sniff);
    return this.#queue.splice(0, other < 0 ? most : Math.min(other, most));
  }

  async close(): Promise<void> {
    this.#closed = true;
    const left = this.#queue.splice(0);
    for (const task of left) task.resolve({ status: 'unreadable', code: 'ECANCELED' });
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }
}

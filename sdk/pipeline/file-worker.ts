/** Runs in a worker thread: hashes files one after another, each in one pass. */

import { parentPort, workerData } from 'node:worker_threads';
import { SyncFileHasher } from '../hash/index.js';
import type { FileAnswer, FileJob, FileWorkerData, SniffedFile } from './file-messages.js';
import { beginsLikeImage } from './sniff-file.js';

const stopped = new Int32Array((workerData as FileWorkerData).stop);
const hasher = new SyncFileHasher();
/** The hasher looks at `aborted` between pieces: a thread that blocks hears nothing else. */
const signal = {
  get aborted() {
    return Atomics.load(stopped, 0) === 1;
  },
} as AbortSignal;

function hashOne(path: string, sniffs: boolean): SniffedFile {
  if (signal.aborted) return { status: 'unreadable', code: 'ECANCELED' };
  const outcome = hasher.hash(path, { signal });
  return outcome.status === 'hashed' && sniffs ? { ...outcome, image: beginsLikeImage(path) } : outcome;
}

function answer({ paths, sniff: sniffs }: FileJob): FileAnswer {
  const outcomes: SniffedFile[] = [];
  for (const path of paths) {
    try {
      outcomes.push(hashOne(path, sniffs));
    } catch {
      outcomes.push({ status: 'unreadable', code: signal.aborted ? 'ECANCELED' : 'EIO' });
    }
  }
  return { outcomes };
}

parentPort?.on('message', (job: FileJob) => parentPort?.postMessage(answer(job)));

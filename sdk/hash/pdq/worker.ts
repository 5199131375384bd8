/** Runs in a worker thread: one image at a time. */

import { parentPort } from 'node:worker_threads';
import { hashImage } from './image.js';
import type { Answer, Job } from './worker-messages.js';
import { isHashfedError } from './worker-messages.js';

const port = parentPort;

async function answer(job: Job): Promise<Answer> {
  try {
    return { id: job.id, image: await hashImage(job.input, job.options) };
  } catch (error) {
    const failure = isHashfedError(error)
      ? { code: error.code, message: error.message }
      : { code: 'INTERNAL' as const, message: 'pdq: hashing failed' };
    return { id: job.id, failure };
  }
}

port?.on('message', (job: Job) => {
  void answer(job).then((message) => port.postMessage(message));
});

import { closeSync, constants, openSync, readSync } from 'node:fs';
import { sniff } from '../hash/pdq/index.js';
import { HEAD_BYTES } from './limits.js';

const head = Buffer.alloc(HEAD_BYTES);

/** Whether a file begins like an image: one short read. True where it cannot be read: the decoder says what is wrong. */
export function beginsLikeImage(path: string | Buffer): boolean {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    try {
      return sniff(head.subarray(0, readSync(fd, head, 0, HEAD_BYTES, 0))) !== undefined;
    } finally {
      closeSync(fd);
    }
  } catch {
    return true;
  }
}

/** C2SP tlog-checkpoint with exactly three body lines. https://c2sp.org/tlog-checkpoint */

import { fromBase64, toBase64 } from './base64.js';
import { malformed } from './errors.js';
import { HASH_BYTES, isSize } from './merkle.js';

export interface Checkpoint {
  readonly origin: string;
  /** Leaves in the tree. */
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
}

/** Parses a note body. The origin is text here: compare it with the one you asked for. Throws `MALFORMED`. */
export function parseCheckpoint(body: string): Checkpoint {
  const [origin, size, root, end, ...more] = body.split('\n');
  if (origin === undefined || size === undefined || root === undefined || end !== '' || more.length > 0) {
    return malformed('checkpoint', 'has not exactly three lines');
  }
  if (origin === '') malformed('checkpoint', 'has no origin');
  if (!/^(0|[1-9][0-9]{0,15})$/.test(size) || !isSize(Number(size))) {
    malformed('checkpoint', 'size is no decimal below 2^53');
  }
  const hash = fromBase64(root, 'checkpoint');
  if (hash.length !== HASH_BYTES) malformed('checkpoint', 'a root has 32 bytes');
  return { origin, size: Number(size), root: hash };
}

/** `origin\nsize\nbase64(root)\n`. */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  const body = `${origin}\n${size}\n${toBase64(root)}\n`;
  parseCheckpoint(body);
  return body;
}

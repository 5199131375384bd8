/** Reads an input whole, up to a limit. */

import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { HashfedError } from '../../core/index.js';
import { type ImageInput, Undecodable } from './types.js';

/** Bytes read from a file at a time. */
const READ_BYTES = 1024 * 1024;

export function checkAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new HashfedError('CANCELLED', 'pdq: hashing was cancelled');
}

async function* chunksOf(path: string): AsyncGenerator<Uint8Array> {
  // Not waiting for a pipe's writer: a thread that did could never be ended.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!(await file.stat()).isFile()) throw new Undecodable('unreadable');
    for (;;) {
      const { bytesRead, buffer } = await file.read(new Uint8Array(READ_BYTES), 0, READ_BYTES);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

async function collect(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    checkAborted(signal);
    if (!(chunk instanceof Uint8Array)) throw new Undecodable('unreadable');
    length += chunk.length;
    if (length > maxBytes) throw new Undecodable('too-many-bytes');
    parts.push(chunk);
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts, length);
}

/** The bytes of the input; throws `Undecodable`, and `CANCELLED` when the signal fires. */
export async function readInput(
  input: ImageInput,
  maxBytes: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  checkAborted(signal);
  if (input instanceof Uint8Array) {
    if (input.length > maxBytes) throw new Undecodable('too-many-bytes');
    return input;
  }
  try {
    return await collect(typeof input === 'string' ? chunksOf(input) : input, maxBytes, signal);
  } catch (error) {
    if (error instanceof Undecodable || error instanceof HashfedError) throw error;
    throw new Undecodable('unreadable', error);
  }
}

import { type FileHandle, open } from 'node:fs/promises';
import { checkSignal, hashBuffer, MultiHash } from './digest.js';
import { fromError, openFlags, refuse, sameState, toState } from './file-state.js';
import { READ_BYTES, SMALL_FILE_BYTES } from './limits.js';
import type { FileOptions, FileOutcome, FileState, Hashed } from './types.js';

/**
 * Hashes a file. Whatever is wrong with the file is a status, not an exception. Throws `CANCELLED` when aborted and
 * `USAGE` for unknown types.
 */
export async function hashFile(path: string | Buffer, options: FileOptions = {}): Promise<FileOutcome> {
  checkSignal(options.signal);
  let file: FileHandle;
  try {
    file = await open(path, openFlags(options));
  } catch (error) {
    return fromError(error);
  }
  try {
    return await hashOpenFile(file, options);
  } catch (error) {
    return fromError(error);
  } finally {
    await file.close();
  }
}

async function hashOpenFile(file: FileHandle, options: FileOptions): Promise<FileOutcome> {
  const stats = await file.stat({ bigint: true });
  const refused = refuse(stats, options);
  if (refused !== undefined) return refused;
  const state = toState(stats);
  const hashed = await (state.size <= SMALL_FILE_BYTES ? hashSmall : hashLarge)(file, state, options);
  const after = toState(await file.stat({ bigint: true }));
  if (hashed === undefined || !sameState(state, after)) return { status: 'changed' };
  return { status: 'hashed', ...hashed, state };
}

/** One read and one call for each hash. One byte more than the size is asked for, to see that there is none. */
async function hashSmall(
  file: FileHandle,
  state: FileState,
  options: FileOptions,
): Promise<Hashed | undefined> {
  const buffer = Buffer.allocUnsafe(state.size + 1);
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  if (filled !== state.size) return undefined;
  await options.pace?.(filled);
  return hashBuffer(buffer.subarray(0, filled), options.types === undefined ? {} : { types: options.types });
}

/** Reads the next piece while the last one is hashed. Stops as soon as the file is longer than it said. */
async function hashLarge(
  file: FileHandle,
  state: FileState,
  options: FileOptions,
): Promise<Hashed | undefined> {
  const multi = new MultiHash(options.types);
  const buffers = [Buffer.allocUnsafe(READ_BYTES), Buffer.allocUnsafe(READ_BYTES)] as const;
  const readAt = (at: number, i: number) => {
    const read = file.read(buffers[i & 1]!, 0, READ_BYTES, at);
    // Nobody waits for the read ahead of a file that is given up.
    read.catch(() => {});
    return read;
  };
  let reading = readAt(0, 0);
  for (let i = 0; ; i++) {
    const { bytesRead, buffer } = await reading;
    if (bytesRead === 0) break;
    if (multi.bytes + bytesRead > state.size) return undefined;
    await options.pace?.(bytesRead);
    checkSignal(options.signal);
    reading = readAt(multi.bytes + bytesRead, i + 1);
    multi.update(buffer.subarray(0, bytesRead));
  }
  return multi.bytes === state.size ? multi.digest() : undefined;
}

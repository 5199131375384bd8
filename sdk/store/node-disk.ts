import { constants, type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { HashfedError } from '../core/index.js';
import type { Disk, ReadHandle, WriteHandle } from './disk.js';

/** Wraps one system call; the path stays in the cause and never in the message. */
async function call<T>(what: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    if (cause instanceof HashfedError) throw cause;
    const absent = what === 'open' && (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const why = (cause as NodeJS.ErrnoException).code ?? 'for an unknown reason';
    throw new HashfedError(absent ? 'NOT_FOUND' : 'STORAGE_FAILED', `the disk failed to ${what} (${why})`, {
      cause,
    });
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done);
    if (bytesWritten === 0) throw new HashfedError('STORAGE_FAILED', 'the disk took no bytes');
    done += bytesWritten;
  }
}

const writeHandle = (file: FileHandle): WriteHandle => ({
  write: (bytes) => call('write', () => writeAll(file, bytes)),
  sync: () => call('sync', () => file.datasync()),
  close: () => call('close', () => file.close()),
});

async function readAll(file: FileHandle, target: Uint8Array, position: number): Promise<number> {
  let done = 0;
  while (done < target.length) {
    const { bytesRead } = await file.read(target, done, target.length - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
}

async function openRead(path: string): Promise<ReadHandle> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const { size } = await file.stat();
    return {
      size,
      read: (target, position) => call('read', () => readAll(file, target, position)),
      close: () => call('close', () => file.close()),
    };
  } catch (cause) {
    await file.close();
    throw cause;
  }
}

async function openAppend(path: string, length: number): Promise<WriteHandle> {
  const file = await open(path, constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW);
  try {
    await file.truncate(length);
    return writeHandle(file);
  } catch (cause) {
    await file.close();
    throw cause;
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function list(path: string): Promise<string[]> {
  try {
    return (await readdir(path)).sort();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw cause;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw cause;
  }
}

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_APPEND;

/** The real disk. Files 0600, directories 0700; symbolic links are not followed for files. */
export const nodeDisk: Disk = {
  open: (path) => call('open', () => openRead(path)),
  create: (path) => call('create', async () => writeHandle(await open(path, CREATE, 0o600))),
  append: (path, length) => call('append', () => openAppend(path, length)),
  rename: (from, to) => call('rename', () => rename(from, to)),
  remove: (path) => call('remove', () => rm(path, { recursive: true, force: true })),
  makeDirectory: (path) =>
    call('make a directory', async () => void (await mkdir(path, { recursive: true, mode: 0o700 }))),
  syncDirectory: (path) => call('sync a directory', () => syncDirectory(path)),
  list: (path) => call('list', () => list(path)),
  exists: (path) => call('look', () => exists(path)),
};

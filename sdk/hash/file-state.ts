import { type BigIntStats, constants } from 'node:fs';
import type { FileOptions, FileState, UnhashedFile } from './types.js';

/**
 * Non-blocking, so that a pipe that nobody writes to is opened and recognised instead of waited for; symbolic links
 * are refused by the system itself, so that nobody can swap one in between a look and the opening.
 */
export function openFlags({ followSymlinks = false }: FileOptions): number {
  return constants.O_RDONLY | constants.O_NONBLOCK | (followSymlinks ? 0 : constants.O_NOFOLLOW);
}

export function toState(stats: BigIntStats): FileState {
  return { size: Number(stats.size), mtimeNs: stats.mtimeNs, inode: stats.ino, device: stats.dev };
}

export function sameState(a: FileState, b: FileState): boolean {
  return a.size === b.size && a.mtimeNs === b.mtimeNs && a.inode === b.inode && a.device === b.device;
}

/** Why an open file cannot be hashed, or undefined. */
export function refuse(stats: BigIntStats, { maxBytes }: FileOptions): UnhashedFile | undefined {
  if (stats.isDirectory()) return { status: 'directory' };
  if (!stats.isFile()) return { status: 'special' };
  return Number(stats.size) > (maxBytes ?? Number.POSITIVE_INFINITY) ? { status: 'too-large' } : undefined;
}

/** What a failed system call says about the file. Errors that are not the system's are thrown on. */
export function fromError(error: unknown): UnhashedFile {
  const code = (error as NodeJS.ErrnoException).code;
  if (typeof code !== 'string' || !/^E[A-Z0-9]+$/.test(code)) throw error;
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return { status: 'absent', code };
    case 'ELOOP':
    case 'EMLINK':
      return { status: 'symlink', code };
    case 'ENXIO':
    case 'ENODEV':
      return { status: 'special', code };
    default:
      return { status: 'unreadable', code };
  }
}

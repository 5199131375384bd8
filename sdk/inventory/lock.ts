import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { HashfedError } from '../core/index.js';

/** One process at a time writes a shelf: its number stands in this file. */
export const LOCK_FILE = 'lock';

/** Locks of this process. A file with our number that is not among them was left by a dead process: a container
 * gives every process the same one. */
const mine = new Set<string>();

const SCANNED = 'this part of the inventory is being written by another process, perhaps a scan';

/** Throws `STORAGE_FAILED`, saying `why`, while another living process holds it, or this one does. */
export function takeLock(folder: string, why = SCANNED): () => void {
  const path = `${folder}/${LOCK_FILE}`;
  for (let attempt = 0; ; attempt++) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx', mode: 0o600 });
      mine.add(path);
      return () => release(path);
    } catch (cause) {
      if (attempt > 1 || (cause as NodeJS.ErrnoException).code !== 'EEXIST' || isHeld(path)) {
        throw new HashfedError('STORAGE_FAILED', why, { cause });
      }
      rmSync(path, { force: true });
    }
  }
}

function release(path: string): void {
  mine.delete(path);
  rmSync(path, { force: true });
}

function isHeld(path: string): boolean {
  try {
    const pid = Number(readFileSync(path, 'utf8'));
    if (!Number.isInteger(pid) || pid < 1) return false;
    if (pid === process.pid) return mine.has(path);
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

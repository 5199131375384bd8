import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { LargeObject } from './large-object.js';

const PROGRAM = join(import.meta.dirname, '../../dist/test/support/large-object.js');
export const MIB = 1024 * 1024;

/** Checks a large object in a process of its own. Needs a built dist/. */
async function run(...args: readonly string[]): Promise<LargeObject> {
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, ...args]);
  return JSON.parse(stdout) as LargeObject;
}

/** A file of zeros that takes no room on the disk. */
export function checkSparseFile(folder: string, bytes: number): Promise<LargeObject> {
  const path = join(folder, `sparse-${bytes}`);
  writeFileSync(path, '');
  truncateSync(path, bytes);
  return run('file', String(bytes), path);
}

/** A stream of zeros; `head`: a file that it begins with. */
export function checkLongStream(bytes: number, head = ''): Promise<LargeObject> {
  return run('stream', String(bytes), head);
}

/** SHA-256 of so many zeros, hex. */
export function digestOfZeros(bytes: number): string {
  const hash = createHash('sha256');
  const piece = Buffer.alloc(MIB);
  for (let left = bytes; left > 0; left -= piece.length) hash.update(piece.subarray(0, left));
  return hash.digest('hex');
}

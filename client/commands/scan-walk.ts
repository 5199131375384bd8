import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';

export { showPath } from '../../sdk/index.js';

/** One thing that lies below the scanned folder; names are bytes, since not every name is UTF-8. */
export interface Walked {
  /** `vanished`: a folder that went away during the walk; `unreadable`: a folder that does not let itself be listed. */
  readonly kind: 'file' | 'skipped' | 'unreadable' | 'vanished';
  readonly path: Buffer;
  /** Below the scanned folder: where an interrupted scan goes on. */
  readonly relative: Buffer;
  /** Why it is no file to hash: `symlink`, `special`, `excluded`, or the system's error code. */
  readonly reason?: string;
}

export interface WalkOptions {
  /** Names of files and folders that are left out, wherever they lie. */
  readonly exclude: ReadonlySet<string>;
  /** `relative` of the last thing that is done: everything up to it is passed over. */
  readonly after?: Buffer;
}

const SLASH = Buffer.from('/');

/**
 * Everything below `root`, folder by folder in byte order of names, so that a scan can go on where it was cut. Memory
 * is bounded by the largest folders on one path. Links are never followed. What cannot be read is told, not thrown.
 */
export async function* walk(root: Buffer, options: WalkOptions): AsyncGenerator<Walked> {
  const after = options.after === undefined ? [] : splitPath(options.after);
  yield* walkFolder(root, Buffer.alloc(0), options.exclude, after);
}

async function* walkFolder(
  path: Buffer,
  relative: Buffer,
  exclude: ReadonlySet<string>,
  after: readonly Buffer[],
): AsyncGenerator<Walked> {
  let entries: Dirent<Buffer>[];
  try {
    entries = await readdir(path, { withFileTypes: true, encoding: 'buffer' });
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'EIO';
    // The scanned folder itself is never taken for deleted: a mount that went away looks like that.
    const kind = reason === 'ENOENT' && relative.length > 0 ? 'vanished' : 'unreadable';
    yield { kind, path, relative, reason };
    return;
  }
  entries.sort((a, b) => Buffer.compare(a.name, b.name));
  const [done, ...deeper] = after;
  for (const entry of entries) {
    const order = done === undefined ? 1 : Buffer.compare(entry.name, done);
    if (order < 0 || (order === 0 && deeper.length === 0)) continue;
    const at = { path: join(path, entry.name), relative: join(relative, entry.name) };
    if (exclude.has(entry.name.toString('utf8'))) yield { kind: 'skipped', ...at, reason: 'excluded' };
    else if (entry.isDirectory()) yield* walkFolder(at.path, at.relative, exclude, order === 0 ? deeper : []);
    else if (entry.isFile()) yield { kind: 'file', ...at };
    else yield { kind: 'skipped', ...at, reason: entry.isSymbolicLink() ? 'symlink' : 'special' };
  }
}

/** A name below a folder, both as the bytes they are. */
export function join(folder: Buffer, name: Buffer): Buffer {
  if (folder.length === 0) return name;
  return Buffer.concat(folder.at(-1) === SLASH[0] ? [folder, name] : [folder, SLASH, name]);
}

function splitPath(path: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let from = 0; from < path.length; ) {
    const slash = path.indexOf(SLASH, from);
    const to = slash < 0 ? path.length : slash;
    parts.push(path.subarray(from, to));
    from = to + 1;
  }
  return parts;
}

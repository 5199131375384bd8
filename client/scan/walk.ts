import type { Dirent } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Every regular file below a folder, in bounded memory: folders are read entry by entry, and only the path down to the
 * present one is held. Links, devices and sockets are passed over. Folders that cannot be read are told to `refused`.
 * The generator may be drawn from by several workers.
 */
export async function* walkFiles(
  folder: string,
  excluded: ReadonlySet<string>,
  refused: (path: string, code: string) => void,
): AsyncGenerator<string> {
  const directory = await opendir(folder).catch((error: NodeJS.ErrnoException) => {
    refused(folder, error.code ?? 'unreadable');
    return undefined;
  });
  if (directory === undefined) return;
  for await (const entry of directory as AsyncIterable<Dirent>) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (!excluded.has(entry.name)) yield* walkFiles(path, excluded, refused);
    } else if (entry.isFile()) yield path;
  }
}

/** The few file operations storage needs, as an interface, so that tests make each of them fail. */
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';

export interface Disk {
  /** The whole file, or undefined when there is none. Throws when it is larger than `maxBytes`. */
  readFile(path: string, maxBytes: number): Promise<Uint8Array | undefined>;
  /** Creates or truncates, writes, fsyncs the file. MUST be on the medium once it resolves. */
  writeFileDurable(path: string, bytes: Uint8Array): Promise<void>;
  /** Atomic replacement within one directory; durable only after `fsyncDir`. */
  rename(from: string, to: string): Promise<void>;
  fsyncDir(path: string): Promise<void>;
  /** Parents included; no error when it exists. */
  mkdir(path: string): Promise<void>;
  /** Names in a directory; empty when there is none. */
  list(path: string): Promise<readonly string[]>;
  /** File or directory tree; no error when absent. */
  remove(path: string): Promise<void>;
}

const isAbsent = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

async function readWhole(path: string, maxBytes: number): Promise<Uint8Array | undefined> {
  try {
    const bytes = await readFile(path);
    if (bytes.length > maxBytes)
      throw new Error(`file has ${bytes.length} bytes, at most ${maxBytes} expected`);
    return bytes;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

async function writeDurable(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

export const nodeDisk: Disk = {
  readFile: readWhole,
  writeFileDurable: writeDurable,
  rename,
  fsyncDir: syncDirectory,
  async mkdir(path) {
    await mkdir(path, { recursive: true, mode: 0o700 });
  },
  async list(path) {
    return readdir(path).catch((error: unknown) => (isAbsent(error) ? [] : Promise.reject(error)));
  },
  async remove(path) {
    await rm(path, { recursive: true, force: true });
  },
};

/** Replaces a file so that a crash leaves the old or the new one, never a part. */
export async function replaceFile(
  disk: Disk,
  directory: string,
  name: string,
  bytes: Uint8Array,
): Promise<void> {
  await disk.writeFileDurable(`${directory}/${name}.tmp`, bytes);
  await disk.rename(`${directory}/${name}.tmp`, `${directory}/${name}`);
  await disk.fsyncDir(directory);
}

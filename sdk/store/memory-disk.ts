import { HashfedError } from '../core/index.js';
import type { Disk, ReadHandle, WriteHandle } from './disk.js';

interface MemoryFile {
  data: Uint8Array;
  length: number;
  /** What a power cut leaves. */
  durable: Uint8Array;
}

const absent = () => new HashfedError('STORAGE_FAILED', 'the disk has no such file');
const parentOf = (path: string) => path.slice(0, Math.max(path.lastIndexOf('/'), 0));

/**
 * A disk in memory that forgets like a real one: `powerCut` keeps only synced content under names whose
 * directory was synced. For tests and for clients that must not touch a disk.
 */
export class MemoryDisk implements Disk {
  #files = new Map<string, MemoryFile>();
  #durable = new Map<string, MemoryFile>();
  #directories = new Set<string>(['']);

  async open(path: string): Promise<ReadHandle> {
    const file = this.#files.get(path);
    if (file === undefined) throw new HashfedError('NOT_FOUND', 'the disk has no such file');
    const size = file.length;
    const read = async (target: Uint8Array, position: number) => {
      const end = Math.min(position + target.length, file.length);
      if (end <= position) return 0;
      target.set(file.data.subarray(position, end));
      return end - position;
    };
    return { size, read, close: async () => {} };
  }

  async create(path: string): Promise<WriteHandle> {
    if (this.#files.has(path)) throw new HashfedError('STORAGE_FAILED', 'the file exists');
    if (!this.#directories.has(parentOf(path))) throw absent();
    const file: MemoryFile = { data: new Uint8Array(256), length: 0, durable: new Uint8Array() };
    this.#files.set(path, file);
    return this.#writer(file);
  }

  async append(path: string, length: number): Promise<WriteHandle> {
    const file = this.#need(path);
    file.length = Math.min(file.length, length);
    return this.#writer(file);
  }

  async rename(from: string, to: string): Promise<void> {
    if (this.#files.has(from)) {
      this.#files.set(to, this.#need(from));
      this.#files.delete(from);
      return;
    }
    if (!this.#directories.has(from)) throw absent();
    this.#directories.delete(from);
    this.#directories.add(to);
    for (const [path, file] of [...this.#files]) {
      if (!path.startsWith(`${from}/`)) continue;
      this.#files.delete(path);
      this.#files.set(to + path.slice(from.length), file);
    }
  }

  async remove(path: string): Promise<void> {
    const under = (name: string) => name === path || name.startsWith(`${path}/`);
    for (const name of [...this.#files.keys()]) if (under(name)) this.#files.delete(name);
    for (const name of [...this.#directories]) if (under(name)) this.#directories.delete(name);
  }

  async makeDirectory(path: string): Promise<void> {
    for (let at = path; at !== ''; at = parentOf(at)) this.#directories.add(at);
  }

  async syncDirectory(path: string): Promise<void> {
    for (const name of [...this.#durable.keys()]) if (parentOf(name) === path) this.#durable.delete(name);
    for (const [name, file] of this.#files) if (parentOf(name) === path) this.#durable.set(name, file);
  }

  async list(path: string): Promise<string[]> {
    const inside = [...this.#files.keys(), ...this.#directories];
    return inside
      .filter((name) => name !== '' && parentOf(name) === path)
      .map((name) => name.slice(path.length + 1))
      .sort();
  }

  async exists(path: string): Promise<boolean> {
    return this.#files.has(path) || this.#directories.has(path);
  }

  /** Every file with its bytes, by path; views, so that a test can also flip bits in place. */
  contents(): Map<string, Uint8Array> {
    return new Map([...this.#files].map(([path, file]) => [path, file.data.subarray(0, file.length)]));
  }

  /** Puts a file there as is, durable: what somebody with access to the disk can do. */
  plant(path: string, bytes: Uint8Array): void {
    const file = { data: bytes.slice(), length: bytes.length, durable: bytes.slice() };
    this.#files.set(path, file);
    this.#durable.set(path, file);
  }

  /** The disk after a power cut. Directories survive: an empty one carries no meaning. */
  powerCut(): MemoryDisk {
    const after = new MemoryDisk();
    after.#directories = new Set(this.#directories);
    for (const [path, file] of this.#durable) after.plant(path, file.durable);
    return after;
  }

  #need(path: string): MemoryFile {
    const file = this.#files.get(path);
    if (file === undefined) throw absent();
    return file;
  }

  #writer(file: MemoryFile): WriteHandle {
    return {
      write: async (bytes) => {
        grow(file, file.length + bytes.length);
        file.data.set(bytes, file.length);
        file.length += bytes.length;
      },
      sync: async () => {
        file.durable = file.data.slice(0, file.length);
      },
      close: async () => {},
    };
  }
}

function grow(file: MemoryFile, need: number): void {
  if (need <= file.data.length) return;
  const data = new Uint8Array(Math.max(need, file.data.length * 2));
  data.set(file.data.subarray(0, file.length));
  file.data = data;
}

import type { Disk } from '../store/index.js';
import { HEAD_FILE, type Matched, newHead, openHead, type ShelfHead, sealHead } from './head.js';
import { MAX_HEAD_BYTES } from './limits.js';
import { takeLock } from './lock.js';
import { damaged } from './sealing.js';
import { readSegment, type SegmentRef, type SegmentWorld, SegmentWriter } from './segment.js';

const STAGED = 'head.new';

/** One scanned folder, or one named collection of objects: immutable segments and a head that names them. */
export class Shelf {
  /** 32 hexadecimal digits: the folder's name on disk, which says nothing. */
  readonly id: string;
  readonly #world: SegmentWorld;
  readonly #folder: string;
  #head: ShelfHead;
  #unlock: (() => void) | undefined;

  private constructor(world: SegmentWorld, folder: string, id: string, head: ShelfHead) {
    this.#world = world;
    this.#folder = folder;
    this.id = id;
    this.#head = head;
  }

  /** undefined where there is none. */
  static async open(world: SegmentWorld, folder: string, id: string): Promise<Shelf | undefined> {
    const bytes = await readWhole(world.disk, `${folder}/${HEAD_FILE}`);
    return bytes === undefined ? undefined : new Shelf(world, folder, id, openHead(world, id, bytes));
  }

  static async create(
    world: SegmentWorld,
    folder: string,
    id: string,
    what: Pick<ShelfHead, 'name' | 'kind'>,
  ): Promise<Shelf> {
    await world.disk.makeDirectory(folder);
    const shelf = new Shelf(world, folder, id, newHead(what.name, what.kind));
    await shelf.put(shelf.head);
    return shelf;
  }

  get head(): ShelfHead {
    return this.#head;
  }

  get objects(): number {
    return this.#head.segments.reduce((sum, { objects }) => sum + objects, 0);
  }

  get bytes(): number {
    return this.#head.segments.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Bytes on disk. */
  async diskBytes(): Promise<number> {
    let sum = 0;
    for (const name of await this.#world.disk.list(this.#folder)) {
      const file = await this.#world.disk.open(`${this.#folder}/${name}`);
      sum += file.size;
      await file.close();
    }
    return sum;
  }

  /** Blocks of what is known, and of a scan that has not ended: an object may be in both. */
  async *blocks(): AsyncGenerator<Uint8Array> {
    const { segments, next } = this.#head;
    yield* this.blocksOf([...segments, ...(next?.segments ?? [])]);
  }

  async *blocksOf(segments: readonly SegmentRef[]): AsyncGenerator<Uint8Array> {
    for (const segment of segments) yield* readSegment(this.#world, this.#folder, segment);
  }

  /** From here on this process alone writes. Throws `STORAGE_FAILED` while another one does. */
  lock(): void {
    this.#unlock ??= takeLock(this.#folder);
  }

  unlock(): void {
    this.#unlock?.();
    this.#unlock = undefined;
  }

  newSegment(): Promise<SegmentWriter> {
    const name = `${Buffer.from(this.#world.randomBytes(8)).toString('hex')}.seg`;
    return SegmentWriter.create(this.#world, this.#folder, name);
  }

  /** Replaces the head, durably, and removes the segments that it no longer names. */
  async put(head: ShelfHead): Promise<void> {
    const { disk } = this.#world;
    await disk.remove(`${this.#folder}/${STAGED}`);
    const file = await disk.create(`${this.#folder}/${STAGED}`);
    try {
      await file.write(sealHead(this.#world, this.id, head));
      await file.sync();
    } finally {
      await file.close();
    }
    await disk.rename(`${this.#folder}/${STAGED}`, `${this.#folder}/${HEAD_FILE}`);
    await disk.syncDirectory(this.#folder);
    this.#head = head;
  }

  /** Files that no head names: of a scan that was cut, or of a generation that ended. */
  async sweep(): Promise<void> {
    const { segments, next } = this.#head;
    const kept = new Set([...segments, ...(next?.segments ?? [])].map(({ file }) => file));
    for (const name of await this.#world.disk.list(this.#folder)) {
      if (name.endsWith('.seg') && !kept.has(name)) await this.#world.disk.remove(`${this.#folder}/${name}`);
    }
  }

  /** Every object was matched against these lists. */
  async setMatched(matched: Matched): Promise<void> {
    await this.put({ ...this.#head, matched });
  }
}

async function readWhole(disk: Disk, path: string): Promise<Uint8Array | undefined> {
  if (!(await disk.exists(path))) return undefined;
  const file = await disk.open(path);
  try {
    if (file.size > MAX_HEAD_BYTES) throw damaged(HEAD_FILE, 'it is too long');
    const bytes = new Uint8Array(file.size);
    return bytes.subarray(0, await file.read(bytes, 0));
  } finally {
    await file.close();
  }
}

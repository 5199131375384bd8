import type { Disk, WriteHandle } from '../store/index.js';
import { BlockWriter, type InventoryEntry } from './entry.js';
import { FILE_ID_BYTES, MAX_BLOCK_BYTES, TAG_BYTES } from './limits.js';
import {
  damaged,
  HEADER_BYTES,
  type KeyFor,
  KIND,
  makeHeader,
  openBlock,
  readHeader,
  sealBlock,
} from './sealing.js';

/** What the head says of a segment file. */
export interface SegmentRef {
  readonly file: string;
  readonly objects: number;
  /** Bytes of the objects together. */
  readonly bytes: number;
}

export interface SegmentWorld {
  readonly disk: Disk;
  readonly keyFor: KeyFor;
  readonly randomBytes: (length: number) => Uint8Array;
}

/** u32 length | u8 last */
const FRAME_BYTES = 5;

const contextOf = (header: Uint8Array, name: string) => Buffer.concat([header, Buffer.from(name, 'utf8')]);

/** Writes entries to a new file, block by block; the file counts once `finish` resolved and the head names it. */
export class SegmentWriter {
  readonly #file: WriteHandle;
  readonly #key: Uint8Array;
  readonly #context: Uint8Array;
  readonly #name: string;
  readonly #block = new BlockWriter();
  #blocks = 0;
  #objects = 0;
  #bytes = 0;
  #started: Uint8Array | undefined;

  private constructor(file: WriteHandle, name: string, header: Buffer, key: Uint8Array) {
    this.#file = file;
    this.#name = name;
    this.#key = key;
    this.#context = contextOf(header, name);
    this.#started = header;
  }

  static async create(world: SegmentWorld, folder: string, name: string): Promise<SegmentWriter> {
    const fileId = world.randomBytes(FILE_ID_BYTES);
    const file = await world.disk.create(`${folder}/${name}`);
    return new SegmentWriter(file, name, makeHeader(KIND.segment, fileId), world.keyFor(fileId));
  }

  get objects(): number {
    return this.#objects;
  }

  async add(entry: InventoryEntry): Promise<void> {
    this.#block.add(entry);
    this.#objects++;
    this.#bytes += entry.size;
    if (this.#block.full) await this.#write(false);
  }

  async #write(last: boolean): Promise<void> {
    const place = { key: this.#key, context: this.#context, n: this.#blocks++, last };
    const sealed = sealBlock(place, this.#block.take());
    const frame = Buffer.alloc(FRAME_BYTES);
    frame.writeUInt32BE(sealed.length, 0);
    frame[4] = last ? 1 : 0;
    const parts = [this.#started ?? new Uint8Array(), frame, sealed];
    this.#started = undefined;
    await this.#file.write(Buffer.concat(parts));
  }

  /** Durable when it resolves. */
  async finish(): Promise<SegmentRef> {
    await this.#write(true);
    await this.#file.sync();
    await this.#file.close();
    return { file: this.#name, objects: this.#objects, bytes: this.#bytes };
  }

  async abort(): Promise<void> {
    await this.#file.close();
  }
}

/**
 * The blocks of a segment, each authenticated before it is handed out; memory: two blocks. Throws `STORAGE_FAILED` for
 * a wrong key, any changed or missing byte, and a file that ends early.
 */
export async function* readSegment(
  world: Pick<SegmentWorld, 'disk' | 'keyFor'>,
  folder: string,
  { file: name }: SegmentRef,
): AsyncGenerator<Uint8Array> {
  const file = await world.disk.open(`${folder}/${name}`).catch(() => {
    throw damaged(name, 'it is gone');
  });
  try {
    const header = new Uint8Array(HEADER_BYTES);
    await file.read(header, 0);
    const key = world.keyFor(readHeader(header, KIND.segment, name));
    const context = contextOf(header, name);
    const frame = Buffer.alloc(FRAME_BYTES);
    let at = HEADER_BYTES;
    for (let n = 0; ; n++) {
      if ((await file.read(frame, at)) !== FRAME_BYTES) throw damaged(name, 'it ends too early');
      const length = frame.readUInt32BE(0);
      const last = frame[4] === 1;
      if (length > MAX_BLOCK_BYTES + TAG_BYTES) throw damaged(name, 'it was changed or damaged');
      const sealed = new Uint8Array(length);
      const got = await file.read(sealed, at + FRAME_BYTES);
      const plain = got === length ? openBlock({ key, context, n, last }, sealed) : undefined;
      if (plain === undefined) throw damaged(name, 'it was changed or damaged, or the store key is another');
      at += FRAME_BYTES + length;
      if (plain.length > 0) yield plain;
      if (!last) continue;
      if (at !== file.size) throw damaged(name, 'it has bytes beyond its end');
      return;
    }
  } finally {
    await file.close();
  }
}

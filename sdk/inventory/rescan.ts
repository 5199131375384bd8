import { EntryCursor, type InventoryEntry } from './entry.js';
import type { Matched, ShelfHead } from './head.js';
import { comparePaths } from './paths.js';
import type { SegmentRef, SegmentWriter } from './segment.js';
import type { Shelf } from './shelf.js';

const SLASH = Buffer.from('/');

const startsWith = (ref: Uint8Array, prefix: Uint8Array): boolean =>
  Buffer.compare(ref.subarray(0, prefix.length), prefix) === 0;

/**
 * A walk over a folder beside what is known of it: both in one order, so that memory stays bounded however many objects
 * there are. The new generation takes the old one's place at the end; until then both are kept.
 */
export class Rescan {
  /** It goes on with a scan that was cut. */
  readonly resumed: boolean;
  readonly #shelf: Shelf;
  readonly #matched: Matched;
  #done: SegmentRef[];
  #writer: SegmentWriter | undefined;
  #old: AsyncGenerator<Uint8Array>;
  #cursor: EntryCursor | undefined;
  #ended = false;

  private constructor(shelf: Shelf, matched: Matched, done: SegmentRef[], resumed: boolean) {
    this.resumed = resumed;
    this.#shelf = shelf;
    this.#matched = matched;
    this.#done = done;
    this.#old = shelf.blocksOf(shelf.head.segments);
  }

  /**
   * Begins a scan, or goes on with the one that was cut; `matched` is what the objects will have been matched against,
   * for a scan that goes on the older of both. Throws `STORAGE_FAILED` while another process scans the same folder.
   */
  static async begin(shelf: Shelf, matched: Matched, resume: boolean): Promise<Rescan> {
    shelf.lock();
    const { next } = shelf.head;
    const kept = resume ? next : null;
    const scan = new Rescan(shelf, kept?.matched ?? matched, [...(kept?.segments ?? [])], kept !== null);
    if (kept === null && next !== null) await shelf.put({ ...shelf.head, next: null });
    await shelf.sweep();
    return scan;
  }

  /** What is known of an object; references MUST be asked for in the order of the walk. */
  async find(ref: Uint8Array): Promise<InventoryEntry | undefined> {
    for (;;) {
      const order = this.#cursor === undefined ? -1 : comparePaths(this.#cursor.ref, ref);
      if (order === 0) return this.#cursor!.entry();
      if (order > 0 || !(await this.#step())) return undefined;
    }
  }

  /** What is known of everything below a folder, '' for all that is left; in the order of the walk, too. */
  async *below(folder: Uint8Array): AsyncGenerator<InventoryEntry> {
    const prefix = folder.length === 0 ? folder : Buffer.concat([folder, SLASH]);
    await this.find(prefix);
    while (this.#cursor !== undefined && startsWith(this.#cursor.ref, prefix)) {
      yield this.#cursor.entry();
      await this.#step();
    }
  }

  async #step(): Promise<boolean> {
    while (!this.#ended) {
      if (this.#cursor?.next() === true) return true;
      const block = await this.#old.next();
      if (block.done === true) this.#ended = true;
      else this.#cursor = new EntryCursor(block.value);
    }
    this.#cursor = undefined;
    return false;
  }

  /** In the order of the walk, too. */
  async add(entry: InventoryEntry): Promise<void> {
    this.#writer ??= await this.#shelf.newSegment();
    await this.#writer.add(entry);
  }

  /** What was added survives from here on, whatever happens. */
  async save(): Promise<void> {
    await this.#closeSegment();
    const next: ShelfHead['next'] = { segments: this.#done, matched: this.#matched };
    await this.#shelf.put({ ...this.#shelf.head, next });
  }

  /** The walk came to its end: what it saw is what there is. */
  async finish(seen: NonNullable<ShelfHead['seen']>): Promise<void> {
    await this.#closeSegment();
    const { head } = this.#shelf;
    await this.#shelf.put({ ...head, segments: this.#done, matched: this.#matched, seen, next: null });
    await this.#shelf.sweep();
  }

  async #closeSegment(): Promise<void> {
    const writer = this.#writer;
    this.#writer = undefined;
    if (writer !== undefined) this.#done = [...this.#done, await writer.finish()];
  }

  async close(): Promise<void> {
    await this.#old.return(undefined);
    await this.#writer?.abort();
    this.#writer = undefined;
    this.#shelf.unlock();
  }
}

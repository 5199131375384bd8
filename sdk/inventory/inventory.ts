import { createHash } from 'node:crypto';
import type { Random } from '../core/index.js';
import { type Disk, nodeDisk, type Store } from '../store/index.js';
import type { InventoryEntry } from './entry.js';
import type { Matched, ShelfHead } from './head.js';
import { Rescan } from './rescan.js';
import type { SegmentWorld } from './segment.js';
import { Shelf } from './shelf.js';

export interface InventoryOptions {
  readonly store: Pick<Store, 'keyFor'>;
  /** The inventory's own folder, below the store's. */
  readonly dir: string;
  readonly random: Random;
  readonly disk?: Disk;
}

/** How much of what is stored was checked against lists of at most some age. */
export interface Coverage {
  readonly objects: number;
  readonly bytes: number;
  /** Objects and bytes that stand in the inventory, whatever the lists' age was. */
  readonly checked_objects: number;
  readonly checked_bytes: number;
  /** Of these the ones that were matched against lists that were FRESH at most so long ago. */
  readonly current_objects: number;
  readonly current_bytes: number;
  /** current_bytes of bytes, 0 to 1; 1 where there are none. */
  readonly share: number;
  readonly max_age_hours: number;
}

/** Hashes of stored objects, encrypted, so that a new batch is matched without reading one object again. */
export class Inventory {
  readonly #world: SegmentWorld;
  readonly #dir: string;

  constructor({ store, dir, random, disk = nodeDisk }: InventoryOptions) {
    this.#dir = dir;
    this.#world = {
      disk,
      keyFor: (salt) => store.keyFor('inventory', salt),
      randomBytes: (length) => random.bytes(length),
    };
  }

  /** Every shelf, in no particular order. Throws `STORAGE_FAILED` for one that cannot be read. */
  async shelves(): Promise<Shelf[]> {
    const names = (await this.#world.disk.list(this.#dir)).filter((name) => /^[0-9a-f]{32}$/.test(name));
    const shelves = await Promise.all(names.map((id) => Shelf.open(this.#world, `${this.#dir}/${id}`, id)));
    return shelves.filter((shelf) => shelf !== undefined);
  }

  async shelf(name: string, kind: ShelfHead['kind']): Promise<Shelf> {
    const id = createHash('sha256').update(`${kind}\n${name}`).digest('hex').slice(0, 32);
    const folder = `${this.#dir}/${id}`;
    const held = await Shelf.open(this.#world, folder, id);
    return held ?? Shelf.create(this.#world, folder, id, { name, kind });
  }

  /** A scan of a folder beside what is known of it. */
  async rescan(folder: string, matched: Matched, resume: boolean): Promise<Rescan> {
    return Rescan.begin(await this.shelf(folder, 'folder'), matched, resume);
  }

  /**
   * Adds objects under references of the integrator's own, in any order; durable when it resolves. `matched` says what
   * they were matched against: the shelf as a whole counts as matched against the least of it.
   */
  async add(name: string, entries: Iterable<InventoryEntry>, matched: Matched): Promise<void> {
    const shelf = await this.shelf(name, 'objects');
    shelf.lock();
    try {
      const writer = await shelf.newSegment();
      for (const entry of entries) await writer.add(entry);
      const segments = [...shelf.head.segments, await writer.finish()];
      const least = shelf.head.matched === null ? matched : leastOf(shelf.head.matched, matched);
      await shelf.put({ ...shelf.head, segments, matched: least });
    } finally {
      shelf.unlock();
    }
  }

  async coverage(nowMs: number, maxAgeHours: number): Promise<Coverage> {
    const sum = {
      objects: 0,
      bytes: 0,
      checked_objects: 0,
      checked_bytes: 0,
      current_objects: 0,
      current_bytes: 0,
    };
    for (const { objects, bytes, head } of await this.shelves()) {
      sum.objects += Math.max(objects, head.seen?.objects ?? 0);
      sum.bytes += Math.max(bytes, head.seen?.bytes ?? 0);
      sum.checked_objects += objects;
      sum.checked_bytes += bytes;
      const freshMs = head.matched?.freshMs ?? null;
      if (freshMs === null || nowMs - freshMs > maxAgeHours * 3_600_000) continue;
      sum.current_objects += objects;
      sum.current_bytes += bytes;
    }
    const share = sum.bytes === 0 ? 1 : sum.current_bytes / sum.bytes;
    return { ...sum, share, max_age_hours: maxAgeHours };
  }

  /** Forgets everything. */
  async wipe(): Promise<void> {
    await this.#world.disk.remove(this.#dir);
  }
}

/** For each list the smaller size; a list that only one names was not matched against by all. */
export function leastOf(a: Matched, b: Matched): Matched {
  const sizes = Object.entries(a.sizes).flatMap(([origin, size]) => {
    const other = b.sizes[origin];
    return other === undefined ? [] : [[origin, Math.min(size, other)] as const];
  });
  const freshMs = a.freshMs === null || b.freshMs === null ? null : Math.min(a.freshMs, b.freshMs);
  return { sizes: Object.fromEntries(sizes), atMs: Math.min(a.atMs, b.atMs), freshMs };
}

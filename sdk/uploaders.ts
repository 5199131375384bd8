import { createHmac } from 'node:crypto';
import { fromUtf8, HashfedError, type Random, utf8 } from './core/index.js';
import type { Store } from './store/index.js';

const NAME = 'uploaders';
const DAY_MS = 86_400_000;
/** Items that are remembered; of more, the one that matched longest ago is forgotten. */
const MAX_ITEMS = 10_000;
/** Uploaders told apart per item and day: enough for any breaker, and bounded memory. */
const MAX_UPLOADERS = 10_000;
/** A crash loses at most so much of what was counted, milliseconds. */
const SAVE_MS = 60_000;

interface Item {
  /** Days since 1970, UTC. */
  day: number;
  /** Distinct uploaders of that day, as far as an earlier process counted them. */
  before: number;
  /** The highest count of the days before. */
  usual: number;
  /** Keyed digests of that day's uploaders. */
  readonly seen: Set<string>;
}

/** Distinct uploaders of one item: `now` on the current UTC day, `usual` on the busiest day before it. */
export interface UploaderCounts {
  readonly now: number;
  readonly usual: number;
}

/**
 * How many distinct uploaders each item matched, for the breaker. Uploaders are told apart by a digest under a key that
 * lives as long as the process; only numbers are stored, and nothing of this is sent.
 */
export class Uploaders {
  readonly #store: Store;
  readonly #key: Uint8Array;
  readonly #items: Map<string, Item>;
  #savedMs: number | undefined;
  #changed = false;

  private constructor(store: Store, key: Uint8Array, items: Map<string, Item>) {
    this.#store = store;
    this.#key = key;
    this.#items = items;
  }

  /** Throws `STORAGE_FAILED` for stored numbers that cannot be read. */
  static async open(store: Store, random: Random): Promise<Uploaders> {
    const held = await store.settings.get(NAME);
    return new Uploaders(store, random.bytes(32), held === undefined ? new Map() : decode(held));
  }

  /** Counts an uploader, where one is given, towards the item that matched. `itemId` is its hexadecimal form. */
  note(itemId: string, uploader: string | undefined, nowMs: number): UploaderCounts {
    const item = this.#item(itemId, Math.floor(nowMs / DAY_MS));
    if (uploader !== undefined && item.seen.size < MAX_UPLOADERS) {
      const { size } = item.seen;
      item.seen.add(this.#digest(itemId, uploader));
      this.#changed ||= item.seen.size > size;
    }
    return { now: Math.max(item.before, item.seen.size), usual: item.usual };
  }

  #item(itemId: string, day: number): Item {
    const held = this.#items.get(itemId) ?? { day, before: 0, usual: 0, seen: new Set<string>() };
    this.#items.delete(itemId);
    this.#items.set(itemId, held);
    if (this.#items.size > MAX_ITEMS) this.#items.delete(this.#items.keys().next().value!);
    if (day > held.day) {
      held.usual = Math.max(held.usual, held.before, held.seen.size);
      held.before = 0;
      held.seen.clear();
      held.day = day;
    }
    return held;
  }

  #digest(itemId: string, uploader: string): string {
    return createHmac('sha256', this.#key).update(`${itemId}\n${uploader}`).digest('base64').slice(0, 16);
  }

  /** Keeps the numbers, now and then or at the end. A process that only reads keeps none. */
  async save(monotonicMs: number, end = false): Promise<void> {
    this.#savedMs ??= monotonicMs;
    if (!this.#changed || this.#store.readOnly) return;
    if (!end && monotonicMs - this.#savedMs < SAVE_MS) return;
    this.#savedMs = monotonicMs;
    this.#changed = false;
    await this.#store.settings.put(NAME, encode(this.#items));
  }
}

/** `[item_id, day, distinct uploaders of the day, usual]` an item, the least recent first. */
function encode(items: ReadonlyMap<string, Item>): Uint8Array {
  const rows = Array.from(items, ([id, { day, before, usual, seen }]) => [
    ...[id, day, Math.max(before, seen.size), usual],
  ]);
  return utf8(JSON.stringify({ format: 1, items: rows }));
}

function decode(bytes: Uint8Array): Map<string, Item> {
  try {
    const { format, items } = JSON.parse(fromUtf8(bytes, NAME)) as { format: number; items: unknown[][] };
    if (format !== 1) throw new Error('of another format');
    return new Map(items.map(decodeItem));
  } catch (cause) {
    throw new HashfedError('STORAGE_FAILED', 'the stored counts of uploaders cannot be read', { cause });
  }
}

function decodeItem([id, ...numbers]: unknown[]): [string, Item] {
  const isCount = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) >= 0;
  const [day, before, usual] = numbers;
  if (typeof id !== 'string' || !isCount(day) || !isCount(before) || !isCount(usual))
    throw new Error('not a row of numbers');
  return [id, { day, before, usual, seen: new Set() }];
}

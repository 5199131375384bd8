import { fromUtf8, HashfedError, utf8 } from './core/index.js';
import type { Store } from './store/index.js';

const NAME = 'generations';

/** A generation whose publisher closed it, and what took over here. */
export interface ClosedGeneration {
  /** Origin of the generation that is matched instead. */
  readonly next: string;
  /** When the list was first synced here, in whatever generation, Unix milliseconds. */
  readonly sinceMs: number | undefined;
  /** Its last checkpoint here, verbatim: evidence of what was followed. */
  readonly note: Uint8Array;
}

/** Which generations were closed here: a configuration names the one with which it began. */
export class Generations {
  readonly #store: Store;
  readonly #closed: Map<string, ClosedGeneration>;

  private constructor(store: Store, closed: Map<string, ClosedGeneration>) {
    this.#store = store;
    this.#closed = closed;
  }

  /** Throws `STORAGE_FAILED` where what is stored cannot be read. */
  static async open(store: Store): Promise<Generations> {
    const held = await store.settings.get(NAME);
    return new Generations(store, held === undefined ? new Map() : decode(held));
  }

  isClosed(origin: string): boolean {
    return this.#closed.has(origin);
  }

  /** The generation that is matched in the place of `origin`, and since when some generation is. */
  current(origin: string): { readonly origin: string; readonly sinceMs: number | undefined } {
    let at = origin;
    let sinceMs: number | undefined;
    // Each step goes to a later generation: `close` sees to that, so this ends.
    for (let one = this.#closed.get(at); one !== undefined; one = this.#closed.get(at)) {
      sinceMs ??= one.sinceMs;
      at = one.next;
    }
    return { origin: at, sinceMs };
  }

  /** Removes what a process that ended in the middle of a swap left behind. */
  async dropClosed(): Promise<void> {
    if (this.#store.readOnly || this.#closed.size === 0) return;
    for (const origin of await this.#store.origins())
      if (this.#closed.has(origin)) await this.#store.list(origin).drop();
  }

  /** The swap: durable when it resolves, and from then on `next` is matched. */
  async close(origin: string, closed: ClosedGeneration): Promise<void> {
    const all = new Map(this.#closed).set(origin, closed);
    await this.#store.settings.put(NAME, encode(all));
    this.#closed.set(origin, closed);
  }
}

function encode(closed: ReadonlyMap<string, ClosedGeneration>): Uint8Array {
  const rows = Array.from(closed, ([origin, { next, sinceMs, note }]) => ({
    ...{ origin, next, since_ms: sinceMs ?? null, note: Buffer.from(note).toString('base64') },
  }));
  return utf8(JSON.stringify({ format: 1, closed: rows }));
}

function decode(bytes: Uint8Array): Map<string, ClosedGeneration> {
  try {
    const { format, closed } = JSON.parse(fromUtf8(bytes, NAME)) as Stored;
    if (format !== 1) throw new Error('of another format');
    return new Map(
      closed.map(({ origin, next, since_ms, note }) => [
        origin,
        { next, sinceMs: since_ms ?? undefined, note: new Uint8Array(Buffer.from(note, 'base64')) },
      ]),
    );
  } catch (cause) {
    throw new HashfedError('STORAGE_FAILED', 'the stored generations cannot be read', { cause });
  }
}

interface Stored {
  readonly format: number;
  readonly closed: readonly { origin: string; next: string; since_ms: number | null; note: string }[];
}

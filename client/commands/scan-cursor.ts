import { createHash } from 'node:crypto';
import type { Hashfed } from '../../sdk/index.js';
import { NO_COUNTS, type ScanCounts } from './scan-run.js';

/**
 * A kill loses at most so much of a scan, milliseconds, and a twentieth of the time it took so far: what lies behind the
 * mark is scanned again. Each save ends a segment of the inventory, so that a scan of weeks must make few.
 */
const SAVE_EVERY_MS = 5_000;
const SAVE_SHARE = 0.05;

export interface Mark {
  readonly after: Buffer;
  readonly counts: ScanCounts;
}

/** How far a scan of one folder got, kept encrypted in the hoster's store. */
export class ScanCursor {
  readonly #store: Hashfed['store'];
  readonly #name: string;
  readonly #now: () => number;
  readonly #startedMs: number;
  #savedMs: number;
  /** Saves what the mark relies on. */
  beforeSave: (() => Promise<void>) | undefined;

  constructor({ store }: Hashfed, folder: string, now: () => number) {
    this.#store = store;
    this.#name = `scan-${createHash('sha256').update(folder).digest('hex').slice(0, 32)}`;
    this.#now = now;
    this.#startedMs = now();
    this.#savedMs = this.#startedMs;
  }

  /** Where an unfinished scan stopped; undefined where there is none, or it was left by another version. */
  async read(): Promise<Mark | undefined> {
    const bytes = await this.#store.settings.get(this.#name);
    if (bytes === undefined) return undefined;
    const saved = JSON.parse(Buffer.from(bytes).toString('utf8')) as {
      format?: number;
      after?: string;
      counts?: ScanCounts;
    };
    if (saved.format !== 1 || saved.after === undefined) return undefined;
    return { after: Buffer.from(saved.after, 'base64'), counts: { ...NO_COUNTS, ...saved.counts } };
  }

  /** Saves now and then. Beside a process that holds the store only the end of a scan is saved. */
  async note(mark: Mark): Promise<void> {
    const now = this.#now();
    const every = SAVE_EVERY_MS + SAVE_SHARE * (now - this.#startedMs);
    if (this.#store.readOnly || now - this.#savedMs < every) return;
    await this.save(mark);
  }

  async save({ after, counts }: Mark): Promise<void> {
    await this.beforeSave?.();
    this.#savedMs = this.#now();
    await this.#put(Buffer.from(JSON.stringify({ format: 1, after: after.toString('base64'), counts })));
  }

  async forget(): Promise<void> {
    if ((await this.#store.settings.get(this.#name)) !== undefined) await this.#put(undefined);
  }

  async #put(value: Uint8Array | undefined): Promise<void> {
    const { readOnly, inbox, settings } = this.#store;
    if (readOnly) await inbox.putSetting(this.#name, value);
    else if (value === undefined) await settings.remove(this.#name);
    else await settings.put(this.#name, value);
  }
}

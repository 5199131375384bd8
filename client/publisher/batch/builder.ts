import { mkdtemp, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { BatchFile } from '../../../proto/gen/hashfed/v1/files.js';
import { encodeLeaf, HashfedError, type Leaf, type Random } from '../../../sdk/core/index.js';
import { BATCH_FILE, FramedWriter } from '../files/index.js';
import { ListSpool } from './list-spool.js';

const MAX_SOURCE_BYTES = 256;

export interface BatchDetails {
  readonly createdMs: number;
  /** Where it came from, for people; a file name without its path. */
  readonly source: string;
  readonly refusedRows: number;
  /** By origin: the size that a list's targets were looked up at; lists that name no target need none. */
  readonly basedOn?: ReadonlyMap<string, number>;
}

/**
 * Makes a batch file: leaves of several lists in any order, in bounded memory. Times in the leaves do not matter yet;
 * `prepare` sets them. MUST end in `finish` or `abort`.
 */
export class BatchBuilder {
  readonly #file: string;
  readonly #folder: string;
  readonly #random: Random;
  readonly #spools = new Map<string, ListSpool>();

  private constructor(file: string, folder: string, random: Random) {
    this.#file = file;
    this.#folder = folder;
    this.#random = random;
  }

  /** `file` is written once finished; what is spooled until then lies beside it. Throws STORAGE_FAILED. */
  static async create(file: string, random: Random): Promise<BatchBuilder> {
    const folder = await mkdtemp(join(dirname(file), `.${basename(file)}-`)).catch((cause: unknown) => {
      throw new HashfedError('STORAGE_FAILED', `cannot write beside ${file}`, { field: 'file', cause });
    });
    return new BatchBuilder(file, folder, random);
  }

  /** Adds a leaf to a list. Throws MALFORMED for values that no leaf can carry. */
  async put(origin: string, leaf: Leaf): Promise<void> {
    const spool = this.#spools.get(origin) ?? (await this.#open(origin));
    const writing = spool.put(encodeLeaf(leaf));
    if (writing !== undefined) await writing;
  }

  async #open(origin: string): Promise<ListSpool> {
    const spool = await ListSpool.create(origin, join(this.#folder, String(this.#spools.size)));
    this.#spools.set(origin, spool);
    return spool;
  }

  /** Leaves so far, over all lists. */
  get count(): number {
    let sum = 0;
    for (const spool of this.#spools.values()) sum += spool.count;
    return sum;
  }

  /** Writes the batch file. Throws USAGE where there is nothing to publish, STORAGE_FAILED. */
  async finish(details: BatchDetails): Promise<BatchFile> {
    const spools = [...this.#spools.values()].sort((a, b) => (a.origin < b.origin ? -1 : 1));
    if (spools.length === 0)
      throw new HashfedError('USAGE', 'there is nothing to publish', { field: 'file' });
    const lists: BatchFile['lists'][number][] = [];
    for (const spool of spools) {
      const { origin, count } = spool;
      const basedOn = BigInt(details.basedOn?.get(origin) ?? 0);
      lists.push({ origin, entriesSha256: await spool.close(), count: BigInt(count), basedOn });
    }
    const batch: BatchFile = {
      formatVersion: 1,
      publishId: this.#random.bytes(16),
      createdMs: BigInt(details.createdMs),
      lists,
      source: Buffer.from(details.source)
        .subarray(0, MAX_SOURCE_BYTES)
        .toString('utf8')
        .replace(/\uFFFD+$/u, ''),
      refusedRows: BigInt(details.refusedRows),
    };
    const writer = await FramedWriter.create(this.#file, BATCH_FILE, BatchFile.encode(batch).finish());
    try {
      for (const spool of spools) await spool.copyTo(writer);
      await writer.finish();
    } catch (error) {
      await writer.abort();
      throw error;
    }
    await this.abort();
    return batch;
  }

  /** Removes what was spooled. */
  async abort(): Promise<void> {
    for (const spool of this.#spools.values()) await spool.remove();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

import { HashfedError } from '../core/index.js';
import { carryDeltas } from './carry.js';
import { encodeHeadFile } from './list-codec.js';
import { headPlace, readHeadFile, type StoreParts } from './parts.js';
import { createLog } from './record-log.js';
import { putSealed } from './sealed-file.js';
import { type SegmentRef, SegmentWriter } from './segment.js';
import { STAGING_FILE } from './staging.js';
import type { ListHead, Rebuild, RebuildOptions } from './types.js';

/** A new base beside the old one; the rename of the head is the only moment that counts. */
export class ListRebuild implements Rebuild {
  readonly #parts: StoreParts;
  readonly #directory: string;
  readonly #origin: string;
  readonly #name: string;
  readonly #segment: SegmentWriter;
  readonly #options: RebuildOptions;
  /** Sequence of the list when the rebuild began. */
  readonly #begun: number;
  #done: (() => void) | undefined;

  private constructor(
    parts: StoreParts,
    place: { directory: string; origin: string; name: string },
    segment: SegmentWriter,
    options: RebuildOptions,
    done: () => void,
  ) {
    this.#parts = parts;
    this.#directory = place.directory;
    this.#origin = place.origin;
    this.#name = place.name;
    this.#segment = segment;
    this.#options = options;
    this.#begun = parts.head.listSequence(place.origin);
    this.#done = done;
  }

  static async begin(
    parts: StoreParts,
    directory: string,
    origin: string,
    options: RebuildOptions,
    done: () => void,
  ): Promise<ListRebuild> {
    const { disk, random } = parts.sealing;
    const name = `base-${Buffer.from(random.bytes(8)).toString('hex')}`;
    const segment = await parts.gate.guard(async () => {
      await disk.makeDirectory(`${directory}/${name}`);
      await disk.syncDirectory(`${parts.root}/lists`);
      return await SegmentWriter.create(parts.sealing, `${directory}/${name}`, origin, options);
    });
    return new ListRebuild(parts, { directory, origin, name }, segment, options, done);
  }

  addBucket(b: number, rows: Uint8Array): Promise<void> {
    return this.#parts.gate.guard(() => this.#segment.addBucket(b, rows));
  }

  addLeafHashes(hashes: Uint8Array): Promise<void> {
    return this.#parts.gate.guard(() => this.#segment.addLeafHashes(hashes));
  }

  async commit(newHead: ListHead): Promise<void> {
    if (this.#done === undefined) throw new HashfedError('USAGE', 'the rebuild has ended');
    const { leafCount = 0 } = this.#options;
    if (leafCount > 0 && leafCount !== newHead.size) {
      throw new HashfedError('USAGE', 'leaf hashes and head disagree on the size');
    }
    try {
      await this.#parts.gate.run(() => this.#finish(newHead));
    } catch (cause) {
      await this.#segment.abort();
      // A refusal comes before the head is touched; after a failed write nobody knows, and opening sweeps.
      const refused = cause instanceof HashfedError && cause.code !== 'STORAGE_FAILED';
      if (refused) await this.#parts.sealing.disk.remove(`${this.#directory}/${this.#name}`);
      throw cause;
    } finally {
      this.#end();
    }
  }

  async abort(): Promise<void> {
    if (this.#done === undefined) return;
    this.#end();
    await this.#segment.abort();
    await this.#parts.sealing.disk.remove(`${this.#directory}/${this.#name}`);
  }

  #end(): void {
    this.#done?.();
    this.#done = undefined;
  }

  /** Ends inside the gate: the write behind it must already see the new base. */
  async #finish(newHead: ListHead): Promise<void> {
    try {
      await this.#swap(await this.#segment.finish(), newHead);
    } finally {
      this.#end();
    }
  }

  async #swap(segment: SegmentRef, base: ListHead): Promise<void> {
    const { sealing, head } = this.#parts;
    const { disk } = sealing;
    const base_ = `${this.#directory}/${this.#name}`;
    const logId = await createLog(sealing, `${base_}/deltas.log`);
    await disk.syncDirectory(base_);
    await disk.syncDirectory(this.#directory);
    const before = await this.#previous();
    const log = { path: `${base_}/deltas.log`, fileId: logId };
    const [sequence, carried] = await this.#place(before.sequence, log);
    const file = { origin: this.#origin, directory: this.#name, segment, logId, base, sequence };
    await putSealed(sealing, headPlace(this.#parts, this.#origin), encodeHeadFile(file));
    await head.setList(this.#origin, sequence + carried);
    if (before.directory !== undefined) await disk.remove(`${this.#directory}/${before.directory}`);
    await disk.remove(`${this.#directory}/${STAGING_FILE}`);
  }

  /** The sequence of the new base, above all before it, and how many deltas came along. */
  async #place(before: number, log: { path: string; fileId: Uint8Array }): Promise<[number, number]> {
    const { folds } = this.#options;
    const committed = this.#parts.head.listSequence(this.#origin);
    if (folds === undefined) {
      if (committed === this.#begun) return [Math.max(before, committed) + 1, 0];
      throw new HashfedError('OLD_SIZE_MISMATCH', 'the list moved on while its rebuild was written');
    }
    const base = Math.max(before, committed, folds) + 1;
    const list = { origin: this.#origin, directory: this.#directory };
    return [base, await carryDeltas(this.#parts, list, folds, { ...log, base })];
  }

  /** A damaged old head is replaced: a rebuild from verified data is how a list is repaired. */
  async #previous(): Promise<{ directory?: string; sequence: number }> {
    const file = await readHeadFile(this.#parts, this.#origin).catch(() => undefined);
    return file === undefined ? { sequence: 0 } : { directory: file.directory, sequence: file.sequence };
  }
}

import { HASH_TYPES, HashfedError } from './core/index.js';
import { ExactIndex, ExactOpening } from './match/index.js';
import type { Changes, ListReplica, Opening } from './sync/index.js';

/** Bytes of a hash of an exact type. */
type KeyBytes = 16 | 20 | 32;

/**
 * The exact index of a list whose records are not read yet. It knows from the authenticated keys what is certainly not
 * listed; the records are verified meanwhile, and read into memory when somebody needs them.
 */
export class ListOpening {
  readonly #replica: ListReplica;
  readonly #opening: Opening;
  /** Undefined where keys and records are not of each other. */
  #index: ExactOpening | undefined;
  /** Hashes that the deltas name. */
  readonly #added: ExactIndex;
  #verifying: Promise<void> | undefined;
  #finishing: Promise<ExactIndex | undefined> | undefined;

  private constructor(replica: ListReplica, opening: Opening, index: ExactOpening, added: ExactIndex) {
    this.#replica = replica;
    this.#opening = opening;
    this.#index = index;
    this.#added = added;
  }

  /** Reads the keys. Throws `STORAGE_FAILED`, `MALFORMED` where they are damaged. */
  static async begin(replica: ListReplica, opening: Opening): Promise<ListOpening> {
    const keyBytes = HASH_TYPES[replica.origin.type as 'md5' | 'sha1' | 'sha256'].bytes as KeyBytes;
    const index = new ExactOpening(keyBytes, { count: opening.rowCount, logSize: opening.baseSize });
    for await (const keys of opening.keyPieces()) index.addKeys(keys);
    if (!index.hasKeys) throw new HashfedError('STORAGE_FAILED', 'keys.col: there are fewer keys than rows');
    const added = ExactIndex.empty(keyBytes);
    let n = 0;
    for await (const hashes of opening.added())
      added.apply({ added: hashes.map((hash) => ({ hash, addIndex: n++ })) });
    return new ListOpening(replica, opening, index, added);
  }

  /** False only where no record of this hash is listed. */
  mayHave(hash: Uint8Array): boolean {
    return this.#index === undefined || this.#index.mayHave(hash) || this.#added.has(hash);
  }

  /** Keys and records are not of each other. */
  get broken(): boolean {
    return this.#index === undefined;
  }

  /** Until the base's records were checked against their set digest; what is wrong with them shows in `finish`. */
  verified(): Promise<void> {
    this.#verifying ??= this.#verify();
    return this.#verifying;
  }

  async #verify(): Promise<void> {
    let row = 0;
    try {
      await this.#opening.verify(
        this.#shown((index, rows) => {
          row = index.checkRows(rows, row);
        }),
      );
    } catch (error) {
      if (!(error instanceof HashfedError)) throw error;
      if (this.#opening.cancelled) return;
      this.#index = undefined;
      // What is damaged is out of service now, not when somebody asks.
      await this.#replica.ready();
    }
  }

  /** Rows that are not of the keys end the index, and not the reading: the rows count. */
  #shown(take: (index: ExactOpening, rows: Uint8Array) => void): (rows: Uint8Array) => void {
    return (rows) => {
      try {
        if (this.#index !== undefined) take(this.#index, rows);
      } catch (error) {
        if (!(error instanceof HashfedError)) throw error;
        this.#index = undefined;
      }
    };
  }

  /**
   * Has the records read. Answers the whole index, or undefined where it is to be built from them: the keys were not
   * theirs, which is damage that the next sync mends, or the records are gone. Throws `CANCELLED`.
   */
  finish(): Promise<ExactIndex | undefined> {
    this.#finishing ??= this.#finish();
    return this.#finishing;
  }

  async #finish(): Promise<ExactIndex | undefined> {
    await this.verified();
    const changes = await this.#replica.ready(this.#shown((index, rows) => index.addRows(rows)));
    if (this.#replica.damage !== undefined || changes === undefined) return undefined;
    if (this.#index === undefined) {
      const what = 'keys.col: its keys are not those of the records';
      await this.#replica.noteDamage(new HashfedError('STORAGE_FAILED', what));
    }
    // Whoever had the records read before saw them instead.
    if (!this.#index?.isWhole) return undefined;
    const index = this.#index.finish();
    applyExact(index, this.#replica, changes);
    return index;
  }

  /** Ends reading. */
  async cancel(): Promise<void> {
    this.#opening.cancel();
    await this.#verifying?.catch(() => undefined);
    await this.#finishing?.catch(() => undefined);
    await this.#opening.close();
  }
}

/** Follows a committed update. */
export function applyExact(index: ExactIndex, { state: { arena } }: ListReplica, changes: Changes): void {
  const key = (row: number) => ({ hash: arena.hash(row), addIndex: arena.addIndex(row) });
  index.apply({ added: Array.from(changes.added, key), removed: Array.from(changes.removed, key) });
}

import { HASH_TYPES, HashfedError, type HashType, type RecordView } from './core/index.js';
import type { ExactHashes } from './hash/index.js';
import { ItemIndex } from './item-index.js';
import { applyExact, ListOpening } from './list-opening.js';
import { ListStanding } from './list-standing.js';
import { ExactIndex, type ItemHash, type ListInfo, type ListPurpose } from './match/index.js';
import { PerceptualRows } from './perceptual-rows.js';
import {
  type Changes,
  type ListReplica,
  type Moment,
  momentOf,
  type Opening,
  type RootBook,
  type SyncDeps,
} from './sync/index.js';

export type ExactType = ItemHash['hashType'];
const EXACT: readonly HashType[] = ['md5', 'sha1', 'sha256'];

/** One configured list, ready to be asked: the verified set and an index over it that follows every update. */
export class MatchingList {
  readonly replica: ListReplica;
  readonly purpose: ListPurpose;
  readonly items: ItemIndex;
  #index: ExactIndex | undefined;
  #perceptual: PerceptualRows | undefined;
  readonly #sinceMs: number | undefined;
  readonly #standing: ListStanding;
  #opening: ListOpening | undefined;
  #finishing: Promise<void> | undefined;

  /** `sinceMs`: when an earlier generation of the list was first synced here, Unix milliseconds. */
  constructor(replica: ListReplica, purpose: ListPurpose, sinceMs?: number) {
    this.#sinceMs = sinceMs;
    this.replica = replica;
    this.purpose = purpose;
    this.items = new ItemIndex(replica);
    this.#standing = new ListStanding(replica, purpose, () => this.firstSyncMs);
    if (replica.opening === undefined) this.#build();
  }

  /**
   * Over a replica whose records need not be read yet. An exact list then answers misses from its keys alone; others
   * wait for their records here. Throws `UPGRADE_REQUIRED`.
   */
  static async open(replica: ListReplica, purpose: ListPurpose, sinceMs?: number): Promise<MatchingList> {
    const list = new MatchingList(replica, purpose, sinceMs);
    const { opening } = replica;
    if (opening === undefined) return list;
    await list.#open(opening);
    return list;
  }

  async #open(opening: Opening): Promise<void> {
    let damage: HashfedError | undefined;
    try {
      if (this.exactType !== undefined) this.#opening = await ListOpening.begin(this.replica, opening);
      else for await (const _ of opening.keyPieces());
    } catch (error) {
      damage = damageOfKeys(error);
    }
    if (this.#opening !== undefined) return;
    await this.replica.ready();
    this.#build();
    // The records may be well: they stay in force, and the next sync writes the keys anew.
    if (damage !== undefined && this.replica.damage === undefined) await this.replica.noteDamage(damage);
  }

  /** Until the records are in memory and the index is whole, or the list is known to be damaged. Throws `CANCELLED`. */
  ready(): Promise<void> {
    this.#finishing ??= this.#finish();
    return this.#finishing;
  }

  async #finish(): Promise<void> {
    if (this.#opening === undefined) return;
    const index = await this.#opening.finish();
    this.#opening = undefined;
    if (index === undefined) this.#build();
    else this.#index = index;
  }

  /** Until the records were checked against their set digest; those of a damaged list are out of service then. */
  async verified(): Promise<void> {
    await this.#opening?.verified();
    if (this.#opening?.broken) await this.ready();
  }

  /** Whether it answers misses alone until `ready`. */
  get opening(): boolean {
    return this.#opening !== undefined;
  }

  /** Whether the verdict on an object of these hashes needs records that are not read yet. */
  waitsFor(hashes: ExactHashes): boolean {
    const hash = this.exactType === undefined ? undefined : hashes[this.exactType];
    return hash !== undefined && this.#opening?.mayHave(hash) === true;
  }

  /** Ends what is still being read; the list is not used after. */
  async cancel(): Promise<void> {
    await this.#opening?.cancel();
  }

  #build(): void {
    this.#index = this.exactType === undefined ? undefined : buildIndex(this.replica);
    this.#perceptual = PerceptualRows.of(this.replica);
  }

  /** Where the list is a perceptual one. */
  get perceptual(): PerceptualRows | undefined {
    return this.#perceptual;
  }

  /** When the list, in whatever generation, was first synced here, Unix milliseconds. */
  get firstSyncMs(): number | undefined {
    return this.#sinceMs ?? this.replica.firstSyncMs;
  }

  get origin(): string {
    return this.replica.origin.text;
  }

  get hashType(): HashType {
    const { type } = this.replica.origin;
    if (type === 'events')
      throw new HashfedError('USAGE', 'an event log has no hashes', { origin: this.origin });
    return type;
  }

  get exactType(): ExactType | undefined {
    return EXACT.includes(this.hashType) ? (this.hashType as ExactType) : undefined;
  }

  /** Follows a committed update, before the next object is checked; perceptual rows follow in slices. */
  async apply(changes: Changes): Promise<void> {
    if (changes.rebuilt) {
      this.#build();
      this.items.reset();
      return;
    }
    this.items.added(changes.added);
    if (this.#index !== undefined) applyExact(this.#index, this.replica, changes);
    await this.#perceptual?.apply(changes);
  }

  /** Folds recent changes into the table, in slices, where that pays. */
  async tidy(signal?: AbortSignal): Promise<void> {
    if (this.#index?.wantsMerge) await this.#index.merge(signal === undefined ? {} : { signal });
  }

  /** Records of a hash of this list's own type. Throws `INTERNAL` where they are not read yet: see `waitsFor`. */
  find(hash: Uint8Array): RecordView[] {
    if (this.#opening?.mayHave(hash)) throw new HashfedError('INTERNAL', 'the records are not read yet');
    const index = this.#index;
    if (index === undefined || index.size === 0 || !index.has(hash)) return [];
    const records: RecordView[] = [];
    for (const row of index.rows(hash)) {
      const addIndex = index.addIndexOf(row);
      const record = addIndex === undefined ? undefined : this.replica.state.recordByIndex(addIndex);
      if (record !== undefined) records.push(record);
    }
    return records;
  }

  /** How the list stands at `moment`, for verdicts: made anew only where something it rests on changed. */
  info(deps: SyncDeps, book: RootBook, moment: Moment = momentOf(deps.clock)): ListInfo {
    return this.#standing.at(deps, book, moment);
  }
}

/** What is wrong with stored keys, whatever the checks call it; throws everything else. */
function damageOfKeys(error: unknown): HashfedError {
  if (!(error instanceof HashfedError)) throw error;
  if (error.code === 'STORAGE_FAILED') return error;
  if (error.code !== 'MALFORMED') throw error;
  return new HashfedError('STORAGE_FAILED', `keys.col: ${error.message}`, { cause: error });
}

function buildIndex({ origin, state }: ListReplica): ExactIndex {
  const type = origin.type as ExactType;
  const keyBytes = HASH_TYPES[type].bytes as 16 | 20 | 32;
  return ExactIndex.fromRows(keyBytes, bucketsOf(state), { count: state.count, logSize: state.size });
}

function* bucketsOf(state: ListReplica['state']): Generator<Uint8Array> {
  for (let b = 0; b < 2 ** state.bucketBits; b++) yield state.bytesOfBucket(b);
}

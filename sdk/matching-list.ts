import {
  fromUtf8,
  HASH_TYPES,
  HashfedError,
  type HashType,
  META_FIELD,
  metaValue,
  type RecordView,
  toHex,
} from './core/index.js';
import { ItemIndex } from './item-index.js';
import { type Candidate, ExactIndex, type ItemHash, type ListInfo, type ListPurpose } from './match/index.js';
import { PerceptualRows } from './perceptual-rows.js';
import {
  type Changes,
  currencyOf,
  isSameMoment,
  type ListCurrency,
  type ListReplica,
  type Moment,
  momentOf,
  type RootBook,
  type SyncDeps,
} from './sync/index.js';

export type ExactType = ItemHash['hashType'];
const EXACT: readonly HashType[] = ['md5', 'sha1', 'sha256'];

/** What a list's information was made of: the same again gives the same. */
interface KnownInfo {
  readonly moment: Moment;
  readonly root: unknown;
  readonly held: unknown;
  readonly state: unknown;
  readonly size: number;
  readonly info: ListInfo;
}

/** One configured list, ready to be asked: the verified set and an index over it that follows every update. */
export class MatchingList {
  readonly replica: ListReplica;
  readonly purpose: ListPurpose;
  readonly items: ItemIndex;
  #index: ExactIndex | undefined;
  #perceptual: PerceptualRows | undefined;
  #known: KnownInfo | undefined;
  readonly #sinceMs: number | undefined;

  /** `sinceMs`: when an earlier generation of the list was first synced here, Unix milliseconds. */
  constructor(replica: ListReplica, purpose: ListPurpose, sinceMs?: number) {
    this.#sinceMs = sinceMs;
    this.replica = replica;
    this.purpose = purpose;
    this.items = new ItemIndex(replica);
    this.#build();
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
    if (this.#index !== undefined) this.#applyExact(this.#index, changes);
    await this.#perceptual?.apply(changes);
  }

  #applyExact(index: ExactIndex, changes: Changes): void {
    const { arena } = this.replica.state;
    const key = (row: number) => ({ hash: arena.hash(row), addIndex: arena.addIndex(row) });
    index.apply({ added: Array.from(changes.added, key), removed: Array.from(changes.removed, key) });
  }

  /** Folds recent changes into the table, in slices, where that pays. */
  async tidy(signal?: AbortSignal): Promise<void> {
    if (this.#index?.wantsMerge) await this.#index.merge(signal === undefined ? {} : { signal });
  }

  /** Records of a hash of this list's own type. */
  find(hash: Uint8Array): RecordView[] {
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

  candidate(record: RecordView, siblings: readonly ItemHash[], nowMs: number): Candidate {
    const assessedBy = metaValue(record.meta, META_FIELD.ASSESSED_BY);
    const arrivedMs = this.replica.arrivedMs(record.addIndex);
    return {
      origin: this.origin,
      hashType: this.hashType,
      addIndex: record.addIndex,
      itemId: toHex(record.itemId),
      scheme: record.scheme,
      code: record.code,
      verifications: record.verifications,
      listedMs: record.listedMs,
      ...(arrivedMs !== undefined && { arrivedMs }),
      ...(this.replica.state.isHeld(record.addIndex, nowMs) && { held: true }),
      ...(assessedBy !== undefined && { assessedBy: readDomain(assessedBy) }),
      siblings,
    };
  }

  /** How the list stands at `moment`, for verdicts: made anew only where something it rests on changed. */
  info(deps: SyncDeps, book: RootBook, moment: Moment = momentOf(deps.clock)): ListInfo {
    const { replica } = this;
    if (replica.size === 0) {
      // Nothing can be said of what a damaged list would have matched.
      const state = replica.damage === undefined ? 'EMPTY' : 'EXPIRED';
      return { origin: this.origin, purpose: this.purpose, size: 0, state };
    }
    const root = rootOf(book, this.origin);
    const known = this.#known;
    if (
      known !== undefined &&
      known.held === replica.held &&
      known.state === replica.state &&
      known.size === replica.state.size &&
      known.root === root &&
      isSameMoment(known.moment, moment)
    ) {
      return known.info;
    }
    const info = this.#inform(deps, book);
    const { held, state } = replica;
    this.#known = { moment, root, held, state, size: state.size, info };
    return info;
  }

  /**
   * A list that its publisher closed or dropped, or that two trusted publishers name, is matched on as expired: what
   * one publisher's root says must not end the matching of every other list.
   */
  #currency(deps: SyncDeps, book: RootBook): Pick<ListCurrency, 'state' | 'lastFreshMs'> {
    try {
      return currencyOf(deps, book, this.replica);
    } catch (error) {
      if (!(error instanceof HashfedError)) throw error;
      const last = Math.max(this.replica.held?.lastFreshMs ?? 0, this.#known?.info.lastFreshMs ?? 0);
      return { state: 'EXPIRED', lastFreshMs: last === 0 ? undefined : last };
    }
  }

  #inform(deps: SyncDeps, book: RootBook): ListInfo {
    const { firstSyncMs } = this;
    const { size } = this.replica;
    const { state, lastFreshMs } = this.#currency(deps, book);
    return {
      origin: this.origin,
      purpose: this.purpose,
      size,
      state,
      ...(lastFreshMs !== undefined && { lastFreshMs }),
      ...(firstSyncMs !== undefined && { firstSyncMs }),
    };
  }
}

/** The root that speaks for the list; undefined where none does, or two do. */
function rootOf(book: RootBook, origin: string): unknown {
  try {
    return book.of(origin);
  } catch (error) {
    if (error instanceof HashfedError) return undefined;
    throw error;
  }
}

function buildIndex({ origin, state }: ListReplica): ExactIndex {
  const type = origin.type as ExactType;
  const keyBytes = HASH_TYPES[type].bytes as 16 | 20 | 32;
  return ExactIndex.fromRows(keyBytes, bucketsOf(state), { count: state.count, logSize: state.size });
}

function* bucketsOf(state: ListReplica['state']): Generator<Uint8Array> {
  for (let b = 0; b < 2 ** state.bucketBits; b++) yield state.bytesOfBucket(b);
}

/** Meta is the publisher's text: unreadable bytes are nobody's assessment. */
function readDomain(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes, 'meta');
  } catch {
    return '';
  }
}

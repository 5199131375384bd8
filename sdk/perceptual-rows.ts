import type { ListState, RecordView } from './core/index.js';
import { type PhotoDnaComparator, PhotoDnaIndex, type Policy } from './match/index.js';
import { PdqIndex } from './match/pdq/index.js';
import type { PerceptualHashes } from './pipeline/index.js';
import type { Changes, ListReplica } from './sync/index.js';

/** A record that resembles the object. */
export interface Likeness {
  readonly record: RecordView;
  readonly distance: number;
  /** Quality of the object's own value, for PDQ. */
  readonly quality?: number;
}

type Bounds = Policy['perceptual'];

/** Rows handed over at once while an index is built: bounds what is copied. */
const LOAD_ROWS = 65_536;

/** The index of a perceptual list: rows are those of the resident set. */
export class PerceptualRows {
  readonly #state: () => ListState;
  readonly #pdq: PdqIndex | undefined;
  readonly #photodna: PhotoDnaIndex | undefined;

  private constructor(replica: ListReplica) {
    this.#state = () => replica.state;
    if (replica.origin.type === 'pdq') this.#pdq = new PdqIndex();
    else this.#photodna = new PhotoDnaIndex();
  }

  /** undefined for lists of exact types. */
  static of(replica: ListReplica): PerceptualRows | undefined {
    const { type } = replica.origin;
    if (type !== 'pdq' && type !== 'photodna') return undefined;
    const made = new PerceptualRows(replica);
    made.#load();
    return made;
  }

  get type(): 'pdq' | 'photodna' {
    return this.#pdq === undefined ? 'photodna' : 'pdq';
  }

  /** Bytes of the PDQ index, all in; 0 where it is another one. */
  get bytes(): number {
    return this.#pdq?.bytes ?? 0;
  }

  get size(): number {
    return this.#pdq?.size ?? this.#photodna?.size ?? 0;
  }

  #load(): void {
    this.#pdq?.loadParts(this.#parts());
    if (this.#photodna === undefined) return;
    const { arena } = this.#state();
    for (const { rows } of this.#parts()) for (const row of rows) this.#photodna.add(row, arena.hash(row));
  }

  /** All rows of the resident set with their hashes, a bounded number at a time. */
  *#parts(): Generator<{ rows: Uint32Array; hashes: Uint8Array }> {
    const state = this.#state();
    const part = (rows: number[]) => ({ rows: Uint32Array.from(rows), hashes: this.#hashes(rows) });
    let rows: number[] = [];
    for (let b = 0; b < 2 ** state.bucketBits; b++) {
      for (const row of state.rowsOfBucket(b)) rows.push(row);
      if (rows.length < LOAD_ROWS) continue;
      yield part(rows);
      rows = [];
    }
    yield part(rows);
  }

  /** The hashes of these rows, one after the other. */
  #hashes(rows: ArrayLike<number>): Uint8Array {
    const { arena } = this.#state();
    const hashes = new Uint8Array(rows.length * arena.hashLength);
    for (let i = 0; i < rows.length; i++) hashes.set(arena.hash(rows[i]!), i * arena.hashLength);
    return hashes;
  }

  /** Follows an update that renumbered nothing; queries go on between slices. */
  async apply({ added, removed }: Changes): Promise<void> {
    const { arena } = this.#state();
    for (const row of removed) this.#photodna?.remove(row);
    for (const row of added) this.#photodna?.add(row, arena.hash(row));
    await this.#pdq?.update({ remove: removed, rows: added, hashes: this.#hashes(added) });
  }

  /** What resembles an object within the policy's bounds; each record once, at its smallest distance. */
  search(values: PerceptualHashes, bounds: Bounds, comparator: PhotoDnaComparator | undefined): Likeness[] {
    const best = new Map<number, { distance: number; quality?: number }>();
    const note = (row: number, distance: number, quality?: number) => {
      if (distance >= (best.get(row)?.distance ?? Number.POSITIVE_INFINITY)) return;
      best.set(row, { distance, ...(quality !== undefined && { quality }) });
    };
    if (this.#pdq !== undefined) searchPdq(this.#pdq, values, bounds, note);
    if (this.#photodna !== undefined && comparator !== undefined) {
      for (const value of values.photodna)
        for (const { row, distance } of this.#photodna.search(value, comparator)) note(row, distance);
    }
    return [...best].flatMap(([row, found]) => {
      const record = this.#live(row);
      return record === undefined ? [] : [{ record, ...found }];
    });
  }

  /** While an update is being applied, a row may name what is no longer listed. */
  #live(row: number): RecordView | undefined {
    const state = this.#state();
    const record = state.arena.view(row);
    return state.rowByIndex(record.addIndex) === row ? record : undefined;
  }
}

function searchPdq(
  index: PdqIndex,
  { pdq }: PerceptualHashes,
  { pdq_max_distance, pdq_min_quality }: Bounds,
  note: (row: number, distance: number, quality: number) => void,
): void {
  if (index.size === 0) return;
  for (const { hash, quality } of pdq) {
    if (quality < pdq_min_quality) continue;
    const { rows, distances } = index.search(hash, pdq_max_distance);
    for (let i = 0; i < rows.length; i++) note(rows[i]!, distances[i]!, quality);
  }
}

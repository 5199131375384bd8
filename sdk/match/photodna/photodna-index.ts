import { HashfedError } from '../../core/index.js';
import { PHOTODNA_BYTES, type PhotoDnaComparator } from './comparator.js';

/** Matches returned at most: more means "very many" to any policy. */
const DEFAULT_CAP = 1_000;
const FIRST_ROWS = 256;

export interface PhotoDnaMatch {
  /** The number that the caller gave the value. */
  readonly row: number;
  readonly distance: number;
}

/** Values of one list, side by side, compared one after another: exact, whatever the comparator is. */
export class PhotoDnaIndex {
  #values = new Uint8Array(FIRST_ROWS * PHOTODNA_BYTES);
  #rows = new Uint32Array(FIRST_ROWS);
  readonly #slots = new Map<number, number>();

  get size(): number {
    return this.#slots.size;
  }

  /** Adds a row, or replaces its value. Throws `MALFORMED` unless it is 144 bytes. */
  add(row: number, value: Uint8Array): void {
    checkValue(value);
    let slot = this.#slots.get(row);
    if (slot === undefined) {
      slot = this.size;
      if (slot === this.#rows.length) this.#grow();
      this.#slots.set(row, slot);
      this.#rows[slot] = row;
    }
    this.#values.set(value, slot * PHOTODNA_BYTES);
  }

  /** Removes a row; false if it was not there. The last value takes its place. */
  remove(row: number): boolean {
    const slot = this.#slots.get(row);
    if (slot === undefined) return false;
    this.#slots.delete(row);
    const last = this.size;
    if (slot === last) return true;
    const moved = this.#rows[last]!;
    this.#rows[slot] = moved;
    this.#slots.set(moved, slot);
    this.#values.copyWithin(slot * PHOTODNA_BYTES, last * PHOTODNA_BYTES, (last + 1) * PHOTODNA_BYTES);
    return true;
  }

  /** All rows that the comparator calls matches, at most `cap`. Throws `MALFORMED` unless `value` is 144 bytes. */
  search(value: Uint8Array, comparator: PhotoDnaComparator, cap = DEFAULT_CAP): PhotoDnaMatch[] {
    checkValue(value);
    const limit = comparator.maxDistance;
    const found: PhotoDnaMatch[] = [];
    for (let slot = 0; slot < this.size && found.length < cap; slot++) {
      const distance = comparator.distance(value, this.#values, slot * PHOTODNA_BYTES, limit);
      if (distance <= limit) found.push({ row: this.#rows[slot]!, distance });
    }
    return found;
  }

  #grow(): void {
    const values = new Uint8Array(this.#values.length * 2);
    values.set(this.#values);
    this.#values = values;
    const rows = new Uint32Array(this.#rows.length * 2);
    rows.set(this.#rows);
    this.#rows = rows;
  }
}

function checkValue(value: Uint8Array): void {
  if (value.length !== PHOTODNA_BYTES) throw new HashfedError('MALFORMED', 'photodna: a value is 144 bytes');
}

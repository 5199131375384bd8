import { forEachLeaf, LEAF_KIND, readU64 } from '../../sdk/core/index.js';
import type { Bundle } from '../storage/index.js';

const TIME_AT = 3;
const TARGET_AT = 11;

/** A WITHDRAW whose target still lies in the log. */
export interface PendingErasure {
  /** Index of the ADD. */
  readonly target: number;
  /** Index of the WITHDRAW. */
  readonly index: number;
  /** Of the WITHDRAW, Unix milliseconds. */
  readonly timeMs: number;
}

/** Reads a log once, in order, and keeps which withdrawn entries are still there; 24 bytes each. */
export class ErasureScan {
  /** Entries read so far. */
  size = 0;
  readonly #erased = new Set<number>();
  #targets: number[] = [];
  #indexes: number[] = [];
  #times: number[] = [];

  /** The next bundle of the log. */
  append({ first, bytes }: Bundle): void {
    let index = first;
    forEachLeaf(bytes, (at, length, erased) => {
      if (erased) this.#erased.add(index);
      else if (bytes[at + 1] === LEAF_KIND.WITHDRAW && length >= TARGET_AT + 8) this.#note(bytes, at, index);
      index += 1;
    });
    this.size = index;
  }

  /** A target that is gone already needs nothing; the first WITHDRAW that names one is the one that counts. */
  #note(bytes: Uint8Array, at: number, index: number): void {
    const target = readU64(bytes, at + TARGET_AT);
    if (target >= index || this.#erased.delete(target)) return;
    this.#targets.push(target);
    this.#indexes.push(index);
    this.#times.push(readU64(bytes, at + TIME_AT));
  }

  /** Takes out what `isDue` answers true for. */
  take(isDue: (pending: PendingErasure) => boolean): PendingErasure[] {
    const due: PendingErasure[] = [];
    const kept: number[] = [];
    for (let i = 0; i < this.#targets.length; i += 1) {
      const pending = { target: this.#targets[i]!, index: this.#indexes[i]!, timeMs: this.#times[i]! };
      if (isDue(pending)) due.push(pending);
      else kept.push(i);
    }
    if (due.length === 0) return due;
    this.#targets = kept.map((i) => this.#targets[i]!);
    this.#indexes = kept.map((i) => this.#indexes[i]!);
    this.#times = kept.map((i) => this.#times[i]!);
    return due;
  }
}

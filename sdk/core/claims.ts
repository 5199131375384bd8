import { malformed } from './errors.js';
import type { IndexPages } from './index-pages.js';

/** Claims that wait: as many as fit a core's first caches together. */
const WAITING = 2_048;

/**
 * Claims of log indexes by rows, in batches. Each touches memory at random, and only side by side do such accesses
 * overlap: one by one between other work they take several times as long.
 */
export class Claims {
  private readonly pages: IndexPages;
  private readonly indexes = new Float64Array(WAITING);
  private readonly codes = new Uint32Array(WAITING);
  private n = 0;

  constructor(pages: IndexPages) {
    this.pages = pages;
  }

  /** The entry whose u64 number is at `at` lives in `row`. Throws `MALFORMED` as `settle`. */
  note(view: DataView, at: number, row: number): void {
    if (this.n === WAITING) this.settle();
    this.indexes[this.n] = view.getUint32(at) * 0x1_0000_0000 + view.getUint32(at + 4);
    this.codes[this.n++] = row + 1;
  }

  /** Throws `MALFORMED` where two claim one entry. */
  settle(): void {
    const { n, indexes, codes, pages } = this;
    this.n = 0;
    if (!pages.claimAll(indexes, codes, n)) malformed('records', 'name one entry twice');
  }
}

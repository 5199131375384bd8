/**
 * Log index → row, for the records that are live: pages of u32, present only where something lives, so that
 * a long history of withdrawn entries costs nothing.
 */
const PAGE_SHIFT = 14;
const PAGE_ENTRIES = 1 << PAGE_SHIFT;
/** Pages that an array finds: indexes below 2^28. A map finds the others. */
const LOW_PAGES = 1 << 14;

/** No live record of this index. Any other code but `ERASED_CODE` is a row number plus one. */
export const DEAD_CODE = 0;
/** A live ADD whose value was erased before it reached us. */
export const ERASED_CODE = 0xffff_ffff;

export class IndexPages {
  private readonly pages = new Map<number, Uint32Array>();
  /** The same pages by number, for the numbers that logs have. */
  private readonly low: (Uint32Array | undefined)[] = [];

  get(index: number): number {
    const page = this.page(pageOf(index));
    return page === undefined ? DEAD_CODE : page[placeOf(index)]!;
  }

  set(index: number, code: number): void {
    let page = this.page(pageOf(index));
    if (page === undefined) {
      if (code === DEAD_CODE) return;
      page = this.adopt(pageOf(index), new Uint32Array(PAGE_ENTRIES));
    }
    page[placeOf(index)] = code;
  }

  /**
   * As `set` for `n` pairs, where nothing lives at any of the indexes; false where something does, with only some of
   * them set. One loop, so that its cache misses overlap.
   */
  claimAll(indexes: Float64Array, codes: Uint32Array, n: number): boolean {
    const { low } = this;
    for (let i = 0; i < n; i++) {
      const index = indexes[i]!;
      const number = pageOf(index);
      let page = number < LOW_PAGES ? low[number] : this.pages.get(number);
      if (page === undefined) page = this.adopt(number, new Uint32Array(PAGE_ENTRIES));
      const at = placeOf(index);
      if (page[at] !== DEAD_CODE) return false;
      page[at] = codes[i]!;
    }
    return true;
  }

  /** Calls `visit` for every index in [from, to) that is not dead, ascending, until it answers false. */
  scan(from: number, to: number, visit: (index: number, code: number) => boolean): void {
    if (from >= to) return;
    const first = pageOf(from);
    const last = pageOf(to - 1);
    for (const number of this.numbersBetween(first, last)) {
      const page = this.pages.get(number)!;
      const base = number * PAGE_ENTRIES;
      const end = Math.min(PAGE_ENTRIES, to - base);
      for (let i = Math.max(0, from - base); i < end; i++)
        if (page[i] !== DEAD_CODE && !visit(base + i, page[i]!)) return;
    }
  }

  /** Takes over another's pages whole where it has none of its own, and entry by entry elsewhere. */
  absorb(other: IndexPages): void {
    for (const [number, page] of other.pages) {
      const mine = this.pages.get(number);
      if (mine === undefined) this.adopt(number, page);
      else for (let i = 0; i < PAGE_ENTRIES; i++) if (page[i] !== DEAD_CODE) mine[i] = page[i]!;
    }
  }

  private page(number: number): Uint32Array | undefined {
    return number < LOW_PAGES ? this.low[number] : this.pages.get(number);
  }

  private adopt(number: number, page: Uint32Array): Uint32Array {
    this.pages.set(number, page);
    if (number >= LOW_PAGES) return page;
    // Without gaps: an array that is filled far ahead becomes a slow table.
    while (this.low.length <= number) this.low.push(undefined);
    this.low[number] = page;
    return page;
  }

  /** Page numbers that exist in [first, last], ascending; never slower than the smaller of range and map. */
  private numbersBetween(first: number, last: number): number[] {
    const out: number[] = [];
    if (last - first < this.pages.size) {
      for (let n = first; n <= last; n++) if (this.pages.has(n)) out.push(n);
      return out;
    }
    for (const n of this.pages.keys()) if (n >= first && n <= last) out.push(n);
    return out.sort((a, b) => a - b);
  }
}

/** By words where the index is one: doubles take several times as long. */
function pageOf(index: number): number {
  return index < 2 ** 31 ? index >>> PAGE_SHIFT : Math.floor(index / PAGE_ENTRIES);
}

function placeOf(index: number): number {
  return index < 2 ** 31 ? index & (PAGE_ENTRIES - 1) : index % PAGE_ENTRIES;
}

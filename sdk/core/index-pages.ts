/**
 * Log index → row, for the records that are live: pages of u32, present only where something lives, so that
 * a long history of withdrawn entries costs nothing.
 */
const PAGE_SHIFT = 10;
export const PAGE_ENTRIES = 1 << PAGE_SHIFT;

/** No live record of this index. Any other code but `ERASED_CODE` is a row number plus one. */
export const DEAD_CODE = 0;
/** A live ADD whose value was erased before it reached us. */
export const ERASED_CODE = 0xffff_ffff;

export class IndexPages {
  private readonly pages = new Map<number, Uint32Array>();
  private lastNumber = -1;
  private lastPage: Uint32Array | undefined;

  get(index: number): number {
    const page = this.page(Math.floor(index / PAGE_ENTRIES));
    return page === undefined ? DEAD_CODE : page[index % PAGE_ENTRIES]!;
  }

  set(index: number, code: number): void {
    const number = Math.floor(index / PAGE_ENTRIES);
    let page = this.page(number);
    if (page === undefined) {
      if (code === DEAD_CODE) return;
      page = this.adopt(number, new Uint32Array(PAGE_ENTRIES));
    }
    page[index % PAGE_ENTRIES] = code;
  }

  /** As `set`, where nothing lives at the index; false where something does. `code` is not dead. */
  claim(index: number, code: number): boolean {
    const number = Math.floor(index / PAGE_ENTRIES);
    const page = this.page(number) ?? this.adopt(number, new Uint32Array(PAGE_ENTRIES));
    const at = index % PAGE_ENTRIES;
    if (page[at] !== DEAD_CODE) return false;
    page[at] = code;
    return true;
  }

  /** Calls `visit` for every index in [from, to) that is not dead, ascending, until it answers false. */
  scan(from: number, to: number, visit: (index: number, code: number) => boolean): void {
    if (from >= to) return;
    const first = Math.floor(from / PAGE_ENTRIES);
    const last = Math.floor((to - 1) / PAGE_ENTRIES);
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
    if (number !== this.lastNumber) {
      this.lastPage = this.pages.get(number);
      this.lastNumber = number;
    }
    return this.lastPage;
  }

  private adopt(number: number, page: Uint32Array): Uint32Array {
    this.pages.set(number, page);
    this.lastNumber = number;
    this.lastPage = page;
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

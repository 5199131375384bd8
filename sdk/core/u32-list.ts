const NONE = new Uint32Array(0);
/** Numbers that the first push makes room for. */
const LEAST = 64;

/** A growable list of u32, for bulk paths that cannot afford one object an entry. */
export class U32List {
  private values = NONE;
  private used = 0;

  get length(): number {
    return this.used;
  }

  push(value: number): void {
    if (this.used === this.values.length) {
      const grown = new Uint32Array(Math.max(LEAST, Math.ceil(this.used * 1.5)));
      grown.set(this.values);
      this.values = grown;
    }
    this.values[this.used++] = value;
  }

  /** Makes room for `n` numbers altogether: no later push copies up to there. */
  reserve(n: number): void {
    if (n <= this.values.length) return;
    const grown = new Uint32Array(n);
    grown.set(this.view());
    this.values = grown;
  }

  /** Pushes `first`, `first` + 1, … : `n` numbers. */
  pushRun(first: number, n: number): void {
    if (this.used + n > this.values.length) this.reserve(Math.max(this.used + n, Math.ceil(this.used * 1.5)));
    for (let i = 0; i < n; i++) this.values[this.used + i] = first + i;
    this.used += n;
  }

  pop(): number | undefined {
    return this.used === 0 ? undefined : this.values[--this.used];
  }

  /** Gives the memory back too. */
  clear(): void {
    this.used = 0;
    this.values = NONE;
  }

  /** A view; valid until the next push. */
  view(): Uint32Array {
    return this.values.subarray(0, this.used);
  }
}

/** A growable list of u32, for bulk paths that cannot afford one object an entry. */
export class U32List {
  private values = new Uint32Array(64);
  private used = 0;

  get length(): number {
    return this.used;
  }

  push(value: number): void {
    if (this.used === this.values.length) {
      const grown = new Uint32Array(Math.ceil(this.used * 1.5));
      grown.set(this.values);
      this.values = grown;
    }
    this.values[this.used++] = value;
  }

  /** A view; valid until the next push. */
  view(): Uint32Array {
    return this.values.subarray(0, this.used);
  }
}

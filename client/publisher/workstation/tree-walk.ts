import { bundleOffset, CompactRange, type Sha256 } from '../../../sdk/core/index.js';

/** Grows a tree bundle by bundle and remembers it at some sizes on the way. */
export class TreeWalk {
  readonly tree: CompactRange;
  readonly at = new Map<number, CompactRange>();
  readonly #sha: Sha256;
  readonly #wanted: readonly number[];

  constructor(sha: Sha256, sizes: readonly number[]) {
    this.#sha = sha;
    this.tree = CompactRange.empty(sha);
    this.#wanted = [...new Set(sizes)].sort((a, b) => a - b);
    this.#remember();
  }

  /** A checked bundle of `count` entries. */
  append(bundle: Uint8Array, count: number): void {
    let done = 0;
    let offset = 0;
    const start = this.tree.size;
    for (const size of this.#wanted) {
      if (size <= start + done || size >= start + count) continue;
      const upTo = bundleOffset(bundle, size - start);
      this.#grow(bundle.subarray(offset, upTo), size - start - done);
      done = size - start;
      offset = upTo;
    }
    this.#grow(bundle.subarray(offset), count - done);
  }

  #grow(part: Uint8Array, count: number): void {
    this.tree.append(this.#sha.hashLeaves(part, count));
    this.#remember();
  }

  #remember(): void {
    if (this.#wanted.includes(this.tree.size)) this.at.set(this.tree.size, this.tree.clone());
  }
}

/**
 * RFC 6962 §2.1 trees without their leaves: a compact range that grows in bulk, and the two proof verifiers.
 * A verifier works out how many hashes a proof must have before it touches one.
 * Sizes and indexes are integers below 2^53; bit operations on them are divisions by two.
 */
import { equalBytes } from './bytes.js';
import { HashfedError, malformed } from './errors.js';
import { MAX_U53 } from './limits.js';
import type { Sha256 } from './sha256.js';

export const HASH_BYTES = 32;
const NODE_PREFIX = Uint8Array.of(0x01);
const LEAF_PREFIX = Uint8Array.of(0x00);

export const isSize = (n: number): boolean => Number.isInteger(n) && n >= 0 && n < MAX_U53;

/** SHA-256(0x00 ‖ leaf). */
export function hashLeaf(sha: Sha256, leaf: Uint8Array): Uint8Array {
  return sha.digest(LEAF_PREFIX, leaf);
}

/** SHA-256(0x01 ‖ left ‖ right). */
export function hashNode(sha: Sha256, left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha.digest(NODE_PREFIX, left, right);
}

/** The root of a tree without leaves: SHA-256 of nothing. */
export function emptyRoot(sha: Sha256): Uint8Array {
  return sha.digest();
}

/** Told of complete nodes as they come to be: n × 32 bytes at `level` (0 = leaves), the first at `index`. */
export type NodeSink = (level: number, index: number, nodes: Uint8Array) => void;

/** The roots of the complete subtrees that cover leaves [0, size): all that appending needs. */
export class CompactRange {
  readonly #sha: Sha256;
  #size: number;
  /** The node at each level whose bit is set in the size. */
  readonly #levels: (Uint8Array | undefined)[];

  private constructor(sha: Sha256, size: number, levels: (Uint8Array | undefined)[]) {
    this.#sha = sha;
    this.#size = size;
    this.#levels = levels;
  }

  static empty(sha: Sha256): CompactRange {
    return new CompactRange(sha, 0, []);
  }

  /** `hashes`: 32 bytes each, largest subtree (leftmost) first. Throws `MALFORMED` unless they fit `size`. */
  static from(sha: Sha256, size: number, hashes: readonly Uint8Array[]): CompactRange {
    if (!isSize(size)) malformed('compact_range', 'size is not an integer below 2^53');
    const want = bitsOf(size);
    if (hashes.length !== want.length) malformed('compact_range', `needs ${want.length} hashes`);
    const levels: (Uint8Array | undefined)[] = [];
    want.forEach((level, i) => {
      const hash = hashes[hashes.length - 1 - i]!;
      if (hash.length !== HASH_BYTES) malformed('compact_range', 'a hash has 32 bytes');
      levels[level] = hash.slice();
    });
    return new CompactRange(sha, size, levels);
  }

  get size(): number {
    return this.#size;
  }

  /** Largest subtree first; `CompactRange.from` takes it back. */
  get hashes(): Uint8Array[] {
    return bitsOf(this.#size)
      .map((level) => this.#levels[level]!.slice())
      .reverse();
  }

  clone(): CompactRange {
    return new CompactRange(this.#sha, this.#size, [...this.#levels]);
  }

  /** Appends n leaves by their hashes (n × 32 bytes). `sink` is told of every complete node, leaves included. */
  append(leafHashes: Uint8Array, sink?: NodeSink): void {
    const count = leafHashes.length / HASH_BYTES;
    if (!Number.isInteger(count)) malformed('leaf_hashes', 'length is no multiple of 32');
    if (!isSize(this.#size + count)) malformed('leaf_hashes', 'the tree would reach 2^53 leaves');
    let nodes = leafHashes;
    let index = this.#size;
    for (let level = 0; nodes.length > 0; level += 1) {
      sink?.(level, index, nodes);
      const odd = index % 2 === 1;
      nodes = this.#raise(level, odd, nodes);
      index = (odd ? index - 1 : index) / 2;
    }
    this.#size += count;
  }

  root(): Uint8Array {
    let root: Uint8Array | undefined;
    for (const level of bitsOf(this.#size)) {
      const node = this.#levels[level]!;
      root = root === undefined ? node : hashNode(this.#sha, node, root);
    }
    return root === undefined ? emptyRoot(this.#sha) : root.slice();
  }

  /** Pairs the waiting node of `level` (if `odd`) and the new ones; keeps what stays over, returns the parents. */
  #raise(level: number, odd: boolean, nodes: Uint8Array): Uint8Array {
    const first = odd ? HASH_BYTES : 0;
    const paired = Math.floor((nodes.length - first) / (2 * HASH_BYTES)) * 2 * HASH_BYTES;
    const above = this.#sha.hashPairs(nodes.subarray(first, first + paired));
    const parents = odd ? new Uint8Array(HASH_BYTES + above.length) : above;
    if (odd) {
      parents.set(hashNode(this.#sha, this.#levels[level]!, nodes.subarray(0, HASH_BYTES)));
      parents.set(above, HASH_BYTES);
    }
    const over = first + paired < nodes.length;
    this.#levels[level] = over ? nodes.slice(first + paired) : undefined;
    return parents;
  }
}

/** The levels whose bit is set in `size`, ascending. */
function bitsOf(size: number): number[] {
  const levels: number[] = [];
  for (let level = 0, rest = size; rest > 0; level += 1, rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) levels.push(level);
  }
  return levels;
}

/** Hashes on the path from leaf `index` up: below the fork of it and the last leaf, and above it. */
function pathShape(index: number, size: number): { inner: number; border: number } {
  let [leaf, last, inner] = [index, size - 1, 0];
  for (; leaf !== last; inner += 1) [leaf, last] = [Math.floor(leaf / 2), Math.floor(last / 2)];
  return { inner, border: bitsOf(leaf).length };
}

function checkProof(proof: readonly Uint8Array[], want: number): void {
  if (proof.length !== want) malformed('proof', `needs ${want} hashes, has ${proof.length}`);
  for (const hash of proof) if (hash.length !== HASH_BYTES) malformed('proof', 'a hash has 32 bytes');
}

const sameHash = (a: Uint8Array, b: Uint8Array): boolean => a.length === HASH_BYTES && equalBytes(a, b);

const mismatch = (what: string): never => {
  throw new HashfedError('ROOT_MISMATCH', `${what} proof does not lead to the root`);
};

export interface Inclusion {
  readonly leafHash: Uint8Array;
  readonly index: number;
  readonly size: number;
  readonly proof: readonly Uint8Array[];
  readonly root: Uint8Array;
}

/** RFC 9162 §2.1.3.2. Throws `MALFORMED` (shape) or `ROOT_MISMATCH`. */
export function verifyInclusion(sha: Sha256, { leafHash, index, size, proof, root }: Inclusion): void {
  if (!isSize(size) || !isSize(index) || index >= size) malformed('index', 'is not below the tree size');
  if (leafHash.length !== HASH_BYTES) malformed('leaf_hash', 'has 32 bytes');
  const { inner, border } = pathShape(index, size);
  checkProof(proof, inner + border);
  let hash = leafHash;
  let rest = index;
  proof.forEach((sibling, i) => {
    const left = i >= inner || rest % 2 === 1;
    hash = left ? hashNode(sha, sibling, hash) : hashNode(sha, hash, sibling);
    rest = Math.floor(rest / 2);
  });
  if (!sameHash(hash, root)) mismatch('inclusion');
}

export interface Consistency {
  readonly from: number;
  readonly fromRoot: Uint8Array;
  readonly to: number;
  readonly toRoot: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/**
 * RFC 9162 §2.1.4.2: the tree of `from` leaves is a prefix of the tree of `to` leaves. Equal sizes and an
 * empty old tree take an empty proof. Throws `MALFORMED` (shape) or `ROOT_MISMATCH`.
 */
export function verifyConsistency(sha: Sha256, claim: Consistency): void {
  const { from, fromRoot, to, toRoot, proof } = claim;
  if (!isSize(from) || !isSize(to) || from > to) malformed('from', 'is not at most the new size');
  if (from === 0 || from === to) {
    checkProof(proof, 0);
    if (!sameHash(fromRoot, from === 0 ? emptyRoot(sha) : toRoot)) mismatch('consistency');
    if (to === 0 && !sameHash(toRoot, emptyRoot(sha))) mismatch('consistency');
    return;
  }
  const shape = pathShape(from - 1, to);
  const shift = bitsOf(from)[0]!;
  const inner = shape.inner - shift;
  const perfect = from === 2 ** shift;
  checkProof(proof, (perfect ? 0 : 1) + inner + shape.border);
  const seed = perfect ? fromRoot : proof[0]!;
  const [old, grown] = climb(
    sha,
    seed,
    perfect ? proof : proof.slice(1),
    inner,
    Math.floor((from - 1) / 2 ** shift),
  );
  if (!sameHash(old, fromRoot) || !sameHash(grown, toRoot)) mismatch('consistency');
}

/** Both roots from one path: `mask` says on which side each of the first `inner` siblings stands. */
function climb(
  sha: Sha256,
  seed: Uint8Array,
  path: readonly Uint8Array[],
  inner: number,
  mask: number,
): [Uint8Array, Uint8Array] {
  let [old, grown, rest] = [seed, seed, mask];
  path.forEach((sibling, i) => {
    const left = i >= inner || rest % 2 === 1;
    if (left) old = hashNode(sha, sibling, old);
    grown = left ? hashNode(sha, sibling, grown) : hashNode(sha, grown, sibling);
    rest = Math.floor(rest / 2);
  });
  return [old, grown];
}

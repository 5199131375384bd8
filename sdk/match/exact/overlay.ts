import { randomFillSync } from 'node:crypto';
import { HashfedError } from '../../core/index.js';
import { type KeyBytes, MAX_OVERLAY, OVERLAY_KEYS } from './limits.js';

/** Node kinds: what a node says about its key. */
export const NODE = { ADDED: 1, REMOVED_ROW: 2, DEAD: 3 } as const;

/** The arrays of an overlay, all over SharedArrayBuffers: a structured clone shares them. */
export interface OverlayArrays {
  /** [keys, nodes, superseded]. */
  readonly control: Int32Array;
  /** Secret multipliers: who chooses hashes cannot choose where they land. */
  readonly seeds: Int32Array;
  /** 32 bits for each key there is room for, one set by each key's first four bytes: most strangers end here. */
  readonly filter: Int32Array;
  /** Open addressing: 0, or 7 bits of the key's mix and the entry number + 1. */
  readonly slots: Int32Array;
  readonly keys: Uint8Array;
  /** Live records of the entry's key, in table and overlay together. */
  readonly live: Int32Array;
  /** First node + 1, or 0. */
  readonly heads: Int32Array;
  /** add_index of an added record, row number of a removed one. */
  readonly values: Float64Array;
  readonly kinds: Uint8Array;
  /** Next node + 1, or 0. */
  readonly nexts: Int32Array;
}

const CONTROL = { KEYS: 0, NODES: 1, SUPERSEDED: 2 } as const;

function shared(bytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(bytes);
}

function allocate(keyBytes: KeyBytes, capacity: number, seeds: Int32Array): OverlayArrays {
  return {
    control: new Int32Array(shared(12)),
    seeds,
    filter: new Int32Array(shared(capacity * 4)),
    slots: new Int32Array(shared(capacity * 8)),
    keys: new Uint8Array(shared(capacity * keyBytes)),
    live: new Int32Array(shared(capacity * 4)),
    heads: new Int32Array(shared(capacity * 4)),
    values: new Float64Array(shared(capacity * 8)),
    kinds: new Uint8Array(shared(capacity)),
    nexts: new Int32Array(shared(capacity * 4)),
  };
}

function freshSeeds(keyBytes: KeyBytes): Int32Array {
  const seeds = new Int32Array(shared(keyBytes));
  randomFillSync(new Uint8Array(seeds.buffer));
  for (let i = 0; i < seeds.length; i++) seeds[i] = seeds[i]! | 1;
  return seeds;
}

/**
 * What changed since the table was built: a hash table of keys, each with its number of live records and a chain
 * of nodes (added records, removed rows). One writer; readers in other threads see a key once it is complete.
 */
export class Overlay {
  readonly keyBytes: KeyBytes;
  arrays: OverlayArrays;

  constructor(keyBytes: KeyBytes, arrays?: OverlayArrays) {
    this.keyBytes = keyBytes;
    this.arrays = arrays ?? allocate(keyBytes, OVERLAY_KEYS, freshSeeds(keyBytes));
  }

  /** Read plainly: the match path asks it every time, and an atomic load is a call. */
  get size(): number {
    return this.arrays.control[CONTROL.KEYS]!;
  }

  get nodes(): number {
    return Atomics.load(this.arrays.control, CONTROL.NODES);
  }

  /** True once newer arrays took this one's place: readers elsewhere ask the writer for a new handle. */
  get superseded(): boolean {
    return Atomics.load(this.arrays.control, CONTROL.SUPERSEDED) !== 0;
  }

  supersede(): void {
    Atomics.store(this.arrays.control, CONTROL.SUPERSEDED, 1);
  }

  get bytes(): number {
    let bytes = 0;
    for (const array of Object.values(this.arrays) as Uint8Array[]) bytes += array.byteLength;
    return bytes;
  }

  /**
   * False where no key has the first four bytes at `from[at]`, true for few others. Read plainly, as `size` is. Who
   * chooses first bytes gains no more than a look at `entry`.
   */
  mayHold(from: Uint8Array, at: number): boolean {
    const { filter, seeds } = this.arrays;
    const bit = filterBit(from, at, seeds[0]!, filter.length);
    return ((filter[bit >>> 5]! >>> (bit & 31)) & 1) === 1;
  }

  /** Entry of the key at `from[at]`, or −1. */
  entry(from: Uint8Array, at: number): number {
    const { slots } = this.arrays;
    const mix = this.#mix(from, at);
    const mask = slots.length - 1;
    const mark = mix >>> 25;
    for (let i = mix & mask; ; i = (i + 1) & mask) {
      const slot = Atomics.load(slots, i);
      if (slot === 0) return -1;
      const entry = (slot & 0xff_ffff) - 1;
      if (slot >>> 24 === mark && this.#sameKey(entry, from, at)) return entry;
    }
  }

  /** The entry of a key, made with `liveRows` live records where there was none. */
  ensure(key: Uint8Array, liveRows: number): number {
    const found = this.entry(key, 0);
    if (found >= 0) return found;
    this.#makeRoom();
    const a = this.arrays;
    const entry = a.control[CONTROL.KEYS]!;
    a.keys.set(key, entry * this.keyBytes);
    a.live[entry] = liveRows;
    this.#link(entry);
    Atomics.store(a.control, CONTROL.KEYS, entry + 1);
    return entry;
  }

  /** Adds a node in front of the entry's chain and changes its live count; returns the node's number. */
  push(entry: number, kind: number, value: number, change: number): number {
    this.#makeRoom();
    const a = this.arrays;
    const node = a.control[CONTROL.NODES]!;
    a.values[node] = value;
    a.kinds[node] = kind;
    a.nexts[node] = a.heads[entry]!;
    Atomics.store(a.heads, entry, node + 1);
    Atomics.add(a.live, entry, change);
    Atomics.store(a.control, CONTROL.NODES, node + 1);
    return node;
  }

  /** Takes a node back and changes the entry's live count. */
  kill(entry: number, node: number, change: number): void {
    this.arrays.kinds[node] = NODE.DEAD;
    Atomics.add(this.arrays.live, entry, change);
  }

  /** A copy that later changes do not touch, with the same seeds. */
  clone(): Overlay {
    const copy = new Overlay(
      this.keyBytes,
      allocate(this.keyBytes, this.arrays.live.length, this.arrays.seeds),
    );
    copyInto(this.arrays, copy.arrays, true);
    return copy;
  }

  #makeRoom(): void {
    const old = this.arrays;
    const capacity = old.live.length;
    if (Math.max(old.control[CONTROL.KEYS]!, old.control[CONTROL.NODES]!) < capacity) return;
    if (capacity * 2 > MAX_OVERLAY)
      throw new HashfedError('OVERLOADED', 'too many changes since the last merge');
    this.arrays = allocate(this.keyBytes, capacity * 2, old.seeds);
    copyInto(old, this.arrays, false);
    for (let entry = 0; entry < this.size; entry++) this.#link(entry);
    Atomics.store(old.control, CONTROL.SUPERSEDED, 1);
  }

  /** Makes an entry findable, whose key is in place. */
  #link(entry: number): void {
    const { slots, filter, seeds, keys } = this.arrays;
    const at = entry * this.keyBytes;
    const mix = this.#mix(keys, at);
    const bit = filterBit(keys, at, seeds[0]!, filter.length);
    const mask = slots.length - 1;
    let i = mix & mask;
    while (slots[i] !== 0) i = (i + 1) & mask;
    Atomics.store(slots, i, ((mix >>> 25) << 24) | (entry + 1));
    Atomics.or(filter, bit >>> 5, 1 << (bit & 31));
  }

  #sameKey(entry: number, from: Uint8Array, at: number): boolean {
    const { keys } = this.arrays;
    const o = entry * this.keyBytes;
    for (let i = 0; i < this.keyBytes; i++) if (keys[o + i] !== from[at + i]) return false;
    return true;
  }

  #mix(b: Uint8Array, at: number): number {
    const { seeds } = this.arrays;
    let mix = 0;
    for (let i = 0, o = at; i < seeds.length; i++, o += 4) {
      const word = b[o]! | (b[o + 1]! << 8) | (b[o + 2]! << 16) | (b[o + 3]! << 24);
      mix = Math.imul(mix ^ word, seeds[i]!);
      mix ^= mix >>> 15;
    }
    return mix >>> 0;
  }
}

/** The bit of a key's first four bytes among 32 × `words` bits, a power of two. */
function filterBit(b: Uint8Array, at: number, seed: number, words: number): number {
  const head = (b[at]! << 24) | (b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!;
  const spread = Math.imul(head, seed);
  return (spread ^ (spread >>> 15)) & (32 * words - 1);
}

function copyInto(from: OverlayArrays, to: OverlayArrays, withSlots: boolean): void {
  to.keys.set(from.keys);
  to.live.set(from.live);
  to.heads.set(from.heads);
  to.values.set(from.values);
  to.kinds.set(from.kinds);
  to.nexts.set(from.nexts);
  to.control[CONTROL.KEYS] = from.control[CONTROL.KEYS]!;
  to.control[CONTROL.NODES] = from.control[CONTROL.NODES]!;
  if (!withSlots) return;
  to.slots.set(from.slots);
  to.filter.set(from.filter);
}

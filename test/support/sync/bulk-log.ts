import { createHash, randomFillSync } from 'node:crypto';
import {
  CompactRange,
  concat,
  consistencyProof,
  encodeBundle,
  encodeHolds,
  encodeLeaf,
  HASH_TYPES,
  type HashType,
  inclusionProof,
  type Leaf,
  ListState,
  parseOrigin,
  type TreeState,
} from '../../../sdk/core/index.js';
import type { StoredBundle } from '../../../sdk/store/index.js';
import { suite } from '../trust/keys.js';

const BUNDLE_ENTRIES = 2_000;
const NO_META = new Uint8Array();

/** A snapshot as a server makes it at an anchor. */
export interface BulkSnapshot {
  readonly size: number;
  readonly sealLeaf: Uint8Array;
  readonly sealPath: Uint8Array[];
  readonly range: Uint8Array[];
  readonly bucketDigests: Uint8Array;
  readonly holds: Uint8Array;
  readonly buckets: Uint8Array[];
}

/**
 * A list in bundles, not leaves: a million entries fit. Entry bytes follow from the seed and the index alone, so that
 * every run serves the same.
 */
export class BulkLog {
  readonly origin: string;
  readonly state: ListState;
  readonly bundles: StoredBundle[] = [];
  readonly #tree = CompactRange.empty(suite.sha256);
  /** Complete nodes by level, packed: an object each would keep the collector busy. */
  readonly #nodes: Uint8Array[] = [];
  readonly #roots = new Map<number, Uint8Array>();
  readonly #now: () => number;
  #seal: Uint8Array = NO_META;

  constructor(origin: string, now: () => number) {
    this.origin = origin;
    this.#now = now;
    this.state = ListState.empty(parseOrigin(origin), suite.sha256);
  }

  get size(): number {
    return this.#tree.size;
  }

  at(size = this.size): TreeState {
    const root = this.#roots.get(size);
    if (root === undefined) throw new Error(`no SEAL ends at ${size}`);
    return { size, root };
  }

  hash(seed: string, i: number): Uint8Array {
    const { bytes } = HASH_TYPES[this.state.origin.type as HashType];
    const digest = createHash('sha512').update(`${seed} ${i}`).digest();
    return new Uint8Array(digest.subarray(0, bytes));
  }

  add(seed: string, i: number, over: Partial<Extract<Leaf, { kind: 'add' }>> = {}): Leaf {
    const hash = this.hash(seed, i);
    const fixed = { kind: 'add', readd: false, scheme: 1, code: 1, verifications: 1, meta: NO_META } as const;
    const { number: hashType } = HASH_TYPES[this.state.origin.type as HashType];
    const itemId = new Uint8Array(createHash('sha256').update(`item ${seed} ${i}`).digest().subarray(0, 16));
    const blind = new Uint8Array(createHash('sha256').update(`blind ${seed} ${i}`).digest().subarray(0, 16));
    return { ...fixed, timeMs: this.#now(), hashType, itemId, blind, hash, ...over };
  }

  withdraw(targetIndex: number): Leaf {
    return { kind: 'withdraw', timeMs: this.#now(), targetIndex, reason: 1, meta: NO_META };
  }

  amend(targetIndex: number, verifications = 2): Leaf {
    const values = { scheme: 1, code: 1, verifications, meta: NO_META };
    return { kind: 'amend', timeMs: this.#now(), targetIndex, reason: 1, ...values };
  }

  hold(from: number, to: number): Leaf {
    const timeMs = this.#now();
    return { kind: 'hold', timeMs, from, to, reason: 1, untilMs: timeMs + 3_600_000 };
  }

  adds(seed: string, count: number): Leaf[] {
    return Array.from({ length: count }, (_, i) => this.add(seed, i));
  }

  /** Publishes leaves and the SEAL that closes them; answers the new size. */
  publish(leaves: readonly Leaf[]): number {
    const bundles: Uint8Array[] = [];
    for (let at = 0; at < leaves.length; at += BUNDLE_ENTRIES)
      bundles.push(encodeBundle(leaves.slice(at, at + BUNDLE_ENTRIES).map(encodeLeaf)));
    return this.#publish(bundles, leaves.length);
  }

  /** As `publish`, for random ADDs without an object each. */
  publishRandom(count: number): number {
    const template = encodeBundle([encodeLeaf(this.add('template', 0))]);
    const bundles: Uint8Array[] = [];
    for (let left = count; left > 0; left -= BUNDLE_ENTRIES) {
      const n = Math.min(left, BUNDLE_ENTRIES);
      const bytes = new Uint8Array(n * template.length);
      randomFillSync(bytes);
      // Item, blind and the hash behind its length byte stay random; meta_len is 0.
      for (let at = 0; at < bytes.length; at += template.length) {
        bytes.set(template.subarray(0, 17), at);
        bytes.set(template.subarray(49, 50), at + 49);
        bytes.set(template.subarray(-2), at + template.length - 2);
      }
      bundles.push(bytes);
    }
    return this.#publish(bundles, count);
  }

  #publish(parts: readonly Uint8Array[], entries: number): number {
    const staging = this.state.stage();
    let next = this.size;
    for (const bytes of parts) {
      staging.append(bytes, next);
      next = staging.next;
    }
    if (next !== this.size + entries) throw new Error('entries were miscounted');
    const bits = entries > 100_000 ? 14 : 6;
    const seal = encodeLeaf(staging.planSeal(this.#now(), new Uint8Array(16).fill(1), bits));
    const sealed = encodeBundle([seal]);
    staging.append(sealed, next);
    staging.finish();
    staging.commit();
    for (const bytes of [...parts, sealed]) this.#keep(bytes);
    this.#seal = seal;
    this.#roots.set(this.size, this.#tree.root());
    return this.size;
  }

  #keep(bytes: Uint8Array): void {
    const firstIndex = this.size;
    let count = 0;
    for (let at = 0; at < bytes.length; count++) at += 2 + bytes[at]! * 256 + bytes[at + 1]!;
    this.#tree.append(suite.sha256.hashLeaves(bytes, count), (level, index, nodes) => {
      const held = this.#nodes[level] ?? new Uint8Array(1 << 12);
      const end = index * 32 + nodes.length;
      const room = held.length >= end ? held : new Uint8Array(Math.max(end, held.length * 2));
      if (room !== held) room.set(held);
      room.set(nodes, index * 32);
      this.#nodes[level] = room;
    });
    this.bundles.push({ firstIndex, count, bytes });
  }

  readonly #node = (level: number, index: number): Uint8Array =>
    this.#nodes[level]!.slice(index * 32, index * 32 + 32);

  /** Entries [from, to) in bundles, cut where they must be. */
  *entries(from: number, to: number): Generator<StoredBundle> {
    for (const { firstIndex, count, bytes } of this.bundles) {
      const end = firstIndex + count;
      if (end <= from || firstIndex >= to) continue;
      if (firstIndex >= from && end <= to) yield { firstIndex, count, bytes };
      else yield cut(bytes, firstIndex, Math.max(from, firstIndex), Math.min(to, end));
    }
  }

  prove(from: number, to: number): Uint8Array[] {
    return consistencyProof(suite.sha256, from, to, this.#node);
  }

  /** The snapshot of the present state, which must be an anchor. */
  snapshot(): BulkSnapshot {
    const { state } = this;
    const buckets = Array.from({ length: 2 ** state.bucketBits }, (_, b) => state.bytesOfBucket(b));
    return {
      size: this.size,
      sealLeaf: this.#seal,
      sealPath: inclusionProof(suite.sha256, this.size - 1, this.size, this.#node),
      range: this.#tree.hashes,
      bucketDigests: state.bucketDigests().slice(),
      holds: encodeHolds(state.holds).slice(4),
      buckets,
    };
  }
}

function cut(bytes: Uint8Array, first: number, from: number, to: number): StoredBundle {
  const offsets: number[] = [];
  for (let at = 0; at < bytes.length; at += 2 + bytes[at]! * 256 + bytes[at + 1]!) offsets.push(at);
  const start = offsets[from - first]!;
  const end = offsets[to - first] ?? bytes.length;
  return { firstIndex: from, count: to - from, bytes: bytes.subarray(start, end) };
}

export const flat = (hashes: readonly Uint8Array[]): Uint8Array => concat(...hashes);

import {
  encodeBundle,
  encodeErased,
  encodeLeaf,
  HASH_TYPES,
  hashBytes,
  type Leaf,
  ListState,
  type Origin,
  parseOrigin,
} from '../../sdk/core/index.js';
import { testSha256 } from './sha256.js';

/** `length` bytes that depend on `seed` alone: harmless and reproducible. */
export function seededBytes(seed: string, length: number): Uint8Array {
  const out = new Uint8Array(length);
  for (let at = 0, block = 0; at < length; at += 32, block++) {
    const digest = testSha256.digest(new TextEncoder().encode(`${seed}/${block}`));
    out.set(digest.subarray(0, Math.min(32, length - at)), at);
  }
  return out;
}

const NO_META = new Uint8Array(0);
const START_MS = 1_700_000_000_000;

/** Builds logs leaf by leaf, sealing what was added whether or not the list is in order. */
export class LogBuilder {
  readonly origin: Origin;
  readonly leaves: Uint8Array[] = [];
  private readonly state: ListState;
  private sealed = 0;
  private readonly bits: number;

  constructor(origin: string, bits = 4) {
    this.origin = parseOrigin(origin);
    this.state = ListState.empty(this.origin, testSha256);
    this.bits = bits;
  }

  get size(): number {
    return this.leaves.length;
  }

  /** Time of the next leaf: one second each. */
  get timeMs(): number {
    return START_MS + 1_000 * this.leaves.length;
  }

  raw(leaf: Uint8Array): number {
    return this.leaves.push(leaf) - 1;
  }

  leaf(leaf: Leaf): number {
    return this.raw(encodeLeaf(leaf));
  }

  add(name: string, over: Partial<Extract<Leaf, { kind: 'add' }>> = {}): number {
    const { type } = this.origin;
    return this.leaf({
      kind: 'add',
      timeMs: this.timeMs,
      readd: false,
      hashType: type === 'events' ? 3 : HASH_TYPES[type].number,
      scheme: 1,
      code: 1,
      verifications: 1,
      itemId: seededBytes(`item ${name}`, 16),
      blind: seededBytes(`blind ${name} ${this.size}`, 16),
      hash: seededBytes(`hash ${name}`, hashBytes(type) || 32),
      meta: NO_META,
      ...over,
    });
  }

  withdraw(targetIndex: number): number {
    return this.leaf({ kind: 'withdraw', timeMs: this.timeMs, targetIndex, reason: 1, meta: NO_META });
  }

  amend(targetIndex: number, verifications = 2, meta = NO_META): number {
    const now = { scheme: 2, code: 3, verifications, meta };
    return this.leaf({ kind: 'amend', timeMs: this.timeMs, targetIndex, reason: 1, ...now });
  }

  hold(from: number, to: number, hours = 24): number {
    const { timeMs } = this;
    return this.leaf({ kind: 'hold', timeMs, from, to, reason: 1, untilMs: timeMs + hours * 3_600_000 });
  }

  /** A right SEAL, or one with fields replaced. */
  seal(over: Partial<Extract<Leaf, { kind: 'seal' }>> = {}): number {
    const { timeMs } = this;
    const staging = this.state.stage();
    staging.append(this.bundle(this.sealed), this.sealed);
    const plan = staging.planSeal(
      Math.max(timeMs, staging.replay.chain.maxTimeMs),
      seededBytes('publish', 16),
      this.bits,
    );
    const leaf = encodeLeaf({ ...plan, ...over });
    const index = this.raw(leaf);
    staging.append(encodeBundle([leaf]), index);
    staging.settle();
    this.sealed = this.size;
    return index;
  }

  /** Entries [from, to), those in `erased` as their leaf hash alone. */
  bundle(from = 0, to = this.size, erased: ReadonlySet<number> = new Set()): Uint8Array {
    const parts = this.leaves.slice(from, to).map((leaf, i) => {
      if (!erased.has(from + i)) return encodeBundle([leaf]);
      return encodeErased(testSha256.digest(Uint8Array.of(0), leaf));
    });
    return Uint8Array.from(parts.flatMap((part) => [...part]));
  }
}

import {
  ADD_HASH_AT,
  COMMON_BYTES,
  HashfedError,
  LEAF_KIND,
  type ListState,
  MAX_AHEAD_MS,
  readU64,
  type Staging,
} from '../../sdk/core/index.js';
import { inSlices } from './slices.js';
import type { WithdrawnChanges, WithdrawnMemory } from './withdrawn.js';

/** SEALs in one batch: each is judged where it stands, which costs as much as judging the batch. */
const MAX_SEALS = 16;

/** True for a hash that must not be listed: it stands on a known-good list. */
export type IsKnownGood = (hash: Uint8Array) => boolean;

export interface GuardOptions {
  readonly origin: string;
  readonly state: ListState;
  readonly staging: Staging;
  readonly nowMs: number;
  readonly memory: WithdrawnMemory;
  readonly changes: WithdrawnChanges;
  readonly isKnownGood: IsKnownGood | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * What only servers and signers refuse, leaf by leaf: times out of order or ahead of the clock, a missing or undue
 * re-add flag, a hash on a known-good list. Applies the leaves on the way and judges every SEAL where it stands.
 */
export class LeafGuard {
  readonly #options: GuardOptions;
  #lastMs: number;
  #seals = 0;
  /** The first refusal; anomalies and the judgement of the whole go before it. */
  refusal: HashfedError | undefined;

  constructor(options: GuardOptions) {
    this.#options = options;
    this.#lastMs = options.state.head.seal?.timeMs ?? 0;
  }

  /** Throws PUBLISHER_INVALID at a SEAL that does not match what came before it. */
  async append(bundle: Uint8Array, first: number): Promise<void> {
    const offsets: number[] = [];
    let applied = 0;
    let appliedIndex = first;
    for (let at = 0, index = first; at < bundle.length; index += 1) {
      const length = bundle[at]! * 256 + bundle[at + 1]!;
      offsets.push(at + 2);
      const kind = length >= COMMON_BYTES ? bundle[at + 3]! : 0;
      if (kind !== 0) this.#check(bundle, at + 2, length, index, offsets, first);
      at += 2 + length;
      if (kind !== LEAF_KIND.SEAL) continue;
      this.#options.staging.append(bundle.subarray(applied, at), appliedIndex);
      await this.#judgeSeal(index);
      [applied, appliedIndex] = [at, index + 1];
    }
    if (applied < bundle.length) this.#options.staging.append(bundle.subarray(applied), appliedIndex);
  }

  #check(b: Uint8Array, at: number, length: number, index: number, offsets: number[], first: number): void {
    this.#checkTime(readU64(b, at + 3), index);
    const kind = b[at + 1]!;
    if (kind === LEAF_KIND.ADD && length > ADD_HASH_AT) this.#checkAdd(b, at, length, index);
    if (kind === LEAF_KIND.WITHDRAW && length > COMMON_BYTES + 8) {
      const hash = this.#hashOf(readU64(b, at + COMMON_BYTES), b, offsets, first);
      const { memory, changes } = this.#options;
      if (hash !== undefined) memory.noteWithdrawal(hash, b[at + COMMON_BYTES + 8]!, changes);
    }
  }

  #checkTime(timeMs: number, index: number): void {
    if (timeMs < this.#lastMs) this.#refuse('ANOMALOUS_ENTRY', index, 'is dated before the entry before it');
    if (timeMs > this.#options.nowMs + MAX_AHEAD_MS)
      this.#refuse('FUTURE', index, "is dated more than ten minutes ahead of the server's clock");
    this.#lastMs = Math.max(this.#lastMs, timeMs);
  }

  #checkAdd(b: Uint8Array, at: number, length: number, index: number): void {
    const { origin, memory, changes, isKnownGood } = this.#options;
    const hashLength = b[at + ADD_HASH_AT - 1]!;
    if (ADD_HASH_AT + hashLength > length) return;
    const hash = b.subarray(at + ADD_HASH_AT, at + ADD_HASH_AT + hashLength);
    const flagged = b[at + 2] !== 0;
    if (memory.has(origin, hash, changes) !== flagged)
      this.#refuse(
        'ANOMALOUS_ENTRY',
        index,
        flagged
          ? 'says that it re-adds a hash, but none was withdrawn as wrong'
          : 're-adds a hash that was withdrawn as wrong, and does not say so',
      );
    if (isKnownGood?.(hash)) this.#refuse('KNOWN_GOOD', index, 'has a hash that is on a known-good list');
  }

  /** The hash of a live record that a WITHDRAW names; undefined for a dead target, which is refused elsewhere. */
  #hashOf(target: number, b: Uint8Array, offsets: readonly number[], first: number): Uint8Array | undefined {
    const { staging, state } = this.#options;
    if (target >= staging.next) {
      const at = offsets[target - first];
      if (at === undefined || b[at + 1] !== LEAF_KIND.ADD) return undefined;
      return b.subarray(at + ADD_HASH_AT, at + ADD_HASH_AT + b[at + ADD_HASH_AT - 1]!);
    }
    const code = staging.replay.set.code(target);
    return code === 0 || code === 0xffff_ffff ? undefined : state.arena.hash(code - 1);
  }

  async #judgeSeal(index: number): Promise<void> {
    const { staging, origin } = this.#options;
    const seal = staging.replay.seals.at(-1);
    if (seal?.index !== index) return;
    this.#seals += 1;
    if (this.#seals > MAX_SEALS)
      throw new HashfedError('MALFORMED', `entries: more than ${MAX_SEALS} seals in one batch`, { origin });
    if (seal.countOk) await inSlices(staging.steps(), this.#options.signal);
    if (seal.chainOk && seal.countOk && staging.digestOk(seal) !== false) return;
    if (staging.replay.anomalies.count > 0) return;
    throw new HashfedError('PUBLISHER_INVALID', `the seal at ${index} does not match the entries before it`, {
      origin,
      field: `entries[${index}]`,
    });
  }

  #refuse(code: 'ANOMALOUS_ENTRY' | 'FUTURE' | 'KNOWN_GOOD', index: number, why: string): void {
    const { origin } = this.#options;
    this.refusal ??= new HashfedError(code, `entry ${index} ${why}`, { origin, field: `entries[${index}]` });
  }
}

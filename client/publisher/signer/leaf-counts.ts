import type { ChangeCounts } from '../../../proto/gen/hashfed/v1/publish.js';
import { HashfedError, LEAF_KIND, MAX_AHEAD_MS, readU16, readU64 } from '../../../sdk/core/index.js';

/** Entries of a range by kind, as the signer itself counted them in the bytes. */
export interface LeafCounts {
  readonly adds: number;
  readonly withdrawals: number;
  readonly amendments: number;
  readonly holds: number;
  readonly seals: number;
  readonly commits: number;
  /** Additions whose values are gone; each is withdrawn further on in the range. */
  readonly erased: number;
}

const KINDS = 17;
const ERASED_ENTRY_BYTES = 34;
/** `version | kind | flags | time_ms`, then a WITHDRAW's target_index. */
const TARGET_AT = 11;
const TARGET_END = TARGET_AT + 8;

/** Looks at every entry of a range as it streams by: kinds, order of times, nothing from the future. */
export class LeafCounter {
  readonly #origin: string;
  readonly #latestMs: number;
  readonly #mayErase: boolean;
  readonly #kinds = new Float64Array(KINDS);
  #erased = 0;
  /** Indexes of erased entries that no WITHDRAW has named yet. */
  readonly #open = new Set<number>();
  #index: number;
  #lastKind = 0;
  #lastMs = 0;

  /** `mayErase`: an approve key catches up through entries that were erased since. `from`: index of the first entry. */
  constructor(origin: string, nowMs: number, mayErase: boolean, from: number) {
    this.#origin = origin;
    this.#index = from;
    this.#latestMs = nowMs + MAX_AHEAD_MS;
    this.#mayErase = mayErase;
  }

  /** A checked bundle. Throws ANOMALOUS_ENTRY, FUTURE. */
  add(bundle: Uint8Array): void {
    for (let at = 0; at < bundle.length; ) {
      const length = readU16(bundle, at);
      if (length === 0) this.#erase();
      else this.#count(bundle, at + 2, length);
      this.#index += 1;
      at += length === 0 ? ERASED_ENTRY_BYTES : 2 + length;
    }
  }

  #erase(): void {
    if (!this.#mayErase) this.#refuse('ANOMALOUS_ENTRY', 'an erased entry cannot be signed');
    this.#erased += 1;
    this.#open.add(this.#index);
    this.#lastKind = 0;
  }

  #count(bundle: Uint8Array, at: number, length: number): void {
    const kind = bundle[at + 1]!;
    const known = Object.values(LEAF_KIND).some((one) => one === kind);
    if (length < 11 || bundle[at] !== 1 || !known)
      this.#refuse('ANOMALOUS_ENTRY', 'an entry is of an unknown version or kind');
    const timeMs = readU64(bundle, at + 3);
    if (timeMs < this.#lastMs) this.#refuse('ANOMALOUS_ENTRY', 'the times of its entries go back');
    if (timeMs > this.#latestMs)
      this.#refuse('FUTURE', 'an entry is more than ten minutes ahead of this clock');
    this.#lastMs = timeMs;
    this.#lastKind = kind;
    this.#kinds[kind]! += 1;
    if (kind === LEAF_KIND.WITHDRAW && length >= TARGET_END)
      this.#open.delete(readU64(bundle, at + TARGET_AT));
  }

  #refuse(code: 'ANOMALOUS_ENTRY' | 'FUTURE', why: string): never {
    throw new HashfedError(code, why, { origin: this.#origin, field: 'entries' });
  }

  /**
   * Throws NOT_SEALED unless the last entry was a SEAL, and MISSING_ENTRY for an erased entry that is not withdrawn:
   * whoever prepares a request could hide any entry from the approver as its bare leaf hash.
   */
  finish(): LeafCounts {
    if (this.#open.size > 0)
      throw new HashfedError('MISSING_ENTRY', 'the request hides an entry that is not withdrawn', {
        origin: this.#origin,
        field: 'entries',
      });
    if (this.#lastKind !== LEAF_KIND.SEAL)
      throw new HashfedError('NOT_SEALED', 'the request does not end in a seal', { origin: this.#origin });
    const at = (kind: number): number => this.#kinds[kind]!;
    return {
      adds: at(LEAF_KIND.ADD),
      withdrawals: at(LEAF_KIND.WITHDRAW),
      amendments: at(LEAF_KIND.AMEND),
      holds: at(LEAF_KIND.HOLD),
      seals: at(LEAF_KIND.SEAL),
      commits: at(LEAF_KIND.COMMIT),
      erased: this.#erased,
    };
  }
}

/** Throws ROOT_MISMATCH where the preparer's sheet says other numbers than the entries: what is shown must be true. */
export function compareCounts(origin: string, own: LeafCounts, said: ChangeCounts | undefined): void {
  const pairs: [number, bigint | undefined, string][] = [
    [own.adds + own.erased, said?.added, 'additions'],
    [own.withdrawals, said?.withdrawn, 'withdrawals'],
    [own.amendments, said?.amended, 'amendments'],
    [own.holds, said?.holds, 'holds'],
  ];
  for (const [counted, claimed, what] of pairs) {
    if (BigInt(counted) === claimed) continue;
    const why = `the request says ${claimed ?? 'nothing about'} ${what}, its entries are ${counted}`;
    throw new HashfedError('ROOT_MISMATCH', why, { origin, field: 'counts' });
  }
}

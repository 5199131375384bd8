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
  /** Entries whose values are gone; only below what two keys signed before. */
  readonly erased: number;
}

const KINDS = 17;
const ERASED_ENTRY_BYTES = 34;

/** Looks at every entry of a range as it streams by: kinds, order of times, nothing from the future. */
export class LeafCounter {
  readonly #origin: string;
  readonly #latestMs: number;
  readonly #mayErase: boolean;
  readonly #kinds = new Float64Array(KINDS);
  #erased = 0;
  #lastKind = 0;
  #lastMs = 0;

  /** `mayErase`: an approve key catches up through entries that were erased since. */
  constructor(origin: string, nowMs: number, mayErase: boolean) {
    this.#origin = origin;
    this.#latestMs = nowMs + MAX_AHEAD_MS;
    this.#mayErase = mayErase;
  }

  /** A checked bundle. Throws ANOMALOUS_ENTRY, FUTURE. */
  add(bundle: Uint8Array): void {
    for (let at = 0; at < bundle.length; ) {
      const length = readU16(bundle, at);
      if (length === 0) this.#erase();
      else this.#count(bundle, at + 2, length);
      at += length === 0 ? ERASED_ENTRY_BYTES : 2 + length;
    }
  }

  #erase(): void {
    if (!this.#mayErase) this.#refuse('ANOMALOUS_ENTRY', 'an erased entry cannot be signed');
    this.#erased += 1;
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
  }

  #refuse(code: 'ANOMALOUS_ENTRY' | 'FUTURE', why: string): never {
    throw new HashfedError(code, why, { origin: this.#origin, field: 'entries' });
  }

  /** Throws NOT_SEALED unless the last entry was a SEAL. */
  finish(): LeafCounts {
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

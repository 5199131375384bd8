import { type Clock, HashfedError } from '../../sdk/core/index.js';

/** What budgets count. */
export type BudgetKind = 'lookup' | 'evaluation' | 'telemetry' | 'upload';

/** Spends a member's budget. Implementations MUST spend nothing when they refuse. */
export interface Budgets {
  /** Throws BUDGET_EXCEEDED with the wait after which the same call may succeed. */
  spend(member: string, kind: BudgetKind, amount: number): void;
}

/** Units that a member may spend at once, and how many come back per second. */
export interface BudgetRate {
  readonly burst: number;
  readonly perSecond: number;
}

interface Bucket {
  left: number;
  atMs: number;
}

/** Token buckets in memory: one server's own; a restart fills them. Kinds without a rate are not limited. */
export class MemoryBudgets implements Budgets {
  readonly #clock: Clock;
  readonly #rates: Readonly<Partial<Record<BudgetKind, BudgetRate>>>;
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock, rates: Readonly<Partial<Record<BudgetKind, BudgetRate>>>) {
    this.#clock = clock;
    this.#rates = rates;
  }

  spend(member: string, kind: BudgetKind, amount: number): void {
    const rate = this.#rates[kind];
    if (rate === undefined) return;
    const bucket = this.#refill(`${kind} ${member}`, rate);
    if (amount > rate.burst) throw exceeded('one call asks for more than the whole budget', undefined);
    if (amount > bucket.left) {
      const waitMs = Math.ceil(((amount - bucket.left) / rate.perSecond) * 1000);
      throw exceeded("the member's budget is used up", waitMs);
    }
    bucket.left -= amount;
  }

  #refill(key: string, rate: BudgetRate): Bucket {
    const now = this.#clock.monotonicMs();
    const bucket = this.#buckets.get(key) ?? { left: rate.burst, atMs: now };
    bucket.left = Math.min(rate.burst, bucket.left + ((now - bucket.atMs) / 1000) * rate.perSecond);
    bucket.atMs = now;
    this.#buckets.set(key, bucket);
    return bucket;
  }
}

function exceeded(why: string, waitMs: number | undefined): HashfedError {
  return new HashfedError('BUDGET_EXCEEDED', why, waitMs === undefined ? {} : { retryAfterMs: waitMs });
}

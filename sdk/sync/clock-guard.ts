import type { Clock } from '../core/index.js';
import { CLOCK_BACK_MS } from './limits.js';

/**
 * Whether the wall clock may judge ages. One put back makes old statements look fresh, so it is compared with the
 * monotonic clock; one put forward only makes lists stale, which is safe. A fresh statement that agrees with the
 * clock as it stands makes it trusted again.
 */
export class ClockGuard {
  readonly clock: Clock;
  #wall: number;
  #mono: number;
  #told = 0;

  constructor(clock: Clock) {
    this.clock = clock;
    this.#wall = clock.nowMs();
    this.#mono = clock.monotonicMs();
  }

  /** Grows when somebody else's time moved the guard: what was judged by it before is to be judged again. */
  get told(): number {
    return this.#told;
  }

  /** Time was at least this, Unix milliseconds, when something of ours was written. */
  sawTime(ms: number): void {
    const now = this.clock.nowMs();
    if (ms <= now + CLOCK_BACK_MS) return;
    this.#wall = ms;
    this.#mono = this.clock.monotonicMs();
    this.#told++;
  }

  trusted(): boolean {
    const expected = this.#wall + (this.clock.monotonicMs() - this.#mono);
    const now = this.clock.nowMs();
    if (now + CLOCK_BACK_MS < expected) return false;
    if (now > expected) this.#rebase(now);
    return true;
  }

  /** Somebody whose key we know, and who just answered, sees the same time as we do. */
  confirm(statedMs: number): void {
    const now = this.clock.nowMs();
    if (Math.abs(now - statedMs) > CLOCK_BACK_MS) return;
    this.#rebase(now);
    this.#told++;
  }

  #rebase(now: number): void {
    this.#wall = now;
    this.#mono = this.clock.monotonicMs();
  }
}

const guards = new WeakMap<Clock, ClockGuard>();

/** The one guard of a clock. */
export function guardOf(clock: Clock): ClockGuard {
  const held = guards.get(clock);
  if (held !== undefined) return held;
  const guard = new ClockGuard(clock);
  guards.set(clock, guard);
  return guard;
}

import { HashfedError } from '../../sdk/core/index.js';

/** Longest wait that a refused client is told, milliseconds; spread so that they do not return together. */
const RETRY_BASE_MS = 500;
const RETRY_SPREAD_MS = 1_500;

/** Counts calls in flight, in all and by member, so that one member cannot take the server from the others. */
export class Admission {
  readonly #most: number;
  readonly #mostPerMember: number;
  readonly #byMember = new Map<string, number>();
  #all = 0;

  constructor(most: number, mostPerMember: number) {
    this.#most = most;
    this.#mostPerMember = mostPerMember;
  }

  get inFlight(): number {
    return this.#all;
  }

  /** Lets a call in. Throws OVERLOADED with a wait. Leave exactly once per entry, when its handler has ended. */
  enter(member: string): void {
    const own = this.#byMember.get(member) ?? 0;
    if (own >= this.#mostPerMember) throw overloaded('this member has too many calls in flight');
    if (this.#all >= this.#most) throw overloaded('the server has too many calls in flight');
    this.#all += 1;
    this.#byMember.set(member, own + 1);
  }

  leave(member: string): void {
    const own = (this.#byMember.get(member) ?? 0) - 1;
    this.#all -= 1;
    if (own > 0) this.#byMember.set(member, own);
    else this.#byMember.delete(member);
  }
}

function overloaded(why: string): HashfedError {
  const retryAfterMs = RETRY_BASE_MS + Math.floor(Math.random() * RETRY_SPREAD_MS);
  return new HashfedError('OVERLOADED', why, { retryAfterMs });
}

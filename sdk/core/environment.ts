/** What the outside world hands in: time and randomness. The core never reaches for either. */

export interface Clock {
  /** Unix time in milliseconds; may jump either way. */
  nowMs(): number;
  /** Milliseconds from an arbitrary origin that never go backwards. */
  monotonicMs(): number;
}

export interface Random {
  /** `length` bytes, unpredictable to an attacker. */
  bytes(length: number): Uint8Array;
}

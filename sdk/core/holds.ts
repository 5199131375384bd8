import { readU64, writeU32, writeU64 } from './bytes.js';
import { MAX_HOLD_MS } from './limits.js';

/** HOLDs: the emergency brake (docs/spec/list-format.md §2, §3). */
export interface Hold {
  /** Of the HOLD leaf. */
  readonly index: number;
  /** Log indexes [from, to). */
  readonly from: number;
  readonly to: number;
  readonly reason: number;
  readonly untilMs: number;
}

/** Bytes of one hold in the set digest. */
const HOLD_ROW = 33;

export function readHold(b: Uint8Array, at: number, index: number): Hold {
  const range = { from: readU64(b, at + 11), to: readU64(b, at + 19) };
  return { index, ...range, reason: b[at + 27]!, untilMs: readU64(b, at + 28) };
}

/**
 * Whether some hold covers the record. Without a time (a client that cannot judge it) a hold that is still
 * kept counts as active.
 */
export function isHeldBy(holds: readonly Hold[], addIndex: number, nowMs: number | undefined): boolean {
  return holds.some(
    (h) => addIndex >= h.from && addIndex < h.to && (nowMs === undefined || nowMs < h.untilMs),
  );
}

/** The holds that a SEAL of this time covers: until_ms > time_ms. */
export function holdsAt(holds: readonly Hold[], sealMs: number): readonly Hold[] {
  return holds.every((h) => h.untilMs > sealMs) ? holds : holds.filter((h) => h.untilMs > sealMs);
}

/**
 * The holds that a SEAL in time order leaves in effect: not over by its time, and ending within 72 h of it. What
 * is over can be in no later good SEAL, whose time is not below this one's.
 */
export function holdsPast(holds: Hold[], sealMs: number): Hold[] {
  const stays = (h: Hold) => h.untilMs > sealMs && sealMs + MAX_HOLD_MS >= h.untilMs;
  return holds.every(stays) ? holds : holds.filter(stays);
}

/** `u32 n | n × (u64 hold_index | u64 from | u64 to | u8 reason | u64 until_ms)`, ascending by index. */
export function encodeHolds(holds: readonly Hold[]): Uint8Array {
  const out = new Uint8Array(4 + HOLD_ROW * holds.length);
  writeU32(out, 0, holds.length);
  holds.forEach((hold, i) => {
    const at = 4 + HOLD_ROW * i;
    writeU64(out, at, hold.index);
    writeU64(out, at + 8, hold.from);
    writeU64(out, at + 16, hold.to);
    out[at + 24] = hold.reason;
    writeU64(out, at + 25, hold.untilMs);
  });
  return out;
}

/** The union of [from, to) ranges, ascending and disjoint, and where two or more of them overlap. */
export function coverRanges(ranges: readonly { readonly from: number; readonly to: number }[]): {
  once: { from: number; to: number }[];
  twice: { from: number; to: number }[];
} {
  const once: { from: number; to: number }[] = [];
  const twice: { from: number; to: number }[] = [];
  for (const { from, to } of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = once.at(-1);
    if (last === undefined || from >= last.to) {
      once.push({ from, to });
      continue;
    }
    twice.push({ from, to: Math.min(to, last.to) });
    last.to = Math.max(last.to, to);
  }
  return { once, twice };
}

export const NO_HOLDS: readonly Hold[] = [];

import {
  concat,
  encodeStateHead,
  type Freshness,
  HashfedError,
  type ListState,
  type Liveness,
  type PublisherRoot,
  parseCheckpoint,
  parseNote,
  type Suite,
  type TreeState,
  verifyFreshness,
  verifyLiveness,
} from '../core/index.js';
import type { ListHead } from '../store/index.js';
import { MAX_ARRIVALS } from './limits.js';

/** A statement and its envelope, verbatim. */
export interface Stated<T> {
  /** Undefined after opening, until a publisher root verified the envelope. */
  readonly statement: T | undefined;
  readonly envelope: Uint8Array;
  /** Monotonic time at which it was accepted; undefined where that was before the process began. */
  readonly acceptedMono: number | undefined;
}

/** A note that was verified when it was accepted, and what it says. */
export interface HeldNote extends TreeState {
  readonly note: Uint8Array;
}

/** Entries below `size` that were not there before arrived at `ms`. */
export interface Arrival {
  readonly size: number;
  readonly ms: number;
}

/** What is held about a list beside its records. */
export interface Held {
  readonly checkpoint: HeldNote;
  readonly anchor: HeldNote;
  readonly freshness: Stated<Freshness> | undefined;
  readonly liveness: Stated<Liveness> | undefined;
  readonly rootVersion: number;
  /** Commit times, ascending by size. The first is that of the first sync. */
  readonly arrivals: readonly Arrival[];
  /** Newest moment at which the list was FRESH, Unix milliseconds; 0: never. */
  readonly lastFreshMs: number;
}

/** `extra` of a list head, format 1. */
interface Extra {
  readonly format: 1;
  readonly root_version: number;
  readonly arrivals: readonly (readonly [number, number])[];
  readonly last_fresh_ms: number;
}

export function encodeExtra(held: Held): Uint8Array {
  const extra: Extra = {
    format: 1,
    root_version: held.rootVersion,
    arrivals: held.arrivals.map(({ size, ms }) => [size, ms]),
    last_fresh_ms: held.lastFreshMs,
  };
  return Buffer.from(JSON.stringify(extra));
}

/** The store authenticates it, so that only a newer version of ourselves can have written something else. */
export function decodeExtra(bytes: Uint8Array): Pick<Held, 'rootVersion' | 'arrivals' | 'lastFreshMs'> {
  const extra = JSON.parse(Buffer.from(bytes).toString()) as Extra;
  if (extra.format !== 1)
    throw new HashfedError('UPGRADE_REQUIRED', 'the list was stored by a newer version of hashfed');
  const arrivals = extra.arrivals.map(([size, ms]) => ({ size, ms }));
  return { rootVersion: extra.root_version, arrivals, lastFreshMs: extra.last_fresh_ms };
}

/** Reads a note that the store authenticates. */
export function readHeldNote(note: Uint8Array): HeldNote {
  const { size, root } = parseCheckpoint(parseNote(note).body);
  return { note, size, root };
}

/** Adds a commit; of too many, the oldest two after the first sync become one with the later time. */
export function addArrival(arrivals: readonly Arrival[], next: Arrival): Arrival[] {
  const all = [...arrivals, next];
  if (all.length > MAX_ARRIVALS) all.splice(1, 1);
  return all;
}

/** When the record with this add_index was committed here, if that was after the first sync. */
export function arrivedMs(arrivals: readonly Arrival[], addIndex: number): number | undefined {
  let low = 0;
  let high = arrivals.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (arrivals[middle]!.size > addIndex) high = middle;
    else low = middle + 1;
  }
  return low === 0 ? undefined : arrivals[low]?.ms;
}

/** The head as the store keeps it. */
export function listHead(held: Held, state: ListState['head'], range: readonly Uint8Array[]): ListHead {
  const none = new Uint8Array();
  return {
    size: held.checkpoint.size,
    root: held.checkpoint.root,
    checkpoint: held.checkpoint.note,
    anchor: held.anchor.note,
    freshness: held.freshness?.envelope ?? none,
    liveness: held.liveness?.envelope ?? none,
    state: encodeStateHead(state),
    range: concat(...range),
    sealCounts: none,
    extra: encodeExtra(held),
  };
}

/** Statements that are verified again under a root; what no longer verifies is dropped. */
export function verifiedUnder(suite: Suite, root: PublisherRoot, origin: string, held: Held): Held {
  // They were accepted once: one that lies in the future now shows as CLOCK when the list is judged.
  const late = Number.MAX_SAFE_INTEGER;
  const freshness = keepValid(held.freshness, (one) => verifyFreshness(suite, root, origin, one, late));
  const liveness = keepValid(held.liveness, (one) => verifyLiveness(suite, root, origin, one, late));
  return { ...held, freshness, liveness };
}

function keepValid<T>(
  stated: Stated<T> | undefined,
  verify: (envelope: Uint8Array) => T,
): Stated<T> | undefined {
  if (stated === undefined) return undefined;
  try {
    return { ...stated, statement: verify(stated.envelope) };
  } catch (error) {
    if (error instanceof HashfedError) return undefined;
    throw error;
  }
}

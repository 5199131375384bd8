import {
  CompactRange,
  type Freshness,
  HashfedError,
  ListState,
  type Liveness,
  type Origin,
  type Sha256,
} from '../core/index.js';
import type { ListHead, ListStore } from '../store/index.js';
import { decodeExtra, type Held, readHeldNote, type Stated } from './held.js';

/** The parts that move together. */
export interface Content {
  readonly state: ListState;
  readonly tree: CompactRange;
  readonly held: Held | undefined;
}

/** What the disk no longer gives back, and the state that it is known to have held. */
export interface Damage {
  readonly error: HashfedError;
  readonly held: Held | undefined;
}

export function emptyContent(origin: Origin, sha: Sha256): Content {
  return { state: ListState.empty(origin, sha), tree: CompactRange.empty(sha), held: undefined };
}

/** Statements become valid with `useRoot`: until then only their envelopes are known. */
export function readHeld(head: ListHead): Held {
  const stated = <T>(envelope: Uint8Array): Stated<T> | undefined =>
    envelope.length === 0 ? undefined : { statement: undefined, envelope, acceptedMono: undefined };
  return {
    checkpoint: readHeldNote(head.checkpoint),
    anchor: readHeldNote(head.anchor),
    freshness: stated<Freshness>(head.freshness),
    liveness: stated<Liveness>(head.liveness),
    ...decodeExtra(head.extra),
  };
}

/** The newest state that a damaged list is known to have had. Throws `UPGRADE_REQUIRED`. */
export async function salvagedHeld(list: ListStore): Promise<Held | undefined> {
  const salvage = await list.salvage();
  await salvage.close();
  const { head } = salvage;
  try {
    return head === undefined ? undefined : readHeld(head);
  } catch (error) {
    if (error instanceof HashfedError && error.code !== 'UPGRADE_REQUIRED') return undefined;
    throw error;
  }
}

/** What the checks find wrong with our own disk is damage, whatever they call it. */
export function unfit(origin: Origin, cause: unknown): HashfedError {
  const known = cause instanceof HashfedError && ['STORAGE_FAILED', 'UPGRADE_REQUIRED'].includes(cause.code);
  if (known) return cause;
  const why = 'the stored list is not what its head says';
  return new HashfedError('STORAGE_FAILED', why, { origin: origin.text, cause });
}

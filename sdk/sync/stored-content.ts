import {
  CompactRange,
  decodeStateHead,
  equalBytes,
  type Freshness,
  HashfedError,
  ListState,
  type Liveness,
  type Origin,
  type Sha256,
  SnapshotLoader,
  type Suite,
} from '../core/index.js';
import type { ListHead, ListStore, LoadedList } from '../store/index.js';
import { decodeExtra, type Held, readHeldNote, type Stated } from './held.js';
import { splitHashes } from './peer.js';
import type { Content } from './replica.js';

export function emptyContent(origin: Origin, sha: Sha256): Content {
  return { state: ListState.empty(origin, sha), tree: CompactRange.empty(sha), held: undefined };
}

/** Records by count and set digest, deltas replayed, the edge by the note's root. */
export async function readContent(origin: Origin, suite: Suite, loaded: LoadedList): Promise<Content> {
  const { sha256 } = suite;
  const loader = new SnapshotLoader(origin, sha256, decodeStateHead(loaded.base.state));
  for await (const rows of loaded.pieces()) loader.add(rows);
  const state = ListState.fromLoader(loader);
  const tree = CompactRange.from(sha256, loaded.base.size, splitHashes(loaded.base.range));
  const staging = state.stage();
  let replayed = 0;
  for await (const { firstIndex, count, bytes } of loaded.deltas()) {
    staging.append(bytes, firstIndex);
    tree.append(sha256.hashLeaves(bytes, count));
    replayed += count;
  }
  if (replayed > 0) {
    staging.finish();
    staging.commit();
  } else staging.discard();
  checkHead(origin, loaded.head, state, tree);
  return { state, tree, held: readHeld(loaded.head) };
}

/** Records, tree and note must be of one size and root: the store cannot know that. */
function checkHead(origin: Origin, head: ListHead, state: ListState, tree: CompactRange): void {
  const note = readHeldNote(head.checkpoint);
  const sizes = [head.size, state.size, tree.size].every((size) => size === note.size);
  if (sizes && equalBytes(tree.root(), note.root) && equalBytes(head.root, note.root)) return;
  throw new HashfedError('STORAGE_FAILED', 'the stored list does not make its own checkpoint', {
    origin: origin.text,
  });
}

/** Statements become valid with `useRoot`: until then only their envelopes are known. */
function readHeld(head: ListHead): Held {
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

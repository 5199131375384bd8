import {
  CompactRange,
  equalBytes,
  HashfedError,
  ListState,
  parseOrigin,
  type SealResult,
  type Staging,
  toHex,
} from '../../sdk/core/index.js';
import type { Bundle, Head } from '../storage/index.js';
import { anchorSizeOf } from './anchors.js';
import type { LogDeps } from './deps.js';

/** One list in memory: its committed head and the set that the log makes. */
export interface ResidentList {
  readonly origin: string;
  readonly state: ListState;
  /** Undefined while nothing is committed. */
  head: Head | undefined;
  /** Size that contains each published batch, by its publish_id in hex. */
  readonly published: Map<string, number>;
}

export function emptyResident(deps: LogDeps, origin: string): ResidentList {
  const state = ListState.empty(parseOrigin(origin), deps.suite.sha256);
  return { origin, state, head: undefined, published: new Map() };
}

/**
 * Replays a stored log from its first entry: every leaf hash, the root, each SEAL's count and chain and the last
 * digest are computed anew. Throws STORAGE_FAILED where the log is not what its head says.
 */
export async function replayLog(deps: LogDeps, head: Head, signal?: AbortSignal): Promise<ResidentList> {
  const resident = emptyResident(deps, head.origin);
  const staging = resident.state.stage();
  const options = { from: 0, to: head.size, ...(signal && { signal }) };
  const tree = await appendAll(
    deps,
    staging,
    CompactRange.empty(deps.suite.sha256),
    deps.storage.logs.read(head.origin, options),
  );
  if (tree.size !== head.size || !equalBytes(tree.root(), head.root)) {
    throw new HashfedError('STORAGE_FAILED', 'the stored entries do not make the stored root', {
      origin: head.origin,
    });
  }
  try {
    staging.finish();
  } catch (cause) {
    throw new HashfedError('STORAGE_FAILED', 'the stored log does not end in a valid seal', {
      origin: head.origin,
      cause,
    });
  }
  notePublished(resident, staging.replay.seals);
  staging.commit();
  resident.state.compact();
  resident.state.forgetBelow(anchorSizeOf(head) ?? 0);
  resident.head = head;
  return resident;
}

/** Notes the batches that seals close. */
export function notePublished({ published }: ResidentList, seals: readonly SealResult[]): void {
  for (const { leaf, index } of seals) published.set(toHex(leaf.publishId), index + 1);
}

/** The state at an earlier seal, built from the log and seen by nobody else. Throws as `replayLog`. */
export async function replayTo(deps: LogDeps, head: Head, size: number): Promise<ListState> {
  const { state } = emptyResident(deps, head.origin);
  const staging = state.stage();
  const bundles = deps.storage.logs.read(head.origin, { from: 0, to: size });
  await appendAll(deps, staging, CompactRange.empty(deps.suite.sha256), bundles);
  staging.finish();
  staging.commit();
  return state;
}

/** Feeds bundles to a staging and a tree; the tree that comes back has grown. */
export async function appendAll(
  deps: LogDeps,
  staging: Staging,
  tree: CompactRange,
  bundles: AsyncIterable<Bundle>,
): Promise<CompactRange> {
  for await (const { first, count, bytes } of bundles) {
    staging.append(bytes, first);
    tree.append(deps.suite.sha256.hashLeaves(bytes, count));
  }
  return tree;
}

/** The tree at a committed head. */
export function treeOf(deps: LogDeps, head: Head | undefined): CompactRange {
  if (head === undefined) return CompactRange.empty(deps.suite.sha256);
  return CompactRange.from(deps.suite.sha256, head.size, head.compactRange);
}

import {
  CompactRange,
  equalBytes,
  HashfedError,
  ListState,
  parseOrigin,
  type Staging,
} from '../../sdk/core/index.js';
import type { Bundle, Head } from '../storage/index.js';
import type { LogDeps } from './deps.js';

/** One list in memory: its committed head and the set that the log makes. */
export interface ResidentList {
  readonly origin: string;
  readonly state: ListState;
  /** Undefined while nothing is committed. */
  head: Head | undefined;
}

export function emptyResident(deps: LogDeps, origin: string): ResidentList {
  return { origin, state: ListState.empty(parseOrigin(origin), deps.suite.sha256), head: undefined };
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
  staging.commit();
  resident.state.compact();
  resident.head = head;
  return resident;
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

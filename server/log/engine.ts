import { Turns } from '../../sdk/core/index.js';
import type { LogDeps } from './deps.js';
import { Lists } from './lists.js';
import { PublisherRoots } from './roots.js';
import { WithdrawnMemory } from './withdrawn.js';

/** What a server holds of all lists. */
export interface Engine extends LogDeps {
  readonly lists: Lists;
  readonly roots: PublisherRoots;
  readonly withdrawn: WithdrawnMemory;
  /** What changes lists or judges changes takes its turn here. */
  readonly turns: Turns;
}

/**
 * Reads and checks everything a store holds: root chains, every log from its first entry. `memoryKey`: 32 bytes that
 * stay with this server. Throws STORAGE_FAILED, or what the chains' checks throw.
 */
export async function openEngine(
  deps: LogDeps,
  memoryKey: Uint8Array,
  signal?: AbortSignal,
): Promise<Engine> {
  const roots = await PublisherRoots.open(deps);
  const lists = await Lists.open(deps, signal);
  const withdrawn = await WithdrawnMemory.open(deps, memoryKey);
  return { ...deps, roots, lists, withdrawn, turns: new Turns() };
}

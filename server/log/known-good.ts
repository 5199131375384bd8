import { parseOrigin } from '../../sdk/core/index.js';
import type { Engine } from './engine.js';
import type { IsKnownGood } from './leaf-guard.js';

/**
 * Asks every known-good list of the same hash type that this server holds. Undefined where there is none, and for
 * lists that are not `listed`: known-good and test lists may hold what they like.
 */
export function knownGoodFor(engine: Engine, origin: string): IsKnownGood | undefined {
  if (engine.roots.settings(origin).purpose !== 'listed') return undefined;
  const { type } = parseOrigin(origin);
  const states = engine.roots
    .all()
    .flatMap((root) => [...root.origins.values()])
    .filter((settings) => settings.purpose === 'known-good' && settings.origin.type === type)
    .flatMap((settings) => engine.lists.get(settings.origin.text)?.state ?? []);
  if (states.length === 0) return undefined;
  return (hash) => states.some((state) => state.lookup(hash).length > 0);
}

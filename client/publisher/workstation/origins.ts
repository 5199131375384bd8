import type { LoadedConfig } from '../../../sdk/config/index.js';
import {
  HASH_TYPES,
  HashfedError,
  type HashType,
  type Origin,
  parseOrigin,
} from '../../../sdk/core/index.js';
import { publisherPaths } from './open.js';

const TYPES = Object.keys(HASH_TYPES) as HashType[];

/**
 * A publisher's own lists of one collection, by hash type: of several generations the newest. From the configuration,
 * so that imports work offline; the root is asked when a batch is prepared. Throws USAGE where there is none.
 */
export function ownLists(config: LoadedConfig, collection: string): Map<HashType, string> {
  const { domain } = publisherPaths(config);
  const newest = new Map<HashType, Origin>();
  for (const origin of config.lists.map((list) => parseOrigin(list.origin))) {
    if (origin.domain !== domain || origin.collection !== collection) continue;
    const type = TYPES.find((one) => one === origin.type);
    if (type === undefined) continue;
    if ((newest.get(type)?.generation ?? 0) < origin.generation) newest.set(type, origin);
  }
  if (newest.size === 0) {
    const known = [...new Set(config.lists.map((list) => parseOrigin(list.origin).collection))].join(', ');
    throw new HashfedError(
      'USAGE',
      `${config.file} names no list of the collection "${collection}" (it names: ${known})`,
      {
        field: 'collection',
      },
    );
  }
  return new Map([...newest].map(([type, { text }]) => [type, text]));
}

/** The list for a hash type. Throws USAGE where the collection has none. */
export function requireList(lists: ReadonlyMap<HashType, string>, type: HashType): string {
  const origin = lists.get(type);
  if (origin === undefined)
    throw new HashfedError('USAGE', `the collection has no list for ${type} hashes`, { field: 'collection' });
  return origin;
}

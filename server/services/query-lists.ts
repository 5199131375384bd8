import { HashType, SyncState } from '../../proto/gen/hashfed/v1/enums.js';
import type { ListVersion } from '../../proto/gen/hashfed/v1/query.js';
import {
  FRESH_MS,
  HASH_TYPES,
  HashfedError,
  type ListState,
  malformed,
  type OriginSettings,
  type HashType as TypeName,
} from '../../sdk/core/index.js';
import type { Caller } from '../access/index.js';
import type { Engine, Statements } from '../log/index.js';
import { PURPOSES } from './purposes.js';

const MAX_ORIGINS = 64;

const NAMES: Readonly<Record<number, TypeName>> = {
  [HashType.MD5]: 'md5',
  [HashType.SHA1]: 'sha1',
  [HashType.SHA256]: 'sha256',
  [HashType.PDQ]: 'pdq',
  [HashType.PHOTODNA]: 'photodna',
};

/** A list as a lookup asks it. */
export interface QueriedList {
  readonly state: ListState;
  readonly version: Omit<ListVersion, 'size'>;
}

/** Bytes of a hash of this type. Throws MALFORMED for an unknown one. */
export function hashLengthOf(type: number): number {
  return HASH_TYPES[typeOf(type)].bytes;
}

function typeOf(type: number): TypeName {
  return NAMES[type] ?? malformed('hash_type', 'is unknown');
}

/**
 * The lists of a lookup, ascending by origin: those named, or all of purpose listed or test that the caller may
 * read. Throws NOT_ENTITLED, UNKNOWN_ORIGIN, MALFORMED where a named list is of another type.
 */
export function queriedLists(
  engine: Engine,
  statements: Statements,
  caller: Caller,
  hashType: number,
  named: readonly string[],
): QueriedList[] {
  const type = typeOf(hashType);
  if (named.length > MAX_ORIGINS) malformed('origins', `are more than ${MAX_ORIGINS}`);
  for (const origin of named) caller.requireReadable(origin);
  const asked = named.length === 0 ? readable(engine, caller, type) : chosen(engine, type, named);
  return asked
    .sort((a, b) => (a.origin.text < b.origin.text ? -1 : 1))
    .map((settings) => ({
      state: engine.lists.ensure(settings.origin.text).state,
      version: versionOf(engine, statements, settings),
    }));
}

function readable(engine: Engine, caller: Caller, type: TypeName): OriginSettings[] {
  return engine.roots
    .all()
    .flatMap((root) => [...root.origins.values()])
    .filter(({ origin, purpose }) => origin.type === type && (purpose === 'listed' || purpose === 'test'))
    .filter(({ origin }) => caller.mayRead(origin.text));
}

function chosen(engine: Engine, type: TypeName, named: readonly string[]): OriginSettings[] {
  return [...new Set(named)].map((origin) => {
    const settings = engine.roots.settings(origin);
    if (settings.origin.type !== type)
      throw new HashfedError('MALFORMED', 'origins: a list is of another hash type', {
        field: 'origins',
        origin,
      });
    return settings;
  });
}

function versionOf(
  engine: Engine,
  statements: Statements,
  { origin, purpose }: OriginSettings,
): Omit<ListVersion, 'size'> {
  const issuedMs = statements.freshnessMs(origin.text);
  const fresh = engine.clock.nowMs() - issuedMs <= FRESH_MS;
  const empty = engine.lists.get(origin.text)?.head === undefined;
  return {
    origin: origin.text,
    purpose: PURPOSES[purpose],
    state: empty ? SyncState.EMPTY : fresh ? SyncState.FRESH : SyncState.STALE,
    freshnessMs: BigInt(issuedMs),
  };
}

import { malformed } from './errors.js';
import { MAX_U53 } from './limits.js';

/** Names of lists (docs/spec/list-format.md §1). */

export type HashType = 'md5' | 'sha1' | 'sha256' | 'pdq' | 'photodna';
export type OriginType = HashType | 'events';
export type HashTypeNumber = 1 | 2 | 3 | 4 | 5;

/** Number on the wire and bytes of one hash. Numbers 6 and 7 are reserved. */
export const HASH_TYPES: Record<HashType, { number: HashTypeNumber; bytes: 16 | 20 | 32 | 144 }> = {
  md5: { number: 1, bytes: 16 },
  sha1: { number: 2, bytes: 20 },
  sha256: { number: 3, bytes: 32 },
  pdq: { number: 4, bytes: 32 },
  photodna: { number: 5, bytes: 144 },
};

/** `domain/collection/type/gN`; `text` is what is compared and signed. */
export interface Origin {
  readonly text: string;
  readonly domain: string;
  readonly collection: string;
  readonly type: OriginType;
  readonly generation: number;
}

// At most 64 + 32 + 8 + 16 digits and separators: always below MAX_ORIGIN_BYTES.
const SHAPE =
  /^([a-z0-9.-]{1,64})\/([a-z0-9-]{1,32})\/(md5|sha1|sha256|pdq|photodna|events)\/g([1-9][0-9]{0,15})$/;

/** Throws `MALFORMED`. */
export function parseOrigin(text: string): Origin {
  const match = SHAPE.exec(text);
  if (match === null) malformed('origin', 'must be domain/collection/type/gN');
  const [, domain, collection, type, digits] = match;
  const generation = Number(digits);
  if (generation >= MAX_U53) malformed('origin', 'generation is too large');
  return { text, domain: domain!, collection: collection!, type: type as OriginType, generation };
}

/** The origin from its parts. Throws `MALFORMED`. */
export function formatOrigin(parts: Omit<Origin, 'text'>): Origin {
  return parseOrigin(`${parts.domain}/${parts.collection}/${parts.type}/g${parts.generation}`);
}

/** Bytes of one hash of this type; 0 for an `events` log, which holds none. */
export function hashBytes(type: OriginType): number {
  return type === 'events' ? 0 : HASH_TYPES[type].bytes;
}

/** The type of a number on the wire, or undefined. */
export function hashTypeOf(number: number): HashType | undefined {
  for (const [name, { number: n }] of Object.entries(HASH_TYPES)) if (n === number) return name as HashType;
  return undefined;
}

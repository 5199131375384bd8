import { candidateOf } from './candidate.js';
import { HashfedError, hashBytes } from './core/index.js';
import {
  type ExactHashes,
  type ExactType,
  hashBuffer,
  hashFile,
  hashStream,
  type UnhashedFile,
} from './hash/index.js';
import type { CheckOptions } from './hashfed-types.js';
import {
  type Candidate,
  decide,
  type ItemHash,
  type PhotoDnaComparator,
  type Policy,
  type Verdict,
} from './match/index.js';
import type { MatchingList } from './matching-list.js';
import type { PerceptualHashes, Pipeline } from './pipeline/index.js';
import { momentOf, type RootBook, type SyncDeps } from './sync/index.js';

/** What can be checked: a path, the bytes, or a stream of them. */
export type CheckInput = string | Uint8Array | AsyncIterable<Uint8Array>;

export interface HashedInput {
  readonly hashes: ExactHashes;
  readonly bytes: number;
}

/** Computes the exact hashes of an input in one pass. Throws MALFORMED for a file that has none, and says why. */
export async function hashInput(
  input: CheckInput,
  types: readonly ExactType[],
  signal?: AbortSignal,
): Promise<HashedInput> {
  const options = { types, ...(signal && { signal }) };
  if (input instanceof Uint8Array) return hashBuffer(input, options);
  if (typeof input !== 'string') return hashStream(input, options);
  const outcome = await hashFile(input, options);
  if (outcome.status === 'hashed') return outcome;
  throw notCheckable(outcome);
}

/** What a file without hashes becomes where a verdict is demanded. */
export function notCheckable({ status, code }: UnhashedFile): HashfedError {
  const why = code === undefined ? status : `${status} (${code})`;
  return new HashfedError('MALFORMED', `the file cannot be checked: ${why}`, { field: status });
}

/** With perceptual values beside the exact ones. Throws MALFORMED for a file that has no hashes. */
export async function checkWhole(
  pipeline: Pipeline,
  input: CheckInput,
  options: CheckOptions,
): Promise<{ verdict: Verdict; bytes: number }> {
  if (typeof input === 'string') {
    const outcome = await pipeline.checkFile(input, options);
    if (outcome.status !== 'checked') throw notCheckable(outcome);
    return { verdict: outcome.verdict, bytes: outcome.object.bytes };
  }
  const { verdict, object } =
    input instanceof Uint8Array
      ? await pipeline.checkBuffer(input, options)
      : await pipeline.checkIterable(input, options);
  return { verdict, bytes: object.bytes };
}

export interface Matcher {
  readonly deps: SyncDeps;
  readonly book: RootBook;
  readonly lists: readonly MatchingList[];
  readonly policy: Policy;
  /** How PhotoDNA values are compared; without it they are not. */
  readonly photodna?: PhotoDnaComparator;
  /** Whether far more distinct uploaders than ever brought this item; asked once for each that matched. */
  readonly surges?: (itemId: string) => boolean;
}

/** The verdict on an object's hashes. Nothing is awaited here. */
export function judgeHashes(matcher: Matcher, computed: ExactHashes, perceptual?: PerceptualHashes): Verdict {
  const { deps, book, lists, policy } = matcher;
  const moment = momentOf(deps.clock);
  const now = moment.nowMs;
  const matches: Candidate[] = [];
  for (const list of lists) {
    const type = list.exactType;
    const hash = type === undefined ? undefined : computed[type];
    if (hash !== undefined) {
      for (const record of list.find(hash))
        matches.push(candidateOf(list, record, siblingsOf(lists, list, record.itemId), now));
    }
    if (perceptual !== undefined) matches.push(...likenesses(matcher, list, perceptual, now));
  }
  const known = lists.map((list) => list.info(deps, book, moment));
  const undecodable = perceptual?.undecoded !== undefined && { perceptual: 'undecodable' as const };
  return decide({
    matches: withSurges(matcher, matches),
    computed,
    lists: known,
    policy,
    now,
    ...undecodable,
  });
}

/** Each record once, at the smallest distance that any value of the object has from it. */
function likenesses(
  { lists, policy, photodna }: Matcher,
  list: MatchingList,
  perceptual: PerceptualHashes,
  now: number,
): Candidate[] {
  const found = list.perceptual?.search(perceptual, policy.perceptual, photodna) ?? [];
  return found.map(({ record, distance, quality }) => ({
    ...candidateOf(list, record, siblingsOf(lists, list, record.itemId), now),
    distance,
    ...(quality !== undefined && { quality }),
  }));
}

/** Marks what the breaker is to judge: matches in lists that take something away. */
function withSurges({ lists, surges }: Matcher, matches: readonly Candidate[]): readonly Candidate[] {
  if (surges === undefined || matches.length === 0) return matches;
  const listed = new Set(lists.filter(({ purpose }) => purpose === 'listed').map(({ origin }) => origin));
  const asked = new Map<string, boolean>();
  return matches.map((match) => {
    if (!listed.has(match.origin)) return match;
    const surging = asked.get(match.itemId) ?? surges(match.itemId);
    asked.set(match.itemId, surging);
    return surging ? { ...match, surging } : match;
  });
}

/** The item's hashes of other exact types in the same publisher's lists. */
function siblingsOf(lists: readonly MatchingList[], of: MatchingList, itemId: Uint8Array): ItemHash[] {
  const { domain } = of.replica.origin;
  const others = lists.filter(
    (list) => list !== of && list.purpose === of.purpose && list.replica.origin.domain === domain,
  );
  return others.flatMap((list) => {
    const hashType = list.exactType;
    return hashType === undefined ? [] : list.items.records(itemId).map(({ hash }) => ({ hashType, hash }));
  });
}

/** Parses `TYPE:HEX`. Throws USAGE naming what is wrong. */
export function parseTypedHash(text: string): { type: ExactType; hash: Uint8Array } {
  const [, type = '', hex = ''] = /^(md5|sha1|sha256):([0-9a-fA-F]+)$/.exec(text) ?? [];
  const wanted = type === '' ? 0 : hashBytes(type as ExactType);
  if (wanted === 0 || hex.length !== 2 * wanted) {
    throw new HashfedError(
      'USAGE',
      'a hash is given as md5: and 32, sha1: and 40, or sha256: and 64 hexadecimal digits',
      {
        field: 'hash',
      },
    );
  }
  return { type: type as ExactType, hash: new Uint8Array(Buffer.from(hex, 'hex')) };
}

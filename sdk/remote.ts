import { Purpose, SyncState, HashType as WireType } from '../proto/gen/hashfed/v1/enums.js';
import type { ListVersion, LookupHashesResponse, RecordMatch } from '../proto/gen/hashfed/v1/query.js';
import {
  fromUtf8,
  HASH_TYPES,
  HashfedError,
  MAX_LOOKUP_HASHES,
  META_FIELD,
  malformed,
  metaValue,
  toHex,
} from './core/index.js';
import type { ExactType } from './hash/index.js';
import {
  type Candidate,
  decide,
  type ListInfo,
  type ListPurpose,
  type Policy,
  type Verdict,
} from './match/index.js';
import { callUnary } from './rpc/index.js';
import { QueryServiceService } from './rpc/services/query.js';
import type { Source, SyncDeps } from './sync/index.js';

/** Deadline of one lookup, milliseconds. */
const LOOKUP_MS = 30_000;
const WIRE: Readonly<Record<ExactType, WireType>> = {
  md5: WireType.MD5,
  sha1: WireType.SHA1,
  sha256: WireType.SHA256,
};
const PURPOSES: Readonly<Record<number, ListPurpose>> = {
  [Purpose.LISTED]: 'listed',
  [Purpose.KNOWN_GOOD]: 'known-good',
  [Purpose.TEST]: 'test',
};
const STATES: Readonly<Record<number, ListInfo['state']>> = {
  [SyncState.FRESH]: 'FRESH',
  [SyncState.STALE]: 'STALE',
  [SyncState.EXPIRED]: 'EXPIRED',
  [SyncState.EMPTY]: 'EMPTY',
};

export interface RemoteOptions {
  /** Only these lists; default: all that the member may read. */
  readonly origins?: readonly string[];
  readonly signal?: AbortSignal;
}

/**
 * Asks a server about hashes instead of the local lists, and judges its answers by the local policy. The server learns
 * the hashes, and nothing that it answers is proven: use it where lists are not held. One verdict a hash, in order.
 * Sources are tried in turn. Throws `MALFORMED` for a hash of a wrong length or an answer that contradicts itself,
 * `NOT_ENTITLED`, `BUDGET_EXCEEDED`.
 */
export async function lookupRemote(
  deps: SyncDeps,
  policy: Policy,
  type: ExactType,
  hashes: readonly Uint8Array[],
  options: RemoteOptions = {},
): Promise<Verdict[]> {
  const { bytes } = HASH_TYPES[type];
  if (hashes.some((hash) => hash.length !== bytes)) malformed('hash', `must be ${bytes} bytes`);
  const verdicts: Verdict[] = [];
  for (let at = 0; at < hashes.length; at += MAX_LOOKUP_HASHES) {
    const part = hashes.slice(at, at + MAX_LOOKUP_HASHES);
    verdicts.push(...(await lookupPart(deps, policy, type, part, options)));
  }
  return verdicts;
}

/** An answer that was cut short for its length is asked for again in halves. */
async function lookupPart(
  deps: SyncDeps,
  policy: Policy,
  type: ExactType,
  hashes: readonly Uint8Array[],
  options: RemoteOptions,
): Promise<Verdict[]> {
  const answer = await ask(deps, type, hashes, options);
  if (answer.truncated && hashes.length > 1) {
    const middle = Math.ceil(hashes.length / 2);
    const halves = [hashes.slice(0, middle), hashes.slice(middle)];
    const [first = [], second = []] = [
      await lookupPart(deps, policy, type, halves[0] ?? [], options),
      await lookupPart(deps, policy, type, halves[1] ?? [], options),
    ];
    return [...first, ...second];
  }
  return judge(answer, policy, type, hashes, deps.clock.nowMs());
}

async function ask(
  deps: SyncDeps,
  type: ExactType,
  hashes: readonly Uint8Array[],
  { origins = [], signal }: RemoteOptions,
): Promise<LookupHashesResponse> {
  const flat = new Uint8Array(Buffer.concat(hashes));
  const request = { hashType: WIRE[type], hashes: flat, origins: [...origins] };
  let failure: unknown = new HashfedError('USAGE', 'there is no source to ask', { field: 'sources' });
  for (const source of deps.sources) {
    try {
      return await askOne(source, request, signal);
    } catch (error) {
      if (signal?.aborted) throw error;
      failure = error;
    }
  }
  throw failure;
}

function askOne(
  { channel }: Source,
  request: { hashType: WireType; hashes: Uint8Array; origins: string[] },
  signal: AbortSignal | undefined,
): Promise<LookupHashesResponse> {
  return callUnary(channel, QueryServiceService.lookupHashes, request, { deadlineMs: LOOKUP_MS, signal });
}

function judge(
  answer: LookupHashesResponse,
  policy: Policy,
  type: ExactType,
  hashes: readonly Uint8Array[],
  now: number,
): Verdict[] {
  if (answer.count !== hashes.length || answer.bitmap.length !== Math.ceil(hashes.length / 8))
    malformed('answer', 'is not about what was asked');
  const lists = answer.lists.map(listInfo);
  const byPosition = new Map<number, Candidate[]>();
  for (const match of answer.matches) {
    const list = lists[match.list];
    if (list === undefined || match.position >= hashes.length)
      malformed('answer', 'names what was not asked');
    const held = byPosition.get(match.position) ?? [];
    held.push(candidate(match, list.origin, type));
    byPosition.set(match.position, held);
  }
  return hashes.map((hash, position) => {
    const matches = byPosition.get(position) ?? [];
    const said = ((answer.bitmap[position >>> 3] ?? 0) >>> (position & 7)) & 1;
    if (said !== (matches.length > 0 ? 1 : 0)) malformed('answer', 'its bitmap contradicts its matches');
    return decide({ matches, computed: { [type]: hash }, lists, policy, now });
  });
}

/** What a server says about its own lists. */
function listInfo({ origin, purpose, size, state, freshnessMs }: ListVersion): ListInfo {
  const known = PURPOSES[purpose];
  if (known === undefined) return malformed('purpose', 'is none that is matched');
  const fresh = Number(freshnessMs);
  const info = { origin, purpose: known, size: Number(size), state: STATES[state] ?? 'STALE' };
  return fresh === 0 ? info : { ...info, lastFreshMs: fresh };
}

function candidate(match: RecordMatch, origin: string, hashType: ExactType): Candidate {
  const assessed = metaValue(match.meta, META_FIELD.ASSESSED_BY);
  return {
    origin,
    hashType,
    addIndex: Number(match.addIndex),
    itemId: toHex(match.itemId),
    scheme: match.scheme,
    code: match.code,
    verifications: match.verifications,
    listedMs: Number(match.listedMs),
    held: match.held,
    ...(assessed !== undefined && { assessedBy: fromUtf8(assessed, 'meta') }),
  };
}

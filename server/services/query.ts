import {
  type ListVersion,
  type LookupHashesRequest,
  LookupHashesResponse,
  type LookupHashRequest,
  LookupHashResponse,
  type RecordMatch,
} from '../../proto/gen/hashfed/v1/query.js';
import { QueryServiceService } from '../../proto/gen/hashfed/v1/query_service.js';
import { MAX_LOOKUP_HASHES, malformed } from '../../sdk/core/index.js';
import type { Budgets } from '../access/index.js';
import type { Engine, Statements } from '../log/index.js';
import { type BoundService, bind, type CallContext } from '../shell/index.js';
import { hashLengthOf, type QueriedList, queriedLists } from './query-lists.js';
import { paddingFor } from './query-padding.js';

/** Records in the answer for one hash. */
const MAX_MATCHES = 64;
/** Bytes of records in one answer, so that with bitmap, lists and padding it stays under 4 MiB. */
const MAX_MATCH_BYTES = 3 * 1024 * 1024;
/** Hashes looked up before other calls get their turn. */
const SLICE = 500;

/**
 * QueryService over the resident lists. Misses do the same work as matches but for writing records down, and answers
 * are padded, so that size and time say little to who watches the wire. Every hash costs budget.
 */
export function queryService(engine: Engine, statements: Statements, budgets: Budgets): BoundService {
  return bind(QueryServiceService, {
    lookupHash: async (request, context) => lookupOne(engine, statements, budgets, request, context),
    lookupHashes: (request, context) => lookupMany(engine, statements, budgets, request, context),
  });
}

function lookupOne(
  engine: Engine,
  statements: Statements,
  budgets: Budgets,
  request: LookupHashRequest,
  { caller }: CallContext,
): LookupHashResponse {
  const bytes = hashLengthOf(request.hashType);
  if (request.hash.length !== bytes) malformed('hash', `is not ${bytes} bytes`);
  const lists = queriedLists(engine, statements, caller, request.hashType, request.origins);
  budgets.spend(caller.member, 'lookup', 1);
  const matches = matchesOf(engine, lists, request.hash, 0).slice(0, MAX_MATCHES);
  const answer: LookupHashResponse = { matches, lists: versionsOf(lists), padding: new Uint8Array() };
  const length = (one: LookupHashResponse) => LookupHashResponse.encode(one).finish().length;
  const least = length({ ...answer, matches: [] });
  return { ...answer, padding: paddingFor(length(answer), least, engine.random) };
}

async function lookupMany(
  engine: Engine,
  statements: Statements,
  budgets: Budgets,
  request: LookupHashesRequest,
  { caller, signal }: CallContext,
): Promise<LookupHashesResponse> {
  const length = hashLengthOf(request.hashType);
  const count = request.hashes.length / length;
  if (!Number.isInteger(count) || count < 1 || count > MAX_LOOKUP_HASHES)
    malformed('hashes', `are not 1 to ${MAX_LOOKUP_HASHES} hashes of ${length} bytes`);
  const lists = queriedLists(engine, statements, caller, request.hashType, request.origins);
  budgets.spend(caller.member, 'lookup', count);
  const found = new Collector(count);
  for (let position = 0; position < count; position += 1) {
    const hash = request.hashes.subarray(position * length, (position + 1) * length);
    found.take(position, matchesOf(engine, lists, hash, position));
    if (position % SLICE === SLICE - 1) await nextTurn(signal);
  }
  const { bitmap, matches, truncated } = found;
  const answer = { count, bitmap, matches, lists: versionsOf(lists), truncated, padding: new Uint8Array() };
  const size = (one: LookupHashesResponse) => LookupHashesResponse.encode(one).finish().length;
  // A bitmap of this length is sent whatever its bits are.
  const least = size({ ...answer, matches: [], truncated: false });
  return { ...answer, padding: paddingFor(size(answer), least, engine.random) };
}

class Collector {
  readonly bitmap: Uint8Array;
  readonly matches: RecordMatch[] = [];
  truncated = false;
  #bytes = 0;

  constructor(count: number) {
    this.bitmap = new Uint8Array(Math.ceil(count / 8));
  }

  take(position: number, found: readonly RecordMatch[]): void {
    if (found.length === 0) return;
    this.bitmap[position >> 3]! |= 1 << (position & 7);
    for (const match of found) {
      this.#bytes += 96 + match.meta.length;
      if (this.#bytes > MAX_MATCH_BYTES) this.truncated = true;
      else this.matches.push(match);
    }
  }
}

function matchesOf(
  { clock }: Engine,
  lists: readonly QueriedList[],
  hash: Uint8Array,
  position: number,
): RecordMatch[] {
  const matches: RecordMatch[] = [];
  for (const [list, { state }] of lists.entries())
    for (const record of state.lookup(hash))
      matches.push({
        position,
        list,
        addIndex: BigInt(record.addIndex),
        lastIndex: BigInt(record.lastIndex),
        listedMs: BigInt(record.listedMs),
        itemId: record.itemId,
        scheme: record.scheme,
        code: record.code,
        verifications: record.verifications,
        meta: record.meta,
        held: state.isHeld(record.addIndex, clock.nowMs()),
      });
  return matches;
}

function versionsOf(lists: readonly QueriedList[]): ListVersion[] {
  return lists.map(({ version, state }) => ({ ...version, size: BigInt(state.size) }));
}

/** Lets other calls run; throws where this one was ended meanwhile. */
async function nextTurn(signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  signal.throwIfAborted();
}

import type {
  WithdrawalProgress,
  WithdrawalStatusRequest,
  WithdrawalStatusResponse,
} from '../../proto/gen/hashfed/v1/publish_followup.js';
import { ListSyncState } from '../../proto/gen/hashfed/v1/telemetry_exchange.js';
import { HashfedError, malformed, toHex } from '../../sdk/core/index.js';
import { type Caller, type DirectoryKeeper, directoryView, mayReadList } from '../access/index.js';
import type { Engine } from '../log/index.js';

const DEFAULT_PAGE = 100;
const MAX_PAGE = 1_000;
const PREFIX = 'members/';

/** A batch in one list: a hoster has it once it holds `size` entries. */
interface Needed {
  readonly origin: string;
  readonly size: number;
}

/**
 * Who has applied a withdrawal: every hoster that may read a list of it, by what it last reported. What is stored
 * about a member and list is a `ListSyncState`, the slowest installation's. Throws NOT_FOUND.
 */
export async function withdrawalStatus(
  engine: Engine,
  directory: DirectoryKeeper,
  caller: Caller,
  request: WithdrawalStatusRequest,
): Promise<WithdrawalStatusResponse> {
  if (request.publishId.length !== 16) malformed('publish_id', 'is not 16 bytes');
  if (request.pageSize > MAX_PAGE) malformed('page_size', `is over ${MAX_PAGE}`);
  const needed = neededBy(engine, caller, toHex(request.publishId));
  if (needed.length === 0)
    throw new HashfedError('NOT_FOUND', 'no batch of your lists has that id', { field: 'publish_id' });
  const all: WithdrawalProgress[] = [];
  for (const one of needed)
    for (const hoster of readersOf(directory, one.origin)) all.push(await progress(engine, one, hoster));
  return pageOf(all, request);
}

function neededBy(engine: Engine, caller: Caller, publishId: string): Needed[] {
  return engine.lists.origins().flatMap((origin) => {
    const size = engine.lists.get(origin)?.published.get(publishId);
    return size === undefined || !maySee(caller, origin) ? [] : [{ origin, size }];
  });
}

function maySee(caller: Caller, origin: string): boolean {
  if (caller.roles.has('monitor')) return true;
  try {
    caller.requirePublisherOf(origin);
    return true;
  } catch (error) {
    if (error instanceof HashfedError && error.code === 'NOT_ENTITLED') return false;
    throw error;
  }
}

function readersOf({ current }: DirectoryKeeper, origin: string): string[] {
  const view = directoryView(current);
  return [...current.members.keys()]
    .map((name) => name.slice(PREFIX.length))
    .filter((name) => {
      const record = view.member(name);
      return record?.status === 'active' && record.roles.has('hoster') && mayReadList(record, origin);
    })
    .sort();
}

async function progress(
  engine: Engine,
  { origin, size }: Needed,
  hoster: string,
): Promise<WithdrawalProgress> {
  const stored = await engine.storage.syncStates.get(hoster, origin);
  const state = stored === undefined ? undefined : ListSyncState.decode(stored.bytes);
  return {
    origin,
    neededSize: BigInt(size),
    hoster: `${PREFIX}${hoster}`,
    size: state?.size ?? 0n,
    appliedMs: state?.appliedMs ?? 0n,
  };
}

/** The page token is the number of pairs before the page. */
function pageOf(
  all: readonly WithdrawalProgress[],
  { pageSize, pageToken }: WithdrawalStatusRequest,
): WithdrawalStatusResponse {
  if (pageToken !== '' && !/^\d{1,9}$/.test(pageToken)) malformed('page_token', 'is none of this server');
  const from = pageToken === '' ? 0 : Number(pageToken);
  const to = from + (pageSize === 0 ? DEFAULT_PAGE : pageSize);
  return {
    progress: all.slice(from, to),
    nextPageToken: to < all.length ? String(to) : '',
    total: all.length,
    applied: all.filter(({ size, neededSize }) => size >= neededSize).length,
  };
}

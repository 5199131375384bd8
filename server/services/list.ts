import { ListState } from '../../proto/gen/hashfed/v1/enums.js';
import type {
  ListSummary,
  PullEntriesRequest,
  PullEntriesResponse,
} from '../../proto/gen/hashfed/v1/list.js';
import { ListServiceService } from '../../proto/gen/hashfed/v1/list_service.js';
import { HashfedError, malformed, parseOrigin } from '../../sdk/core/index.js';
import type { Engine, Snapshots, Statements } from '../log/index.js';
import { type BoundService, bind, type CallContext } from '../shell/index.js';
import { readSize } from './fields.js';
import { prove } from './list-proofs.js';
import { watch } from './list-watch.js';
import { PURPOSES } from './purposes.js';

/** Clients ask again at the earliest after this long, milliseconds. */
const MIN_WAIT_MS = 10_000;

/** ListService, from the resident lists and the store. Entitlement is asked before existence, so that answers say nothing about it. */
export function listService(engine: Engine, statements: Statements, snapshots: Snapshots): BoundService {
  return bind(ListServiceService, {
    listLists: async (request, { caller }) =>
      page(
        summaries(engine).filter(({ origin }) => caller.mayRead(origin)),
        request,
      ),
    getPublisherRoot: async ({ publisher, version }) => {
      const member =
        /^members\/([a-z0-9-]{1,64})$/.exec(publisher)?.[1] ??
        malformed('publisher', 'must be members/{member}');
      const { envelope, newest } = await engine.roots.envelope(member, readSize(version, 'version'));
      return { envelope, newestVersion: BigInt(newest) };
    },
    getCheckpoint: async ({ origin }, { caller }) => {
      caller.requireReadable(parseOrigin(origin).text);
      return { checkpoint: statements.bundle(origin), minWaitMs: MIN_WAIT_MS };
    },
    getProof: (request, context) => prove(engine, request, context),
    pullEntries: (request, context) => pull(engine, request, context),
    watchCheckpoints: (request, context) => watch(engine, statements, request, context),
    getSnapshotIndex: async ({ origin, maxSize }, { caller }) => {
      caller.requireReadable(parseOrigin(origin).text);
      const index = await snapshots.index(origin, readSize(maxSize, 'max_size'));
      return { ...index, checkpoint: statements.bundle(origin) };
    },
    pullSnapshot: ({ origin, size, fromBucket, toBucket }, { caller, signal }) => {
      caller.requireReadable(parseOrigin(origin).text);
      const range = { size: readSize(size, 'size'), from: fromBucket, to: toBucket };
      return snapshots.pull(origin, range, signal);
    },
  });
}

function summaries(engine: Engine): ListSummary[] {
  return engine.roots
    .all()
    .flatMap((root) => [...root.origins.values()].map((settings) => ({ root, settings })))
    .map(({ root, settings }) => {
      const list = engine.lists.get(settings.origin.text);
      const seal = list?.state.head.seal;
      return {
        origin: settings.origin.text,
        publisher: root.publisher,
        purpose: PURPOSES[settings.purpose],
        state: list?.head === undefined ? ListState.EMPTY : ListState.OPEN,
        size: BigInt(list?.head?.size ?? 0),
        batchNo: BigInt(seal?.batchNo ?? 0),
        setCount: BigInt(seal?.setCount ?? 0),
        sealedMs: BigInt(seal?.timeMs ?? 0),
      };
    })
    .sort((a, b) => (a.origin < b.origin ? -1 : 1));
}

function page(lists: ListSummary[], { pageSize, pageToken }: { pageSize: number; pageToken: string }) {
  const size = Math.min(pageSize === 0 ? 100 : pageSize, 1000);
  const from = pageToken === '' ? 0 : lists.findIndex(({ origin }) => origin > pageToken);
  const part = from < 0 ? [] : lists.slice(from, from + size);
  const more = from >= 0 && from + size < lists.length;
  return { lists: part, nextPageToken: more ? (part.at(-1)?.origin ?? '') : '' };
}

async function* pull(
  engine: Engine,
  request: PullEntriesRequest,
  { caller, signal }: CallContext,
): AsyncGenerator<PullEntriesResponse> {
  const { origin } = request;
  caller.requireReadable(parseOrigin(origin).text);
  const { head } = engine.lists.committed(origin);
  const from = readSize(request.from, 'from');
  const to = readSize(request.to, 'to');
  if (from > to) malformed('from', 'is above to');
  if (to > head.size)
    throw new HashfedError('SIZE_AHEAD', 'the list is not that long', { origin, field: 'to' });
  const { logs } = engine.storage;
  const bundles = request.leafHashesOnly
    ? logs.readLeafHashes(origin, { from, to, signal })
    : logs.read(origin, { from, to, signal });
  for await (const { first, count, bytes } of bundles)
    yield { firstIndex: BigInt(first), count, bundle: bytes };
}

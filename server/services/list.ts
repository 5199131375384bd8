import type { CheckpointBundle } from '../../proto/gen/hashfed/v1/common.js';
import { ListState } from '../../proto/gen/hashfed/v1/enums.js';
import type {
  GetProofRequest,
  GetProofResponse,
  ListSummary,
  PullEntriesRequest,
  PullEntriesResponse,
  WatchCheckpointsRequest,
  WatchCheckpointsResponse,
} from '../../proto/gen/hashfed/v1/list.js';
import { ListServiceService } from '../../proto/gen/hashfed/v1/list_service.js';
import {
  concat,
  foldPlan,
  HashfedError,
  MAX_PROOF_INDEXES,
  malformed,
  parseOrigin,
  planConsistency,
  planInclusion,
} from '../../sdk/core/index.js';
import type { Engine, Snapshots, Statements } from '../log/index.js';
import { type BoundService, bind, type CallContext } from '../shell/index.js';
import { readSize } from './fields.js';
import { PURPOSES } from './purposes.js';

/** Clients ask again at the earliest after this long, milliseconds. */
const MIN_WAIT_MS = 10_000;
const HEARTBEAT_MS = 15_000;
const MAX_WATCHED = 256;

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

async function prove(
  engine: Engine,
  request: GetProofRequest,
  { caller }: CallContext,
): Promise<GetProofResponse> {
  const { origin } = request;
  caller.requireReadable(parseOrigin(origin).text);
  const { head } = engine.lists.committed(origin);
  const size = readSize(request.size, 'size');
  const from = readSize(request.fromSize, 'from_size');
  if (size > head.size)
    throw new HashfedError('SIZE_AHEAD', 'the list is not that long', { origin, field: 'size' });
  if (size === 0 || from > size) malformed('from_size', 'is not at most size');
  if (request.indexes.length > MAX_PROOF_INDEXES) malformed('indexes', `are more than ${MAX_PROOF_INDEXES}`);
  const nodes = engine.storage.logs.nodes(origin);
  const inclusion = [];
  for (const wanted of request.indexes) {
    const index = readSize(wanted, 'indexes');
    if (index >= size) malformed('indexes', 'are not below size');
    const plan = planInclusion(index, size);
    const path = foldPlan(engine.suite.sha256, plan, await nodes.load(plan));
    inclusion.push({ index: wanted, leafHash: await nodes.node(0, index), path: concat(...path) });
  }
  return {
    inclusion,
    consistency: from === 0 ? new Uint8Array() : await consistency(engine, origin, from, size),
  };
}

async function consistency(engine: Engine, origin: string, from: number, size: number): Promise<Uint8Array> {
  const plan = planConsistency(from, size);
  const read = await engine.storage.logs.nodes(origin).load(plan);
  return concat(...foldPlan(engine.suite.sha256, plan, read));
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

/** The present state of each list, then every change, and a heartbeat where nothing happens. */
async function* watch(
  engine: Engine,
  statements: Statements,
  request: WatchCheckpointsRequest,
  { caller, signal }: CallContext,
): AsyncGenerator<WatchCheckpointsResponse> {
  if (request.origins.length === 0 || request.origins.length > MAX_WATCHED)
    malformed('origins', `needs 1 to ${MAX_WATCHED}`);
  const watched = new Set(request.origins.map((origin) => parseOrigin(origin).text));
  for (const origin of watched) {
    caller.requireReadable(origin);
    engine.roots.of(origin);
  }
  const due = new Set(watched);
  let wake = (): void => {};
  const stop = engine.lists.onChange((origin) => {
    if (!watched.has(origin)) return;
    due.add(origin);
    wake();
  });
  const event = (checkpoint: CheckpointBundle | undefined): WatchCheckpointsResponse => ({
    checkpoint,
    serverTimeMs: BigInt(engine.clock.nowMs()),
    heartbeatMs: HEARTBEAT_MS,
  });
  try {
    while (!signal.aborted) {
      for (const origin of due) {
        due.delete(origin);
        if (caller.mayRead(origin)) yield event(statements.bundle(origin));
      }
      if (due.size === 0)
        await sleep(HEARTBEAT_MS, signal, (resolve) => {
          wake = resolve;
        });
      if (due.size === 0 && !signal.aborted) yield event(undefined);
    }
  } finally {
    stop();
  }
}

/** Resolves after `ms`, on abort, or when what `arm` was given is called. */
function sleep(ms: number, signal: AbortSignal, arm: (wake: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
    arm(end);
  });
}

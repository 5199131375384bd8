import type { GetPublishStateResponse, UploadEntriesRequest } from '../../proto/gen/hashfed/v1/publish.js';
import { PublishServiceService } from '../../proto/gen/hashfed/v1/publish_service.js';
import { concat, MAX_LEAF_BYTES, parseOrigin } from '../../sdk/core/index.js';
import type { Budgets, Caller, DirectoryKeeper } from '../access/index.js';
import {
  commitBatch,
  describe,
  type Engine,
  findBatch,
  openBatches,
  prepareBatch,
  receiveUpload,
  type Statements,
} from '../log/index.js';
import { type BoundService, bind } from '../shell/index.js';
import { Places } from './places.js';
import { withdrawalStatus } from './withdrawal.js';

const NO_SEAL = 2n ** 64n - 1n;
/** Prepared batches of one list that an answer names. */
const MAX_NAMED = 100;

/** Uploads of one member at once: each holds some megabytes until they are written. */
const MAX_UPLOADS = 4;

/** PublishService: thin, the engine decides. */
export function publishService(
  engine: Engine,
  statements: Statements,
  directory: DirectoryKeeper,
  budgets: Budgets,
): BoundService {
  const uploads = new Places(MAX_UPLOADS);
  return bind(PublishServiceService, {
    getPublishState: async ({ origin }, { caller }) => {
      caller.requirePublisherOf(parseOrigin(origin).text);
      engine.roots.settings(origin);
      return publishState(engine, statements, origin);
    },
    uploadEntries: (messages, { caller }) =>
      uploads.hold(caller.member, () => receiveUpload(engine, caller, metered(messages, caller, budgets))),
    prepareBatch: async (request, { caller, signal }) => ({
      batch: await prepareBatch(engine, caller, request, signal),
    }),
    commitBatch: (request, { caller, signal }) => commitBatch(engine, caller, request, signal),
    abortBatch: async ({ batch }, { caller }) => {
      const found = await findBatch(engine, batch);
      for (const { origin } of describe(found).ranges) caller.requirePublisherOf(origin);
      await engine.storage.prepared.hide(found.id);
      return {};
    },
    putPublisherRoot: async ({ envelope }, { caller }) => {
      const version = await engine.turns.run(() => engine.roots.put(caller, envelope));
      for (const origin of engine.roots.newest(caller.member)?.origins.keys() ?? [])
        engine.lists.changed(origin);
      return { version: BigInt(version) };
    },
    withdrawalStatus: (request, { caller }) => withdrawalStatus(engine, directory, caller, request),
    putLiveness: async ({ envelopes }, { caller }) => {
      await engine.turns.run(() => statements.putLiveness(caller, envelopes));
      return {};
    },
  });
}

async function publishState(
  engine: Engine,
  statements: Statements,
  origin: string,
): Promise<GetPublishStateResponse> {
  const list = engine.lists.get(origin);
  const seal = list?.state.head.seal;
  const size = BigInt(list?.head?.size ?? 0);
  const prepared = (await openBatches(engine))
    .map(describe)
    .filter(({ ranges }) => ranges.some((range) => range.origin === origin && range.from >= size));
  return {
    checkpoint: statements.bundle(origin),
    size,
    compactRange: concat(...(list?.head?.compactRange ?? [])),
    nextBatchNo: BigInt((seal?.batchNo ?? 0) + 1),
    lastSealIndex: seal === undefined ? NO_SEAL : BigInt(seal.index),
    prepared: prepared.slice(0, MAX_NAMED),
  };
}

/** What is uploaded costs budget before it is looked at: each entry, and at least each KiB. */
async function* metered(
  messages: AsyncIterable<UploadEntriesRequest>,
  { member }: Caller,
  budgets: Budgets,
): AsyncGenerator<UploadEntriesRequest> {
  for await (const message of messages) {
    budgets.spend(
      member,
      'upload',
      Math.max(message.count, Math.ceil(message.bundle.length / MAX_LEAF_BYTES)),
    );
    yield message;
  }
}

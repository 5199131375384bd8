import type {
  PreparedBatch,
  UploadEntriesRequest,
  UploadEntriesResponse,
} from '../../../proto/gen/hashfed/v1/publish.js';
import { checkBundle, equalBytes, HashfedError } from '../../../sdk/core/index.js';
import { callUnary, sendStream } from '../../../sdk/rpc/index.js';
import { PublishServiceService } from '../../../sdk/rpc/services/publish.js';
import { openBatch } from '../batch/index.js';
import { MAX_BUNDLE_LEAVES } from '../files/index.js';
import { COMMIT_MS, UPLOAD_MS } from './limits.js';
import type { Workstation } from './open.js';
import type { StagedList } from './stage.js';

/** Told how far an upload is: entries done, of all. */
export type OnUpload = (done: number, total: number) => void;

/** Uploads every list and has the server fix them as one batch, which must be what was staged here. */
export async function uploadAndPrepare(
  station: Workstation,
  batchFile: string,
  staged: readonly StagedList[],
  onUpload?: OnUpload,
): Promise<PreparedBatch> {
  const total = staged.reduce((sum, { range }) => sum + range.size - range.fromSize, 0);
  let done = 0;
  const { reader } = await openBatch(batchFile);
  const uploads: string[] = [];
  try {
    for (const list of staged) {
      const messages = uploadMessages(station, list, reader.bundles(), (count) => {
        done += count;
        onUpload?.(done, total);
      });
      uploads.push((await upload(station, list, messages)).upload);
    }
  } finally {
    await reader.close();
  }
  return prepare(station, uploads, staged);
}

async function upload(
  { channel, signal }: Workstation,
  list: StagedList,
  messages: AsyncIterable<UploadEntriesRequest>,
): Promise<UploadEntriesResponse> {
  const limits = { deadlineMs: UPLOAD_MS, signal };
  const answer = await sendStream(channel, PublishServiceService.uploadEntries, messages, limits);
  const same = answer.to === BigInt(list.range.size) && equalBytes(answer.entriesSha256, list.digest);
  if (!same)
    throw new HashfedError('ROOT_MISMATCH', 'the server received other entries than were sent', {
      origin: list.origin,
    });
  return answer;
}

async function* uploadMessages(
  { random }: Workstation,
  list: StagedList,
  bundles: AsyncIterable<Uint8Array>,
  onCount: (count: number) => void,
): AsyncGenerator<UploadEntriesRequest> {
  const requestId = random.bytes(16);
  let next = list.range.fromSize;
  for await (const bundle of entriesOf(list, bundles)) {
    const count = checkBundle(bundle, MAX_BUNDLE_LEAVES);
    yield { origin: list.origin, firstIndex: BigInt(next), count, bundle, requestId };
    next += count;
    onCount(count);
  }
}

/** The entries of a list as they are published: stamped, the SEAL last. */
export async function* entriesOf(
  list: StagedList,
  bundles: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  for await (const bundle of bundles) yield list.stamp(bundle);
  yield list.seal;
}

async function prepare(
  { channel, random, signal }: Workstation,
  uploads: readonly string[],
  staged: readonly StagedList[],
): Promise<PreparedBatch> {
  const items = uploads.map((name) => ({ upload: name, extends: '' }));
  const request = { requestId: random.bytes(16), items };
  const limits = { deadlineMs: COMMIT_MS, signal };
  const { batch } = await callUnary(channel, PublishServiceService.prepareBatch, request, limits);
  for (const list of staged) requirePrepared(batch, list);
  return batch!;
}

/** What the server fixed must be what was staged here: the signer signs our numbers, not the server's. */
function requirePrepared(batch: PreparedBatch | undefined, list: StagedList): void {
  const range = batch?.ranges.find(({ origin }) => origin === list.origin);
  const same =
    range !== undefined &&
    range.from === BigInt(list.range.fromSize) &&
    range.to === BigInt(list.range.size) &&
    equalBytes(range.root, list.tree.root()) &&
    equalBytes(range.entriesSha256, list.digest);
  if (!same)
    throw new HashfedError('ROOT_MISMATCH', 'the server prepared something else than was uploaded', {
      origin: list.origin,
    });
}

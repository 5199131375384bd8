import { rm } from 'node:fs/promises';
import type { SignedBatch, SigningRequest } from '../../../proto/gen/hashfed/v1/files.js';
import { SignerRole } from '../../../proto/gen/hashfed/v1/files.js';
import { checkBundle, equalBytes, HashfedError, toHex } from '../../../sdk/core/index.js';
import { callUnary, sendStream } from '../../../sdk/rpc/index.js';
import { PublishServiceService } from '../../../sdk/rpc/services/publish.js';
import { MAX_BUNDLE_LEAVES } from '../files/index.js';
import { digestFile, loadRecord, openRequest, recordDisk } from '../signer/index.js';
import { type CommittedList, commitSigned } from './commit.js';
import { keysAtHand, recordFile } from './key-ring.js';
import { COMMIT_MS, UPLOAD_MS } from './limits.js';
import type { Workstation } from './open.js';
import { markDone, type PendingBatch, pendingBatches } from './outbox.js';
import { signFile } from './publish.js';

/** A batch that an earlier, interrupted publication had signed and that is published now. */
export interface Resumed {
  readonly folder: string;
  readonly committed: readonly CommittedList[];
}

/**
 * Finishes what an interrupted publication left: where the sequencing key had signed, the batch MUST be committed
 * before another is signed, or the record and the list part for ever. What nothing was signed for is dropped.
 */
export async function resumePending(
  station: Workstation,
  passphrase: string | undefined,
): Promise<Resumed[]> {
  const resumed: Resumed[] = [];
  for (const pending of await pendingBatches(station.paths.outbox)) {
    const committed = await resumeOne(station, pending, passphrase);
    if (committed === undefined) await rm(pending.folder, { recursive: true, force: true });
    else resumed.push({ folder: pending.folder, committed });
  }
  return resumed;
}

async function resumeOne(
  station: Workstation,
  { folder, requests }: PendingBatch,
  passphrase: string | undefined,
): Promise<CommittedList[] | undefined> {
  const opened = await Promise.all(
    requests.map(async (file) => ({ file, request: await readRequest(file) })),
  );
  const list = opened.find(({ request }) => request.role === SignerRole.LIST);
  if (list === undefined || !(await wasSigned(station, list.file, list.request))) return undefined;
  const keys = await keysAtHand(station.paths.keys);
  const signed: SignedBatch[] = [];
  for (const { file, request } of opened) {
    const key = keys.find(({ stored }) => stored.public_key === toHex(request.key));
    if (key === undefined)
      throw new HashfedError('USAGE', `a key that ${folder} needs is not at hand any more`, {
        field: 'keys_dir',
      });
    signed.push(await signFile(station, key, file, passphrase));
  }
  const committed = await commitAgain(station, list.file, list.request, signed, passphrase);
  await markDone(folder, committed);
  return committed;
}

async function readRequest(file: string): Promise<SigningRequest> {
  const { request, reader } = await openRequest(file);
  await reader.close();
  return request;
}

/** True where the key's newest signature was for exactly this request. */
async function wasSigned({ paths }: Workstation, file: string, request: SigningRequest): Promise<boolean> {
  const record = await loadRecord(recordDisk, await recordFile(paths.records, request.key), request.key);
  return record !== undefined && equalBytes(record.lastRequestSha256, await digestFile(file));
}

/** Commits; where the server lost the prepared bytes, it gets them again from the request. */
async function commitAgain(
  station: Workstation,
  file: string,
  request: SigningRequest,
  signed: readonly SignedBatch[],
  passphrase: string | undefined,
): Promise<CommittedList[]> {
  try {
    return await commitSigned(station, request.batch, signed, passphrase);
  } catch (error) {
    if (!(error instanceof HashfedError) || error.code !== 'NOT_FOUND') throw error;
    return commitSigned(station, await uploadAgain(station, file), signed, passphrase);
  }
}

/** Uploads the entries of a sequencing key's request and has them prepared. Answers the batch's name. */
async function uploadAgain(station: Workstation, file: string): Promise<string> {
  const { channel, random, signal } = station;
  const { request, reader } = await openRequest(file);
  const items: { upload: string; extends: string }[] = [];
  try {
    for (const { origin, from } of request.ranges) {
      const messages = uploadOf(origin, from, reader.bundles(), random.bytes(16));
      const limits = { deadlineMs: UPLOAD_MS, signal };
      const { upload } = await sendStream(channel, PublishServiceService.uploadEntries, messages, limits);
      items.push({ upload, extends: '' });
    }
  } finally {
    await reader.close();
  }
  const { batch } = await callUnary(
    channel,
    PublishServiceService.prepareBatch,
    { requestId: random.bytes(16), items },
    { deadlineMs: COMMIT_MS, signal },
  );
  return batch?.name ?? '';
}

async function* uploadOf(
  origin: string,
  from: bigint,
  bundles: AsyncIterable<Uint8Array>,
  requestId: Uint8Array,
) {
  let firstIndex = from;
  for await (const bundle of bundles) {
    const count = checkBundle(bundle, MAX_BUNDLE_LEAVES);
    yield { origin, firstIndex, count, bundle, requestId };
    firstIndex += BigInt(count);
  }
}

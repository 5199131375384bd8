import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { SigningRequest } from '../../../proto/gen/hashfed/v1/files.js';
import { keysFor, toHex, verifyNote } from '../../../sdk/core/index.js';
import { openBatch } from '../batch/index.js';
import { signedSizes } from './key-ring.js';
import type { Workstation } from './open.js';
import { requestName } from './outbox.js';
import { describe, type ListOutcome } from './publish.js';
import { type OnEntries, pullReplica, type Replica } from './replica.js';
import { type Asked, writeRequest } from './requests.js';
import { type StagedList, stageBatch } from './stage.js';
import { uploadAndPrepare } from './upload.js';

export interface PrepareJob {
  readonly batchFile: string;
  /** May list again what was withdrawn as wrong; that always needs two keys. */
  readonly readd: boolean;
  /** Where the requests are written. */
  readonly folder: string;
  readonly onPull?: OnEntries;
  readonly onUpload?: OnEntries;
}

/** A request that was written, and whom it asks. */
export interface WrittenRequest {
  readonly role: 'list' | 'approve';
  /** Name that an approve key cosigns under; empty for the sequencing key. */
  readonly name: string;
  readonly file: string;
  readonly request: SigningRequest;
}

export interface PrepareOutcome {
  /** Resource name of the prepared batch. */
  readonly batch: string;
  readonly publishId: Uint8Array;
  readonly lists: readonly ListOutcome[];
  readonly twoKeys: boolean;
  readonly requests: readonly WrittenRequest[];
}

/**
 * The online half of the ceremony: verifies our lists, has the server prepare the batch, and writes one signing
 * request a key. An approve key's request begins at its record, where that lies here, else at the last note it signed.
 */
export async function prepareForSigning(station: Workstation, job: PrepareJob): Promise<PrepareOutcome> {
  const { batch, reader } = await openBatch(job.batchFile);
  await reader.close();
  const approvers = await approveRecords(station);
  const replicas = new Map<string, Replica>();
  for (const { origin } of batch.lists) {
    const sizes = approvers.map((one) => one.sizes.get(origin) ?? 0);
    replicas.set(origin, await pullReplica(station, origin, sizes, job.onPull));
  }
  const staged = await stageBatch(station, job.batchFile, replicas, job.readd);
  try {
    const prepared = await uploadAndPrepare(station, job.batchFile, staged, job.onUpload);
    await mkdir(job.folder, { recursive: true, mode: 0o700 });
    const twoKeys = staged.some((list) => list.twoKeys);
    const requests = await writeRequests(station, job, staged, prepared.name, approvers);
    return {
      batch: prepared.name,
      publishId: batch.publishId,
      lists: staged.map(describe),
      twoKeys,
      requests,
    };
  } finally {
    for (const { staging } of staged) staging.discard();
  }
}

interface Approver {
  readonly publicKey: Uint8Array;
  readonly name: string;
  readonly sizes: ReadonlyMap<string, number>;
}

async function approveRecords({ paths, root }: Workstation): Promise<Approver[]> {
  const approvers: Approver[] = [];
  for (const { key, name } of root.roles.approve.keys)
    approvers.push({ publicKey: key, name, sizes: await signedSizes(paths.records, key) });
  return approvers;
}

async function writeRequests(
  station: Workstation,
  { batchFile, folder }: PrepareJob,
  staged: readonly StagedList[],
  prepared: string,
  approvers: readonly Approver[],
): Promise<WrittenRequest[]> {
  const written: WrittenRequest[] = [];
  const write = async (asked: Asked, name: string): Promise<void> => {
    const requestFile = join(folder, requestName(asked.role, toHex(asked.publicKey)));
    const request = await writeRequest(station, { batchFile, prepared, staged, asked, requestFile });
    written.push({ role: asked.role, name, file: requestFile, request });
  };
  const sequencing = station.root.origins.get(staged[0]!.origin)!.sequencingKey.key;
  await write({ role: 'list', publicKey: sequencing, sizes: new Map() }, '');
  for (const approver of approvers)
    await write(
      { role: 'approve', publicKey: approver.publicKey, sizes: startSizes(station, staged, approver) },
      approver.name,
    );
  return written;
}

/** Where there is no record of the key here: the anchor, where its line stands on it; else the start. */
function startSizes(
  station: Workstation,
  staged: readonly StagedList[],
  approver: Approver,
): Map<string, number> {
  const sizes = new Map(approver.sizes);
  if (sizes.size > 0) return sizes;
  for (const { origin, replica } of staged) {
    const { anchor } = replica;
    if (anchor === undefined) continue;
    const key = keysFor(station.root, origin).approve.find(({ name }) => name === approver.name);
    const signed = key !== undefined && verifyNote(station.suite, anchor.note, [key]).verified.length > 0;
    if (signed) sizes.set(origin, anchor.size);
  }
  return sizes;
}

import { createHash } from 'node:crypto';
import { Purpose } from '../../../proto/gen/hashfed/v1/enums.js';
import { SignerRole, type SigningRange, SigningRequest } from '../../../proto/gen/hashfed/v1/files.js';
import type { ChangeCounts } from '../../../proto/gen/hashfed/v1/publish.js';
import {
  type AnchorCounts,
  concat,
  HashfedError,
  type PurposeName,
  settingsOf,
} from '../../../sdk/core/index.js';
import { openBatch } from '../batch/index.js';
import { FramedWriter, REQUEST_FILE } from '../files/index.js';
import type { Workstation } from './open.js';
import { pullEntries } from './pull.js';
import type { StagedList } from './stage.js';
import { entriesOf } from './upload.js';

const PURPOSES: Record<PurposeName, Purpose> = {
  listed: Purpose.LISTED,
  'known-good': Purpose.KNOWN_GOOD,
  test: Purpose.TEST,
  events: Purpose.EVENTS,
};

/** Who is asked, and what that key signed last: where each range begins. */
export interface Asked {
  readonly role: 'list' | 'approve';
  readonly publicKey: Uint8Array;
  /** By origin: size of the key's last record; lists it never signed are left out. */
  readonly sizes: ReadonlyMap<string, number>;
}

export interface RequestJob {
  readonly batchFile: string;
  /** Resource name of the prepared batch. */
  readonly prepared: string;
  readonly staged: readonly StagedList[];
  readonly asked: Asked;
  readonly requestFile: string;
}

/** Entries that an approve key has not seen yet begin at its last record; for the sequencing key at the head. */
function startOf({ asked }: RequestJob, list: StagedList): number {
  return asked.role === 'list' ? list.range.fromSize : (asked.sizes.get(list.origin) ?? 0);
}

/**
 * Writes a signing request: all that the key's owner needs to recompute and judge, offline. Throws SIGNER_BEHIND where
 * the key's record is not on the way to this batch, STORAGE_FAILED.
 */
export async function writeRequest(station: Workstation, job: RequestJob): Promise<SigningRequest> {
  const ranges: SigningRange[] = [];
  for (const list of job.staged) ranges.push(await describeRange(station, job, list));
  const request: SigningRequest = {
    formatVersion: 1,
    requestId: station.random.bytes(16),
    createdMs: BigInt(station.clock.nowMs()),
    role: job.asked.role === 'list' ? SignerRole.LIST : SignerRole.APPROVE,
    key: job.asked.publicKey,
    root: station.rootEnvelope,
    batch: job.prepared,
    ranges,
  };
  const writer = await FramedWriter.create(
    job.requestFile,
    REQUEST_FILE,
    SigningRequest.encode(request).finish(),
  );
  const { reader } = await openBatch(job.batchFile);
  try {
    for (const list of job.staged) {
      for await (const { bundle } of pullSince(station, job, list)) await writer.bundle(bundle);
      for await (const bundle of entriesOf(list, reader.bundles())) await writer.bundle(bundle);
      await writer.endList();
    }
    await writer.finish();
  } catch (error) {
    await writer.abort();
    throw error;
  } finally {
    await reader.close();
  }
  return request;
}

function pullSince(station: Workstation, job: RequestJob, list: StagedList): ReturnType<typeof pullEntries> {
  return pullEntries(station, list.origin, startOf(job, list), list.range.fromSize);
}

async function describeRange(station: Workstation, job: RequestJob, list: StagedList): Promise<SigningRange> {
  const { origin, range, replica, sinceAnchor } = list;
  const from = startOf(job, list);
  const start = from === range.fromSize ? replica.tree : replica.at.get(from);
  if (start === undefined) {
    const why = `the approve key signed last at size ${from}, which the list never had`;
    throw new HashfedError('SIGNER_BEHIND', why, { origin });
  }
  const setCount = range.head.seal?.setCount ?? 0;
  const counts = describeCounts(range.countsSince(from), setCount);
  return {
    origin,
    from: BigInt(from),
    fromNote: fromNote(list, from),
    compactRange: concat(...start.hashes),
    to: BigInt(range.size),
    root: list.tree.root(),
    entriesSha256: await digestSince(station, job, list),
    counts,
    sinceAnchor: sinceAnchor === undefined ? counts : describeCounts(sinceAnchor, setCount),
    oneKey: oneKeyRuns(list, from),
    purpose: PURPOSES[settingsOf(station.root, origin).purpose],
    note: new Uint8Array(),
    anchorSetCount: BigInt(sinceAnchor?.anchorSetCount ?? 0),
  };
}

/** The note at `from`, where it is one that the server still serves; the record decides, the note is for people. */
function fromNote({ replica: { checkpoint, anchor } }: StagedList, from: number): Uint8Array {
  return [checkpoint, anchor].find((one) => one?.size === from)?.note ?? new Uint8Array();
}

/** What one key alone committed since, marked for the approver. */
function oneKeyRuns({ replica, range }: StagedList, from: number): SigningRange['oneKey'] {
  const start = Math.max(from, replica.anchor?.size ?? 0);
  return start < range.fromSize ? [{ from: BigInt(start), to: BigInt(range.fromSize) }] : [];
}

async function digestSince(station: Workstation, job: RequestJob, list: StagedList): Promise<Uint8Array> {
  if (startOf(job, list) === list.range.fromSize) return list.digest;
  const digest = createHash('sha256');
  for await (const { bundle } of pullSince(station, job, list)) digest.update(bundle);
  const { reader, batch } = await openBatch(job.batchFile);
  try {
    for (const { origin } of batch.lists) {
      for await (const bundle of reader.bundles())
        if (origin === list.origin) digest.update(list.stamp(bundle));
    }
  } finally {
    await reader.close();
  }
  digest.update(list.seal);
  return new Uint8Array(digest.digest());
}

function describeCounts(counts: AnchorCounts, setCount: number): ChangeCounts {
  return {
    added: BigInt(counts.added),
    amended: BigInt(counts.amended),
    withdrawn: BigInt(counts.withdrawn),
    withdrawnOlder: BigInt(counts.withdrawnOld),
    holds: BigInt(counts.holds),
    heldOlder: BigInt(counts.heldOld),
    setCount: BigInt(setCount),
  };
}

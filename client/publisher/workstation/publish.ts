import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SignedBatch } from '../../../proto/gen/hashfed/v1/files.js';
import { fromHex, HashfedError, toHex } from '../../../sdk/core/index.js';
import { openBatch } from '../batch/index.js';
import type { SecretKey } from '../keys/index.js';
import { parseSigned, recordDisk, signRequest } from '../signer/index.js';
import { type CommittedList, commitSigned } from './commit.js';
import { type KeyAtHand, keysAtHand, openKey, recordFile, signedSizes, usableKeys } from './key-ring.js';
import { PREPARE_ATTEMPTS } from './limits.js';
import type { Workstation } from './open.js';
import { markDone, requestName } from './outbox.js';
import { type OnEntries, pullReplica, type Replica } from './replica.js';
import { type Asked, writeRequest } from './requests.js';
import { type StagedList, stageBatch } from './stage.js';
import { uploadAndPrepare } from './upload.js';

export interface PublishJob {
  readonly batchFile: string;
  /** May list again what was withdrawn as wrong; that always needs two keys. */
  readonly readd: boolean;
  readonly passphrase: string | undefined;
  /** Sequencing key alone, even where the approve key is at hand. */
  readonly oneKey: boolean;
  /** Stage and count, then stop. */
  readonly dryRun: boolean;
  /** Own lists that were pulled a moment ago; those that do not fit are pulled again. */
  readonly replicas?: ReadonlyMap<string, Replica>;
  readonly onPull?: OnEntries;
  readonly onUpload?: OnEntries;
}

/** What a batch does to one list. */
export interface ListOutcome {
  readonly origin: string;
  readonly from: number;
  readonly to: number;
  readonly root: Uint8Array;
  readonly batchNo: number;
  readonly added: number;
  readonly amended: number;
  readonly withdrawn: number;
  readonly holds: number;
  /** Records in the set afterwards. */
  readonly setCount: number;
  readonly twoKeysNeeded: boolean;
}

export interface PublishOutcome {
  readonly publishId: Uint8Array;
  readonly lists: readonly ListOutcome[];
  /** Empty after a dry run. */
  readonly committed: readonly CommittedList[];
  readonly keysUsed: readonly string[];
  /** Folder with requests and signed files; undefined after a dry run. */
  readonly folder: string | undefined;
}

/**
 * All steps of publishing at once, where the keys are at hand: verify our own lists, stage, upload, have it prepared,
 * sign (two keys where one may not do it alone), commit. A list that moved on meanwhile is prepared again.
 * Throws THRESHOLD_NOT_MET before anything is signed where a second key is needed and not there.
 */
export async function publishBatch(station: Workstation, job: PublishJob): Promise<PublishOutcome> {
  const keys = await keysAtHand(station.paths.keys);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await publishOnce(station, attempt === 1 ? job : { ...job, replicas: new Map() }, keys);
    } catch (error) {
      const moved = error instanceof HashfedError && error.code === 'OLD_SIZE_MISMATCH';
      if (!moved || attempt >= PREPARE_ATTEMPTS) throw error;
    }
  }
}

async function publishOnce(
  station: Workstation,
  job: PublishJob,
  keys: readonly KeyAtHand[],
): Promise<PublishOutcome> {
  const approvers = await approversOf(station, keys);
  const { publishId, replicas } = await replicasFor(station, job, approvers);
  const staged = await stageBatch(station, job.batchFile, replicas, job.readd);
  try {
    const lists = staged.map(describe);
    if (job.dryRun) return { publishId, lists, committed: [], keysUsed: [], folder: undefined };
    const signers = requireKeys(station, job, keys, approvers, staged);
    const prepared = await uploadAndPrepare(station, job.batchFile, staged, job.onUpload);
    const folder = join(station.paths.outbox, toHex(publishId));
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const signed = await signAll(station, job, { folder, prepared: prepared.name, staged, signers });
    const committed = await commitSigned(station, prepared.name, signed, job.passphrase);
    await markDone(folder, committed);
    return { publishId, lists, committed, keysUsed: signers.map(({ key }) => key.stored.role), folder };
  } finally {
    for (const { staging } of staged) staging.discard();
  }
}

/** A key that is asked, and where its requests begin. */
interface Signer {
  readonly key: KeyAtHand;
  readonly sizes: ReadonlyMap<string, number>;
}

async function approversOf({ paths, root }: Workstation, keys: readonly KeyAtHand[]): Promise<Signer[]> {
  const approvers: Signer[] = [];
  for (const key of usableKeys(keys, root, 'approve'))
    approvers.push({ key, sizes: await signedSizes(paths.records, fromHex(key.stored.public_key)) });
  return approvers;
}

/** Every list of the batch, replayed and verified, with the tree at each approve key's last record. */
async function replicasFor(
  station: Workstation,
  job: PublishJob,
  approvers: readonly Signer[],
): Promise<{ publishId: Uint8Array; replicas: Map<string, Replica> }> {
  const { batch, reader } = await openBatch(job.batchFile);
  await reader.close();
  const replicas = new Map<string, Replica>();
  for (const { origin } of batch.lists) {
    const sizes = approvers.map((one) => one.sizes.get(origin) ?? 0);
    const given = job.replicas?.get(origin);
    const fits = given !== undefined && sizes.every((size) => size === given.tree.size || given.at.has(size));
    replicas.set(origin, fits ? given : await pullReplica(station, origin, sizes, job.onPull));
  }
  return { publishId: batch.publishId, replicas };
}

/** Own lists, replayed and verified, as `publishBatch` can use them again. */
export async function pullOwnLists(
  station: Workstation,
  origins: Iterable<string>,
  onPull?: OnEntries,
): Promise<Map<string, Replica>> {
  const approvers = await approversOf(station, await keysAtHand(station.paths.keys));
  const replicas = new Map<string, Replica>();
  for (const origin of origins) {
    const sizes = approvers.map((one) => one.sizes.get(origin) ?? 0);
    replicas.set(origin, await pullReplica(station, origin, sizes, onPull));
  }
  return replicas;
}

/** Who signs: the sequencing key of the lists, and approve keys where one key may not do it alone. */
function requireKeys(
  { root }: Workstation,
  job: PublishJob,
  keys: readonly KeyAtHand[],
  approvers: readonly Signer[],
  staged: readonly StagedList[],
): Signer[] {
  const list = usableKeys(keys, root, 'list').find(({ stored }) =>
    staged.every(({ origin }) => toHex(root.origins.get(origin)!.sequencingKey.key) === stored.public_key),
  );
  if (list === undefined)
    throw new HashfedError(
      'USAGE',
      'the sequencing key of these lists is not at hand; use hashfed batch prepare',
      {
        field: 'keys_dir',
      },
    );
  const over = staged.find(({ twoKeys }) => twoKeys);
  if (over === undefined) return [{ key: list, sizes: new Map() }];
  const needed = root.roles.approve.threshold;
  if (job.oneKey || approvers.length < needed) {
    const why =
      'this change needs a second key; another person countersigns it with hashfed batch countersign';
    throw new HashfedError('THRESHOLD_NOT_MET', why, { origin: over.origin });
  }
  return [{ key: list, sizes: new Map() }, ...approvers.slice(0, needed)];
}

interface SigningJob {
  readonly folder: string;
  readonly prepared: string;
  readonly staged: readonly StagedList[];
  readonly signers: readonly Signer[];
}

/** All requests are written before anything is signed, so that an interrupted publication can always be finished. */
async function signAll(station: Workstation, job: PublishJob, work: SigningJob): Promise<SignedBatch[]> {
  const files: string[] = [];
  for (const { key, sizes } of work.signers) {
    const role = key.stored.role as 'list' | 'approve';
    const requestFile = join(work.folder, requestName(role, key.stored.public_key));
    const asked: Asked = { role, publicKey: fromHex(key.stored.public_key), sizes };
    await writeRequest(station, { batchFile: job.batchFile, ...work, asked, requestFile });
    files.push(requestFile);
  }
  const signed: SignedBatch[] = [];
  for (const [i, { key }] of work.signers.entries())
    signed.push(await signFile(station, key, files[i]!, job.passphrase));
  return signed;
}

/** Signs a request with a key at hand; what it released is written beside the request. */
export async function signFile(
  station: Workstation,
  key: KeyAtHand,
  requestFile: string,
  passphrase: string | undefined,
): Promise<SignedBatch> {
  const role = key.stored.role as 'list' | 'approve';
  const secret = await openKey(key, role, station.suite.ed25519, passphrase);
  const bytes = await signWith(station, secret, requestFile);
  await writeFile(requestFile.replace(/\.hfrequest$/, '.hfsigned'), bytes, { mode: 0o600 });
  return parseSigned(bytes);
}

/** Signs a request file with a key and its record. Throws as `signRequest`. */
export async function signWith(
  { suite, clock, paths }: Pick<Workstation, 'suite' | 'clock' | 'paths'>,
  key: SecretKey,
  requestFile: string,
): Promise<Uint8Array> {
  const file = await recordFile(paths.records, key.publicKey);
  return signRequest({ suite, clock, disk: recordDisk, recordFile: file }, key, requestFile);
}

export function describe(list: StagedList): ListOutcome {
  const { range, origin, tree, twoKeys } = list;
  const counts = range.countsSince(range.fromSize);
  return {
    origin,
    from: range.fromSize,
    to: range.size,
    root: tree.root(),
    batchNo: range.head.seal?.batchNo ?? 0,
    added: counts.added,
    amended: counts.amended,
    withdrawn: counts.withdrawn,
    holds: counts.holds,
    setCount: range.head.seal?.setCount ?? 0,
    twoKeysNeeded: twoKeys,
  };
}

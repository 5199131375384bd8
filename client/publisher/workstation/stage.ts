import { createHash } from 'node:crypto';
import type { BatchList } from '../../../proto/gen/hashfed/v1/files.js';
import {
  ADD_HASH_AT,
  type AnchorCounts,
  COMMON_BYTES,
  type CompactRange,
  checkBundle,
  checkTail,
  encodeBundle,
  encodeLeaf,
  equalBytes,
  FLAG_READD,
  HashfedError,
  LEAF_KIND,
  malformed,
  readU16,
  type StagedRange,
  type Staging,
  settingsOf,
  writeU64,
} from '../../../sdk/core/index.js';
import { openBatch } from '../batch/index.js';
import { MAX_BUNDLE_LEAVES } from '../files/index.js';
import type { Workstation } from './open.js';
import type { Replica } from './replica.js';
import { addedHash } from './withdrawn.js';

/** Offsets within a leaf. */
const FLAGS_AT = 2;
const TIME_AT = 3;

/** One list of a batch, applied to a fork of our replica and sealed. MUST be discarded. */
export interface StagedList {
  readonly origin: string;
  readonly replica: Replica;
  readonly staging: Staging;
  readonly range: StagedRange;
  readonly tree: CompactRange;
  /** Time and flags written into the entries of the batch file. */
  readonly stamp: Stamp;
  /** The bundle that closes it: the SEAL alone. */
  readonly seal: Uint8Array;
  /** SHA-256 of the `(u16 length | leaf)*` bytes, the SEAL included. */
  readonly digest: Uint8Array;
  /** Counts above the anchor; undefined while there is none. */
  readonly sinceAnchor: AnchorCounts | undefined;
  readonly twoKeys: boolean;
}

/** Makes the entries of a batch file the entries that are published. */
export type Stamp = (bundle: Uint8Array) => Uint8Array;

/**
 * In a copy: the time of publication, since the batch may have been made before the list's newest entry; and the
 * re-add flag where `readd` says that the hash was withdrawn as wrong.
 */
export function stampWith(timeMs: number, readd: (hash: Uint8Array) => boolean): Stamp {
  return (bundle) => {
    const out = bundle.slice();
    for (let at = 0; at < out.length; at += 2 + readU16(out, at)) {
      const length = readU16(out, at);
      if (length < COMMON_BYTES) malformed('batch file', 'holds an entry that is no entry');
      writeU64(out, at + 2 + TIME_AT, timeMs);
      const isAdd = out[at + 3] === LEAF_KIND.ADD && length > ADD_HASH_AT;
      if (isAdd) out[at + 2 + FLAGS_AT] = readd(addedHash(out, at + 2)) ? FLAG_READD : 0;
    }
    return out;
  };
}

/**
 * Applies every list of a batch file to its replica. Throws what the server would refuse, with the number of the entry:
 * TARGET_ABSENT, DUPLICATE_RECORD, ANOMALOUS_ENTRY; and ROOT_MISMATCH for a damaged batch file.
 */
export async function stageBatch(
  station: Workstation,
  batchFile: string,
  replicas: ReadonlyMap<string, Replica>,
  readd: boolean,
): Promise<StagedList[]> {
  const { batch, reader } = await openBatch(batchFile);
  const staged: StagedList[] = [];
  try {
    for (const list of batch.lists) {
      const replica = replicas.get(list.origin)!;
      const meant = { list, readd, publishId: batch.publishId };
      staged.push(await stageList(station, replica, meant, reader.bundles()));
    }
    await reader.end();
    return staged;
  } catch (error) {
    for (const { staging } of staged) staging.discard();
    throw error;
  } finally {
    await reader.close();
  }
}

/** One list of the batch file, and whether it may list again what was withdrawn as wrong. */
interface MeantList {
  readonly list: BatchList;
  readonly readd: boolean;
  readonly publishId: Uint8Array;
}

async function stageList(
  station: Workstation,
  replica: Replica,
  { list, readd, publishId }: MeantList,
  bundles: AsyncIterable<Uint8Array>,
): Promise<StagedList> {
  const { origin, state } = replica;
  const { sha256 } = station.suite;
  const timeMs = Math.max(station.clock.nowMs(), state.chain.maxTimeMs);
  let wrong = 0;
  const stamp = stampWith(timeMs, (hash) => {
    const was = station.withdrawn.has(origin, hash);
    if (was) wrong += 1;
    return was;
  });
  const staging = state.stage();
  const tree = replica.tree.clone();
  const digest = createHash('sha256');
  const take = (bundle: Uint8Array, count: number): void => {
    staging.append(bundle, staging.next);
    tree.append(sha256.hashLeaves(bundle, count));
    digest.update(bundle);
  };
  try {
    await readList(list, bundles, (bundle, count) => take(stamp(bundle), count));
    if (wrong > 0 && !readd) refuseWrong(wrong, origin);
    refuseAnomalies(staging, state.size, origin);
    const seal = encodeBundle([encodeLeaf(staging.planSeal(timeMs, publishId))]);
    take(seal, 1);
    const range = staging.finish();
    refuseDuplicates(range, origin);
    const sinceAnchor = replica.anchor === undefined ? undefined : range.countsSince(replica.anchor.size);
    const twoKeys = needsTwoKeys(station, origin, sinceAnchor);
    const sha = new Uint8Array(digest.digest());
    return { origin, replica, staging, range, tree, stamp, seal, digest: sha, sinceAnchor, twoKeys };
  } catch (error) {
    staging.discard();
    throw error;
  }
}

/** Hands on every bundle of a list as it stands in the file, and checks that the file is what its message says. */
async function readList(
  list: BatchList,
  bundles: AsyncIterable<Uint8Array>,
  take: (bundle: Uint8Array, count: number) => void,
): Promise<void> {
  const digest = createHash('sha256');
  let count = 0;
  for await (const bundle of bundles) {
    const inside = checkBundle(bundle, MAX_BUNDLE_LEAVES);
    digest.update(bundle);
    count += inside;
    take(bundle, inside);
  }
  if (BigInt(count) !== list.count || !equalBytes(new Uint8Array(digest.digest()), list.entriesSha256)) {
    throw new HashfedError('ROOT_MISMATCH', 'the batch file was changed after it was made', {
      origin: list.origin,
    });
  }
}

function refuseWrong(count: number, origin: string): never {
  const why = `${count} hashes were withdrawn as wrong or not illegal before; --readd lists them again, with two keys`;
  throw new HashfedError('DUPLICATE_RECORD', why, { origin, field: 'readd' });
}

function refuseAnomalies({ replay }: Staging, size: number, origin: string): void {
  const first = replay.anomalies.first[0];
  if (first === undefined) return;
  const nth = first.index - size + 1;
  const detail = { origin, field: `entries[${first.index}]` };
  if (first.reason === 'dead_target')
    throw new HashfedError('TARGET_ABSENT', `entry ${nth} names a record that is no longer listed`, detail);
  throw new HashfedError('ANOMALOUS_ENTRY', `entry ${nth} is not one that this list can hold`, detail);
}

function refuseDuplicates(range: StagedRange, origin: string): void {
  const duplicates = range.duplicates();
  if (duplicates.length === 0) return;
  const why = `${duplicates.length} entries repeat a hash that is listed already under the same item`;
  throw new HashfedError('DUPLICATE_RECORD', why, { origin, field: `entries[${duplicates[0]}]` });
}

/** True where the limit for one key is passed; always without an anchor. */
function needsTwoKeys({ root }: Workstation, origin: string, since: AnchorCounts | undefined): boolean {
  if (since === undefined) return true;
  try {
    checkTail(settingsOf(root, origin), since);
    return false;
  } catch (error) {
    if (error instanceof HashfedError && error.code === 'THRESHOLD_NOT_MET') return true;
    throw error;
  }
}

import { lstat } from 'node:fs/promises';
import {
  type CheckedFile,
  type FileCheck,
  type Hashfed,
  type InventoryEntry,
  type ObjectHashes,
  objectOf,
  type Pipeline,
  type Rescan,
  type Verdict,
} from '../../sdk/index.js';
import { isMatch } from './hoster-shared.js';
import { join, showPath, type Walked, walk } from './scan-walk.js';

/**
 * What a scan counted. Every file is in exactly one of `files`, `empty`, `unreadable` and `vanished`; so is each folder
 * that could not be listed, in one of the last two.
 */
export interface ScanCounts {
  /** Hashed and checked. */
  files: number;
  bytes: number;
  matches: number;
  blocked: number;
  held: number;
  tested: number;
  /** Matched a list in its observation hours: counted, and nothing is held or blocked. */
  observed: number;
  /** Matched, and policy or a veto lets it pass. */
  allowed: number;
  /** Without content: nothing to check. */
  empty: number;
  /** Links, devices and excluded names. */
  skipped: number;
  unreadable: number;
  /** Gone before it was read. */
  vanished: number;
  /** Of `files`: not read again, since size, time and inode are those in the inventory. */
  unchanged: number;
  /** Of `files`: in a folder that cannot be listed now, and matched by the hashes of the last scan. */
  kept: number;
  /** Bytes of what is unreadable, as far as the system says. */
  unreadable_bytes: number;
}

export const NO_COUNTS: Readonly<ScanCounts> = {
  files: 0,
  bytes: 0,
  matches: 0,
  blocked: 0,
  held: 0,
  tested: 0,
  observed: 0,
  allowed: 0,
  empty: 0,
  skipped: 0,
  unreadable: 0,
  vanished: 0,
  unchanged: 0,
  kept: 0,
  unreadable_bytes: 0,
};

export interface ScanJob {
  readonly hashfed: Hashfed;
  /** Reads, hashes and judges. */
  readonly pipeline: Pipeline;
  /** What is known of the folder; absent: everything is read, and nothing is kept. */
  readonly rescan?: Rescan;
  /** Awaited before each file: the hours in which it may run. */
  readonly open?: () => Promise<void>;
  readonly folder: string;
  readonly exclude: ReadonlySet<string>;
  /** Files read at the same time, which bounds memory. */
  readonly jobs: number;
  readonly after?: Buffer;
  readonly signal: AbortSignal;
  onMatch(path: string, verdict: Verdict): void;
  onUnreadable(path: string, reason: string): void;
  /** After each file, in order: everything up to `relative` is done. */
  onDone(relative: Buffer): Promise<void>;
}

type Outcome =
  | {
      readonly kind: 'checked';
      readonly bytes: number;
      readonly verdict: Verdict;
      readonly entry: InventoryEntry;
      readonly unchanged: boolean;
    }
  | { readonly kind: 'empty' | 'vanished' | 'aborted' }
  | { readonly kind: 'skipped' | 'unreadable'; readonly reason: string; readonly bytes?: number };

interface InFlight {
  readonly at: Walked;
  readonly outcome: Promise<Outcome>;
}

/** Longer paths are checked and not kept (sdk/inventory). */
const MAX_REF_BYTES = 4096;

const TALLY = { block: 'blocked', hold: 'held', test: 'tested', allow: 'allowed' } as const;

/** Scans until everything is done or the signal aborts; answers whether it got to the end. */
export async function runScan(job: ScanJob, counts: ScanCounts): Promise<boolean> {
  const flying: InFlight[] = [];
  const { exclude, after, signal } = job;
  const root = Buffer.from(job.folder);
  const finish = async (): Promise<boolean> => {
    const { at, outcome } = flying.shift()!;
    return settle(job, counts, at, await outcome);
  };
  for await (const at of walk(root, { exclude, ...(after && { after }) })) {
    await job.open?.();
    if (signal.aborted) break;
    if (at.kind === 'unreadable') {
      while (flying.length > 0 && (await finish()));
      if (signal.aborted || !(await keep(job, counts, at))) break;
    }
    const known = at.kind === 'file' ? await job.rescan?.find(at.relative) : undefined;
    const outcome = look(job, at, known);
    // Awaited in turn: until then a failure must not count as one that nobody handles.
    outcome.catch(() => {});
    flying.push({ at, outcome });
    if (flying.length >= job.jobs && !(await finish())) break;
  }
  while (flying.length > 0) if (!(await finish())) break;
  await Promise.all(flying.map(({ outcome }) => outcome));
  return !signal.aborted;
}

/**
 * Unreadable is not deleted: what is known below such a folder stays in the inventory, with a verdict of today's lists.
 * False once the scan was aborted.
 */
async function keep(job: ScanJob, counts: ScanCounts, { relative }: Walked): Promise<boolean> {
  const root = Buffer.from(job.folder);
  for await (const entry of job.rescan?.below(relative) ?? []) {
    if (job.signal.aborted) return false;
    const ref = Buffer.from(entry.ref);
    const at: Walked = { kind: 'file', path: join(root, ref), relative: ref };
    const outcome = await lookAgain(job, at, entry);
    if (outcome.kind === 'checked') countChecked(job, counts, at, { ...outcome, unchanged: false });
    if (outcome.kind === 'checked') counts.kept += 1;
    await job.rescan?.add(entry);
  }
  return true;
}

async function look(job: ScanJob, at: Walked, known: InventoryEntry | undefined): Promise<Outcome> {
  if (at.kind !== 'file') return { kind: at.kind, reason: at.reason ?? at.kind };
  try {
    if (known !== undefined && (await isSame(job.hashfed, at.path, known)))
      return await lookAgain(job, at, known);
    const outcome = await checkTwice(job, at);
    return outcome.status === 'checked' ? checked(at, outcome) : await refused(at, outcome);
  } catch (error) {
    if (job.signal.aborted) return { kind: 'aborted' };
    throw error;
  }
}

/** As it was when it was hashed, with every hash that is asked for now. */
async function isSame(hashfed: Hashfed, path: Buffer, known: InventoryEntry): Promise<boolean> {
  if (hashfed.wanted().pdq && !(known.perceptual && hasTurned(hashfed, known))) return false;
  const found = await lstat(path, { bigint: true }).catch(() => undefined);
  return (
    found?.isFile() === true &&
    Number(found.size) === known.size &&
    found.mtimeNs === known.mtimeNs &&
    BigInt.asUintN(48, found.ino) === known.inode
  );
}

/** Eight values a frame, where the policy asks for turned copies: it may not have when the file was hashed. */
function hasTurned({ policy }: Hashfed, { pdq }: InventoryEntry): boolean {
  return policy.perceptual.pdq_dihedral !== true || pdq.length % 8 === 0;
}

/** The lists may have changed: the verdict is made anew, from the hashes kept. */
async function lookAgain({ hashfed }: ScanJob, at: Walked, entry: InventoryEntry): Promise<Outcome> {
  if (entry.size === 0) return { kind: 'empty' };
  const verdict = await hashfed.judgeObject(objectOf(entry), { ref: showPath(at.path) });
  return { kind: 'checked', bytes: entry.size, verdict, entry, unchanged: true };
}

/** A file that is being written gets a second chance. */
async function checkTwice({ pipeline, signal }: ScanJob, { path }: Walked): Promise<FileCheck> {
  const options = { ref: showPath(path), signal };
  const first = await pipeline.checkFile(path, options);
  return first.status === 'changed' ? pipeline.checkFile(path, options) : first;
}

function checked(at: Walked, { verdict, object, state }: CheckedFile): Outcome {
  if (object.bytes === 0) return { kind: 'empty' };
  return {
    kind: 'checked',
    bytes: object.bytes,
    verdict,
    entry: entryOf(at, object, state),
    unchanged: false,
  };
}

const NO_HASH = new Uint8Array();

function entryOf(
  { relative }: Walked,
  { hashes, bytes, perceptual }: ObjectHashes,
  state: CheckedFile['state'],
): InventoryEntry {
  const { md5 = NO_HASH, sha1 = NO_HASH, sha256 = NO_HASH } = hashes;
  return {
    ref: relative,
    size: bytes,
    mtimeNs: state.mtimeNs,
    inode: BigInt.asUintN(48, state.inode),
    md5,
    sha1,
    sha256,
    perceptual: perceptual !== undefined,
    pdq: perceptual?.pdq ?? [],
  };
}

async function refused({ path }: Walked, outcome: Exclude<FileCheck, CheckedFile>): Promise<Outcome> {
  const { status, code } = outcome;
  if (status === 'absent') return { kind: 'vanished' };
  if (status === 'symlink' || status === 'special' || status === 'directory')
    return { kind: 'skipped', reason: status };
  const found = await lstat(path).catch(() => undefined);
  return { kind: 'unreadable', reason: code ?? status, bytes: found?.size ?? 0 };
}

/** Counts and tells one outcome; false once the scan was aborted. */
async function settle(job: ScanJob, counts: ScanCounts, at: Walked, outcome: Outcome): Promise<boolean> {
  if (outcome.kind === 'aborted') return false;
  if (outcome.kind === 'checked') {
    countChecked(job, counts, at, outcome);
    if (at.relative.length <= MAX_REF_BYTES) await job.rescan?.add(outcome.entry);
  } else counts[outcome.kind] += 1;
  if (outcome.kind === 'unreadable') {
    counts.unreadable_bytes += outcome.bytes ?? 0;
    job.onUnreadable(showPath(at.path), outcome.reason);
  }
  await job.onDone(at.relative);
  return true;
}

function countChecked(
  { hashfed, onMatch }: ScanJob,
  counts: ScanCounts,
  { path }: Walked,
  { bytes, verdict, unchanged }: Extract<Outcome, { kind: 'checked' }>,
): void {
  counts.files += 1;
  counts.bytes += bytes;
  if (unchanged) counts.unchanged += 1;
  if (verdict.action === 'none' || !isMatch(verdict, hashfed.matching)) return;
  counts.matches += 1;
  counts[verdict.observed === true ? 'observed' : TALLY[verdict.action]] += 1;
  onMatch(showPath(path), verdict);
}

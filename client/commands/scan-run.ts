import { hashFile } from '../../sdk/hash/index.js';
import type { Hashfed, Verdict } from '../../sdk/index.js';
import { isMatch } from './hoster-shared.js';
import { showPath, type Walked, walk } from './scan-walk.js';

/** What a scan counted. Every file is in exactly one of `files`, `empty`, `unreadable` and `vanished`. */
export interface ScanCounts {
  /** Hashed and checked. */
  files: number;
  bytes: number;
  matches: number;
  blocked: number;
  held: number;
  tested: number;
  /** Matched, and policy or a veto lets it pass. */
  allowed: number;
  /** Without content: nothing to check. */
  empty: number;
  /** Links, devices and excluded names. */
  skipped: number;
  unreadable: number;
  /** Gone before it was read. */
  vanished: number;
}

export const NO_COUNTS: Readonly<ScanCounts> = {
  files: 0,
  bytes: 0,
  matches: 0,
  blocked: 0,
  held: 0,
  tested: 0,
  allowed: 0,
  empty: 0,
  skipped: 0,
  unreadable: 0,
  vanished: 0,
};

export interface ScanJob {
  readonly hashfed: Hashfed;
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
  | { readonly kind: 'checked'; readonly bytes: number; readonly verdict: Verdict }
  | { readonly kind: 'empty' | 'vanished' | 'aborted' }
  | { readonly kind: 'skipped' | 'unreadable'; readonly reason: string };

interface InFlight {
  readonly at: Walked;
  readonly outcome: Promise<Outcome>;
}

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
    if (signal.aborted) break;
    flying.push({ at, outcome: look(job, at) });
    if (flying.length >= job.jobs && !(await finish())) break;
  }
  while (flying.length > 0) if (!(await finish())) break;
  await Promise.all(flying.map(({ outcome }) => outcome));
  return !signal.aborted;
}

async function look({ hashfed, signal }: ScanJob, at: Walked): Promise<Outcome> {
  if (at.kind !== 'file') return { kind: at.kind, reason: at.reason ?? at.kind };
  try {
    const hashed = await hashTwice(at.path, signal);
    if (hashed.status === 'absent') return { kind: 'vanished' };
    if (hashed.status === 'symlink' || hashed.status === 'special' || hashed.status === 'directory')
      return { kind: 'skipped', reason: hashed.status };
    if (hashed.status !== 'hashed') return { kind: 'unreadable', reason: hashed.code ?? hashed.status };
    if (hashed.bytes === 0) return { kind: 'empty' };
    const verdict = await hashfed.judge(hashed.hashes, hashed.bytes, showPath(at.path));
    return { kind: 'checked', bytes: hashed.bytes, verdict };
  } catch (error) {
    if (signal.aborted) return { kind: 'aborted' };
    throw error;
  }
}

/** A file that is being written gets a second chance. */
async function hashTwice(path: Buffer, signal: AbortSignal) {
  const first = await hashFile(path, { signal });
  return first.status === 'changed' ? hashFile(path, { signal }) : first;
}

/** Counts and tells one outcome; false once the scan was aborted. */
async function settle(job: ScanJob, counts: ScanCounts, at: Walked, outcome: Outcome): Promise<boolean> {
  if (outcome.kind === 'aborted') return false;
  if (outcome.kind === 'checked') countChecked(job, counts, at, outcome);
  else counts[outcome.kind] += 1;
  if (outcome.kind === 'unreadable') job.onUnreadable(showPath(at.path), outcome.reason);
  await job.onDone(at.relative);
  return true;
}

function countChecked(
  { hashfed, onMatch }: ScanJob,
  counts: ScanCounts,
  { path }: Walked,
  { bytes, verdict }: { readonly bytes: number; readonly verdict: Verdict },
): void {
  counts.files += 1;
  counts.bytes += bytes;
  if (verdict.action === 'none' || !isMatch(verdict, hashfed.matching)) return;
  counts.matches += 1;
  counts[TALLY[verdict.action]] += 1;
  onMatch(showPath(path), verdict);
}

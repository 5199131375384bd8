import { forEachLeaf } from './bundle.js';
import { toHex } from './bytes.js';
import { coverRanges, holdsAt } from './holds.js';
import type { Origin } from './origin.js';
import type { Sha256 } from './sha256.js';
import type { SealResult } from './staged-range.js';
import { ListState } from './state.js';

/** One SEAL of an audited log; numbers and digest as the leaf has them. */
export interface AuditedSeal {
  readonly index: number;
  readonly batchNo: number;
  readonly setCount: number;
  readonly setDigest: string;
  readonly setCountOk: boolean;
  /** Digest and chain; null where erased leaves make the digest incomputable and the chain is right. */
  readonly setDigestOk: boolean | null;
}

export interface Audit {
  /** Entries of the whole file. */
  readonly size: number;
  readonly seals: readonly AuditedSeal[];
  /** At the last good SEAL. */
  readonly records: number;
  /** SHA-256 of the concatenated records, sorted; null while an erased leaf is live. */
  readonly recordsSha256: string | null;
  readonly anomalies: number;
  readonly erased: number;
  /** Erased leaves not withdrawn. */
  readonly missingEntries: number;
  readonly holds: number;
  readonly heldRecords: number;
  readonly stopped: { readonly index: number; readonly reason: 'UPGRADE_REQUIRED' } | null;
}

/**
 * Replays a whole log from its first entry, judging every SEAL by count, chain and digest. `bundles` are
 * checked bundles in order, read twice. Total: no leaf makes it throw.
 */
export function auditLog(origin: Origin, sha: Sha256, bundles: readonly Uint8Array[]): Audit {
  const seals: AuditedSeal[] = [];
  const { size, stoppedAt } = judgeSeals(origin, sha, bundles, seals);
  const good = seals.findLast((seal) => seal.setCountOk && seal.setDigestOk !== false);
  const end = good === undefined ? 0 : good.index + 1;
  const stopped = stoppedAt === undefined ? null : { index: stoppedAt, reason: 'UPGRADE_REQUIRED' as const };
  return { size, seals, ...stateAt(origin, sha, bundles, end), stopped };
}

function judgeSeals(
  origin: Origin,
  sha: Sha256,
  bundles: readonly Uint8Array[],
  seals: AuditedSeal[],
): { size: number; stoppedAt: number | undefined } {
  const state = ListState.empty(origin, sha);
  let staging = state.stage();
  let size = 0;
  let stoppedAt: number | undefined;
  for (const bundle of bundles)
    forEachLeaf(bundle, (at, length, erased) => {
      size++;
      if (stoppedAt !== undefined) return;
      staging.replay.applyLeaf(bundle, at, length, erased);
      stoppedAt = staging.replay.stoppedAt;
      const seal = staging.replay.seals[0];
      if (seal === undefined) return;
      seals.push(audited(seal, staging.digestOk(seal)));
      staging.settle();
      staging = state.stage();
    });
  return { size, stoppedAt };
}

function audited({ index, leaf, countOk }: SealResult, digestOk: boolean | undefined): AuditedSeal {
  const { batchNo, setCount } = leaf;
  const fields = { index, batchNo, setCount, setDigest: toHex(leaf.setDigest) };
  return { ...fields, setCountOk: countOk, setDigestOk: digestOk ?? null };
}

type AtSeal = Omit<Audit, 'size' | 'seals' | 'stopped'>;

function stateAt(origin: Origin, sha: Sha256, bundles: readonly Uint8Array[], end: number): AtSeal {
  const state = ListState.empty(origin, sha);
  const staging = state.stage({ until: end });
  for (const bundle of bundles) if (staging.next < end) staging.append(bundle, staging.next);
  const { anomalies, erased } = staging.replay;
  staging.settle();
  const { set } = state;
  return {
    records: set.count,
    recordsSha256: set.erasedLive > 0 ? null : recordsDigest(state),
    anomalies: anomalies.count,
    erased,
    missingEntries: set.erasedLive,
    ...heldAt(state),
  };
}

function recordsDigest(state: ListState): string {
  const parts: Uint8Array[] = [];
  for (let b = 0; b < state.set.order.buckets; b++) parts.push(state.bytesOfBucket(b));
  return toHex(state.set.sha.digest(...parts));
}

function heldAt(state: ListState): { holds: number; heldRecords: number } {
  const holds = holdsAt(state.holds, state.chain.maxTimeMs);
  let heldRecords = 0;
  const count = () => {
    heldRecords++;
    return true;
  };
  for (const { from, to } of coverRanges(holds).once) state.set.index.scan(from, to, count);
  return { holds: holds.length, heldRecords };
}

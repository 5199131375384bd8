import type { TreeHead } from '../../../proto/gen/hashfed/v1/common.js';
import {
  type SignedBatch,
  type SignerRecord,
  SignerRole,
  type SigningRequest,
} from '../../../proto/gen/hashfed/v1/files.js';
import { type Clock, equalBytes, HashfedError, malformed, type Suite } from '../../../sdk/core/index.js';
import type { SecretKey } from '../keys/index.js';
import { checkRange, type RangeCheck } from './check-range.js';
import { makeNote } from './note.js';
import { loadRecord, type RecordDisk, storeRecord } from './record.js';
import { digestFile, type OpenRequest, openRequest, packSigned } from './request.js';
import { handedOver, requireAsked } from './root-check.js';

export interface SignerDeps {
  readonly suite: Suite;
  readonly clock: Clock;
  readonly disk: RecordDisk;
  /** Where this key's compare-and-swap record lives: on the signer's own disk, in no database and no backup. */
  readonly recordFile: string;
}

/**
 * Signs a request file, or answers again what it released for the same bytes before; the answer is a signed-batch
 * file. Entries stream, so memory does not grow with the batch. The record of all lists is advanced in one synced
 * write, together with what will be released, before any note leaves: a crash at any step either signed nothing or
 * answers the same again, so one key never signs two histories.
 * Throws `SIGNER_BEHIND`, `ROOT_MISMATCH`, `NOT_SEALED`, `ANOMALOUS_ENTRY`, `FUTURE`, `BAD_SIGNATURE`, `MALFORMED`,
 * `STORAGE_FAILED`, `USAGE`.
 */
export async function signRequest(deps: SignerDeps, key: SecretKey, file: string): Promise<Uint8Array> {
  const release = await deps.disk.lock(deps.recordFile);
  try {
    const record = await loadRecord(deps.disk, deps.recordFile, key.publicKey);
    const digest = await digestFile(file);
    if (record?.last !== undefined && equalBytes(record.lastRequestSha256, digest))
      return packSigned(record.last);
    const opened = await openRequest(file);
    try {
      return await signOpened(deps, key, opened, record, digest);
    } finally {
      await opened.reader.close();
    }
  } finally {
    await release();
  }
}

async function signOpened(
  deps: SignerDeps,
  key: SecretKey,
  opened: OpenRequest,
  record: SignerRecord | undefined,
  digest: Uint8Array,
): Promise<Uint8Array> {
  checkAsked(key, opened.request);
  requireAsked(deps.suite, key, opened.request);
  const next = await signRanges(deps, key, opened, record);
  if (!equalBytes(await opened.reader.end(), digest))
    malformed('signing request', 'changed while it was read');
  await storeRecord(deps.disk, deps.recordFile, { ...next, lastRequestSha256: digest });
  return packSigned(next.last!);
}

function checkAsked(key: SecretKey, request: SigningRequest): void {
  const role =
    request.role === SignerRole.LIST ? 'list' : request.role === SignerRole.APPROVE ? 'approve' : 'unknown';
  if (role !== key.role) {
    throw new HashfedError('USAGE', `the request asks for the ${role} key, this is the ${key.role} key`, {
      field: 'key',
    });
  }
  if (request.key.length > 0 && !equalBytes(request.key, key.publicKey)) {
    throw new HashfedError('USAGE', 'the request asks for another key', { field: 'key' });
  }
}

async function signRanges(
  deps: SignerDeps,
  key: SecretKey,
  { request, reader }: OpenRequest,
  record: SignerRecord | undefined,
): Promise<SignerRecord> {
  const nowMs = deps.clock.nowMs();
  const heads = new Map<string, TreeHead>((record?.heads ?? []).map((head) => [head.origin, head]));
  const check: RangeCheck = { sha: deps.suite.sha256, nowMs, mayErase: key.role === 'approve' };
  const notes: SignedBatch['notes'][number][] = [];
  for (const range of request.ranges) {
    const last = heads.get(range.origin) ?? handedOver(deps.suite, key, request, range.origin);
    const { head } = await checkRange(check, range, last, reader.bundles());
    heads.set(range.origin, head);
    notes.push({ origin: range.origin, note: makeNote(deps.suite, key, range, head, nowMs) });
  }
  const { requestId, batch } = request;
  return {
    formatVersion: 1,
    key: key.publicKey,
    sequence: (record?.sequence ?? 0n) + 1n,
    heads: [...heads.values()].sort((a, b) => (a.origin < b.origin ? -1 : 1)),
    last: { formatVersion: 1, requestId, batch, notes, signedMs: BigInt(nowMs) },
    lastRequestSha256: new Uint8Array(),
  };
}

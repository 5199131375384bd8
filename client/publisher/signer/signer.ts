import type { TreeHead } from '../../../proto/gen/hashfed/v1/common.js';
import {
  SignedBatch,
  type SignerRecord,
  SignerRole,
  type SigningRange,
  SigningRequest,
} from '../../../proto/gen/hashfed/v1/files.js';
import {
  ALG_COSIGNATURE,
  ALG_ED25519,
  type Clock,
  concat,
  decodeStrict,
  equalBytes,
  formatCheckpoint,
  formatNote,
  HashfedError,
  type NoteKey,
  parseCheckpoint,
  parseNote,
  type Suite,
  signNote,
  utf8,
  verifyNote,
} from '../../../sdk/core/index.js';
import type { SecretKey } from '../keys/index.js';
import { type CheckedRange, checkRange } from './check-range.js';
import { fileBody, loadRecord, type RecordDisk, storeRecord } from './record.js';

const REQUEST_MAGIC = utf8('HFSIGNR1');
const SIGNED_MAGIC = utf8('HFSIGND1');
/** 10,000,000 entries of a batch at about 90 bytes. */
const MAX_REQUEST_BYTES = 1536 * 1024 * 1024;

export interface SignerDeps {
  readonly suite: Suite;
  readonly clock: Clock;
  readonly disk: RecordDisk;
  /** Where this key's compare-and-swap record lives: on the signer's own disk, in no database and no backup. */
  readonly recordFile: string;
}

/**
 * Signs a request, or answers again what it released for the same bytes before. The record of all lists is
 * advanced in one synced write, together with what will be released, before any note leaves: a crash at any step
 * either signed nothing or answers the same again, so one key never signs two histories.
 * Throws `SIGNER_BEHIND`, `ROOT_MISMATCH`, `NOT_SEALED`, `BAD_SIGNATURE`, `MALFORMED`, `STORAGE_FAILED`.
 */
export async function signRequest(deps: SignerDeps, key: SecretKey, file: Uint8Array): Promise<Uint8Array> {
  const request = parseSigningRequest(file);
  checkAsked(key, request);
  const release = await deps.disk.lock(deps.recordFile);
  try {
    const record = await loadRecord(deps.disk, deps.recordFile, key.publicKey);
    const digest = deps.suite.sha256.digest(file);
    if (record?.last !== undefined && equalBytes(record.lastRequestSha256, digest)) return pack(record.last);
    const next = signRanges(deps, key, request, record);
    await storeRecord(deps.disk, deps.recordFile, { ...next, lastRequestSha256: digest });
    return pack(next.last!);
  } finally {
    await release();
  }
}

/** Parses a signing request file strictly. */
export function parseSigningRequest(file: Uint8Array): SigningRequest {
  const body = fileBody(file, REQUEST_MAGIC, 'signing request', MAX_REQUEST_BYTES);
  const request = decodeStrict(SigningRequest, body, 'signing request', MAX_REQUEST_BYTES);
  if (request.formatVersion !== 1)
    throw new HashfedError('UPGRADE_REQUIRED', 'the signing request is of a newer format');
  return request;
}

export function packSigningRequest(request: SigningRequest): Uint8Array {
  return concat(REQUEST_MAGIC, SigningRequest.encode(request).finish());
}

/** Parses what a signer released. */
export function parseSignedBatch(file: Uint8Array): SignedBatch {
  const body = fileBody(file, SIGNED_MAGIC, 'signed batch', MAX_REQUEST_BYTES);
  const signed = decodeStrict(SignedBatch, body, 'signed batch', MAX_REQUEST_BYTES);
  if (signed.formatVersion !== 1)
    throw new HashfedError('UPGRADE_REQUIRED', 'the signed batch is of a newer format');
  return signed;
}

const pack = (signed: SignedBatch): Uint8Array => concat(SIGNED_MAGIC, SignedBatch.encode(signed).finish());

function checkAsked(key: SecretKey, request: SigningRequest): void {
  const role =
    request.role === SignerRole.LIST ? 'list' : request.role === SignerRole.APPROVE ? 'approve' : undefined;
  if (role === undefined || role !== key.role) {
    throw new HashfedError(
      'USAGE',
      `the request asks a ${role ?? 'unknown'} key, this is a ${key.role} key`,
      { field: 'key' },
    );
  }
  if (request.key.length > 0 && !equalBytes(request.key, key.publicKey)) {
    throw new HashfedError('USAGE', 'the request asks another key', { field: 'key' });
  }
  if (request.ranges.length === 0)
    throw new HashfedError('MALFORMED', 'ranges: are empty', { field: 'ranges' });
}

function signRanges(
  deps: SignerDeps,
  key: SecretKey,
  request: SigningRequest,
  record: SignerRecord | undefined,
): SignerRecord {
  const heads = new Map<string, TreeHead>((record?.heads ?? []).map((head) => [head.origin, head]));
  const seen = new Set<string>();
  const notes = request.ranges.map((range) => {
    if (seen.has(range.origin))
      throw new HashfedError('MALFORMED', 'ranges: name one list twice', { field: 'ranges' });
    seen.add(range.origin);
    const checked = checkRange(deps.suite.sha256, range, heads.get(range.origin));
    heads.set(range.origin, checked.head);
    return { origin: range.origin, note: makeNote(deps, key, range, checked) };
  });
  const last: SignedBatch = {
    formatVersion: 1,
    requestId: request.requestId,
    batch: request.batch,
    notes,
    signedMs: BigInt(deps.clock.nowMs()),
  };
  return {
    formatVersion: 1,
    key: key.publicKey,
    sequence: (record?.sequence ?? 0n) + 1n,
    heads: [...heads.values()].sort((a, b) => (a.origin < b.origin ? -1 : 1)),
    last,
    lastRequestSha256: new Uint8Array(),
  };
}

/** A new note by the sequencing key, or the note so far with an approve key's line. */
function makeNote(deps: SignerDeps, key: SecretKey, range: SigningRange, { head }: CheckedRange): Uint8Array {
  const body = formatCheckpoint({ origin: head.origin, size: Number(head.size), root: head.root });
  if (key.role === 'list') {
    const noteKey: NoteKey = { name: head.origin, algorithm: ALG_ED25519, publicKey: key.publicKey };
    return formatNote(body, [signNote(deps.suite, body, noteKey, key.seed)]);
  }
  return cosign(deps, key, range, body);
}

/** Only a note that says exactly what was recomputed is cosigned, and only once by this key. */
function cosign(deps: SignerDeps, key: SecretKey, range: SigningRange, body: string): Uint8Array {
  const noteKey: NoteKey = { name: key.name, algorithm: ALG_COSIGNATURE, publicKey: key.publicKey };
  const note = range.note.length === 0 ? undefined : parseNote(range.note);
  if (note !== undefined && note.body !== body) {
    throw new HashfedError('ROOT_MISMATCH', 'the note to cosign says something else than its entries', {
      origin: parseCheckpoint(note.body).origin,
    });
  }
  if (note !== undefined && verifyNote(deps.suite, range.note, [noteKey]).verified.length > 0)
    return range.note;
  const line = signNote(deps.suite, body, noteKey, key.seed, Math.floor(deps.clock.nowMs() / 1000));
  return formatNote(body, [...(note?.signatures.map((one) => one.line) ?? []), line]);
}

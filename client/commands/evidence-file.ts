import { Equivocation } from '../../proto/gen/hashfed/v1/federation.js';
import { EvidenceHeader } from '../../proto/gen/hashfed/v1/files.js';
import { decodeStrict, equalBytes, HashfedError, malformed, parseNote } from '../../sdk/core/index.js';
import { equivocationOf, MAX_EVIDENCE_BYTES, unpackEvidence } from '../../sdk/sync/index.js';
import { EVIDENCE_FILE, packFile, unpackFile } from '../publisher/files/index.js';

/** Root envelopes of one publisher that a file may hold: rotations are rare. */
const MAX_ROOTS = 1_000;

export interface EvidenceFile {
  readonly evidence: Equivocation;
  /** Root envelopes from version 1 on; none in files older than the header. They prove nothing without a fingerprint. */
  readonly roots: readonly Uint8Array[];
}

/**
 * `HFEVIDN1 | u32 length | EvidenceHeader` (docs/spec/formats.md), so that a fingerprint alone verifies it; undefined
 * for what is no fork of two signed things.
 */
export function packEvidenceFile(kept: Uint8Array, roots: readonly Uint8Array[]): Uint8Array | undefined {
  const evidence = equivocationOf(unpackEvidence(kept));
  if (evidence === undefined) return undefined;
  const content = Equivocation.encode(evidence).finish();
  return packFile(
    EVIDENCE_FILE,
    EvidenceHeader.encode({ formatVersion: 1, roots: [...roots], content }).finish(),
  );
}

/** A file with a header, the SDK's packed parts, or a message as servers and mirrors keep it. Throws MALFORMED. */
export function parseEvidenceFile(bytes: Uint8Array): EvidenceFile {
  if (!equalBytes(bytes.subarray(0, 8), EVIDENCE_FILE.magic))
    return { evidence: parseBare(bytes), roots: [] };
  const { roots, content } = unpackFile(EVIDENCE_FILE, EvidenceHeader, bytes);
  if (roots.length > MAX_ROOTS) malformed('roots', `are over ${MAX_ROOTS}`);
  const evidence = decodeStrict(Equivocation, content, 'evidence', MAX_EVIDENCE_BYTES);
  parseNote(evidence.noteA);
  return { evidence, roots };
}

function parseBare(bytes: Uint8Array): Equivocation {
  try {
    const packed = equivocationOf(unpackEvidence(bytes));
    if (packed !== undefined) return packed;
  } catch (error) {
    if (!(error instanceof HashfedError)) throw error;
  }
  try {
    const message = Equivocation.decode(bytes);
    parseNote(message.noteA);
    return message;
  } catch (cause) {
    throw new HashfedError('MALFORMED', 'the file holds no evidence of a fork', { field: 'FILE', cause });
  }
}

import { HashfedError } from '../core/index.js';
import type { Documents } from '../store/index.js';
import { MAX_EVIDENCE } from './limits.js';

/** Codes whose evidence proves that somebody lied with a key of the publisher's or operator's. */
const KEPT = new Set(['EQUIVOCATION', 'ROLLBACK']);

/** True for a fork: nothing more is taken from anybody before people have looked. */
export function isFork(error: unknown): boolean {
  return error instanceof HashfedError && error.code === 'EQUIVOCATION';
}

/**
 * Keeps what proves a fork or a rollback, verbatim: `u32 length | bytes` for each signed thing. At most MAX_EVIDENCE
 * a list; what was kept already is not kept twice.
 */
export async function keepEvidence(documents: Documents, origin: string, error: unknown): Promise<void> {
  if (!(error instanceof HashfedError) || !KEPT.has(error.code)) return;
  const parts = error.detail.evidence ?? [];
  if (parts.length === 0) return;
  const bytes = encodeEvidence(parts);
  const versions = await documents.versions('evidence', origin);
  if (versions.length >= MAX_EVIDENCE) return;
  for (const version of versions) {
    const kept = await documents.get('evidence', origin, version);
    if (kept !== undefined && Buffer.compare(kept, bytes) === 0) return;
  }
  await documents.put('evidence', origin, (versions.at(-1) ?? 0) + 1, bytes);
}

/** `u32 length | bytes` for each part. */
export function encodeEvidence(parts: readonly Uint8Array[]): Uint8Array {
  const sized = parts.flatMap((part) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(part.length);
    return [length, part];
  });
  return new Uint8Array(Buffer.concat(sized));
}

import { HashfedError } from '../core/index.js';
import type { SyncDeps } from './deps.js';

/** Pieces of evidence kept for one list; a liar must not fill the disk. */
const MAX_KEPT = 16;

/**
 * Keeps what proves a fork: both signed statements, verbatim, each under a length, so that anybody can verify it
 * offline. Failing to keep it never hides the failure itself.
 */
export async function keepEvidence(deps: SyncDeps, origin: string, error: unknown): Promise<void> {
  if (!(error instanceof HashfedError) || error.code !== 'EQUIVOCATION') return;
  const pieces = error.detail.evidence ?? [];
  if (pieces.length === 0 || deps.store.readOnly) return;
  const { documents } = deps.store;
  const versions = await documents.versions('evidence', origin);
  if (versions.length >= MAX_KEPT) return;
  const packed = pack(pieces);
  for (const version of versions) {
    const kept = await documents.get('evidence', origin, version);
    if (kept !== undefined && Buffer.compare(kept, packed) === 0) return;
  }
  await documents.put('evidence', origin, (versions.at(-1) ?? 0) + 1, packed);
}

/** `(u32 length | bytes)*`. */
function pack(pieces: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(
    Buffer.concat(
      pieces.flatMap((piece) => {
        const length = Buffer.alloc(4);
        length.writeUInt32BE(piece.length);
        return [length, piece];
      }),
    ),
  );
}

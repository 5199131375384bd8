import { HashfedError } from '../core/index.js';
import type { SyncDeps } from './deps.js';
import { MAX_EVIDENCE } from './limits.js';

/** Codes whose evidence proves that signed histories contradict each other. */
const KEPT = new Set(['EQUIVOCATION', 'ROLLBACK']);

/**
 * Keeps what proves a fork or a rollback: the signed things verbatim, each under its length, so that anybody can
 * verify it offline. The same is not kept twice. Failing to keep it never hides the failure itself.
 */
export async function keepEvidence(deps: SyncDeps, origin: string, error: unknown): Promise<void> {
  if (!(error instanceof HashfedError) || !KEPT.has(error.code) || deps.store.readOnly) return;
  const parts = error.detail.evidence ?? [];
  if (parts.length === 0) return;
  try {
    // A server that is merely behind must not crowd out forks.
    const most = error.code === 'EQUIVOCATION' ? MAX_EVIDENCE : MAX_EVIDENCE / 2;
    await keepOnce(deps, origin, packEvidence(parts), most);
  } catch (cause) {
    if (!(cause instanceof HashfedError)) throw cause;
  }
}

async function keepOnce(
  { store: { documents } }: SyncDeps,
  origin: string,
  packed: Uint8Array,
  most: number,
): Promise<void> {
  const versions = await documents.versions('evidence', origin);
  if (versions.length >= most) return;
  for (const version of versions) {
    const kept = await documents.get('evidence', origin, version);
    if (kept !== undefined && Buffer.compare(kept, packed) === 0) return;
  }
  await documents.put('evidence', origin, (versions.at(-1) ?? 0) + 1, packed);
}

/** `(u32 length | bytes)*`. */
export function packEvidence(parts: readonly Uint8Array[]): Uint8Array {
  const sized = parts.flatMap((part) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(part.length);
    return [length, part];
  });
  return new Uint8Array(Buffer.concat(sized));
}

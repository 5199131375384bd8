import type { TreeHead } from '../../../proto/gen/hashfed/v1/common.js';
import type { SigningRange } from '../../../proto/gen/hashfed/v1/files.js';
import {
  ALG_COSIGNATURE,
  ALG_ED25519,
  formatCheckpoint,
  formatNote,
  HashfedError,
  type NoteKey,
  parseNote,
  type Suite,
  signNote,
  verifyNote,
} from '../../../sdk/core/index.js';
import type { SecretKey } from '../keys/index.js';

/** A new note by the sequencing key, or the note so far with an approve key's line. `nowMs` is the signer's clock. */
export function makeNote(
  suite: Suite,
  key: SecretKey,
  range: SigningRange,
  head: TreeHead,
  nowMs: number,
): Uint8Array {
  const body = formatCheckpoint({ origin: head.origin, size: Number(head.size), root: head.root });
  if (key.role === 'list') {
    const noteKey: NoteKey = { name: head.origin, algorithm: ALG_ED25519, publicKey: key.publicKey };
    return formatNote(body, [signNote(suite, body, noteKey, key.seed)]);
  }
  return cosign(suite, key, range, body, nowMs);
}

/** Only a note that says exactly what was recomputed is cosigned, and only once by this key. */
function cosign(suite: Suite, key: SecretKey, range: SigningRange, body: string, nowMs: number): Uint8Array {
  const noteKey: NoteKey = { name: key.name, algorithm: ALG_COSIGNATURE, publicKey: key.publicKey };
  const note = range.note.length === 0 ? undefined : parseNote(range.note);
  if (note !== undefined && note.body !== body) {
    throw new HashfedError('ROOT_MISMATCH', 'the note to cosign says something else than its entries', {
      origin: range.origin,
    });
  }
  if (note !== undefined && verifyNote(suite, range.note, [noteKey]).verified.length > 0) return range.note;
  const line = signNote(suite, body, noteKey, key.seed, Math.floor(nowMs / 1000));
  return formatNote(body, [...(note?.signatures.map((one) => one.line) ?? []), line]);
}

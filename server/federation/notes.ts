import {
  equalBytes,
  formatNote,
  type NoteKey,
  noteKeyId,
  parseNote,
  type Suite,
  toHex,
  verifyNote,
} from '../../sdk/core/index.js';
import type { Cosigner } from './cosigner.js';

/**
 * The note with the lines that `known` keys validly signed, each once; verbatim where it has no others. Lines of
 * unknown keys are not carried: anybody could fill a note with them, or with bad ones of a key that a reader knows.
 */
export function keepKnownLines(suite: Suite, note: Uint8Array, known: readonly NoteKey[]): Uint8Array {
  const { body, signatures, verified } = verifyNote(suite, note, known);
  const labels = new Set(verified.map(({ key }) => labelOf(key.name, noteKeyId(suite.sha256, key))));
  const lines = new Map<string, string>();
  for (const { name, keyId, line } of signatures) {
    const label = labelOf(name, keyId);
    if (labels.has(label) && !lines.has(label)) lines.set(label, line);
  }
  return lines.size === signatures.length ? note : formatNote(body, [...lines.values()]);
}

/** `held` and the lines of `offered` that it lacks; both have one body, and `offered` went through `keepKnownLines`. */
export function mergeLines(held: Uint8Array, offered: Uint8Array): Uint8Array {
  const current = parseNote(held);
  const other = parseNote(offered);
  if (!equalBytes(current.bodyBytes, other.bodyBytes)) return held;
  const have = new Set(current.signatures.map(({ name, keyId }) => labelOf(name, keyId)));
  const fresh = other.signatures.filter(({ name, keyId }) => !have.has(labelOf(name, keyId)));
  if (fresh.length === 0) return held;
  return formatNote(
    current.body,
    [...current.signatures, ...fresh].map(({ line }) => line),
  );
}

/** The note with the cosigner's line; the same bytes where it stands there already. */
export function withCosignature(
  suite: Suite,
  note: Uint8Array,
  cosigner: Cosigner,
  nowMs: number,
): Uint8Array {
  const { body, signatures } = parseNote(note);
  const own = labelOf(cosigner.key.name, noteKeyId(suite.sha256, cosigner.key));
  if (signatures.some(({ name, keyId }) => labelOf(name, keyId) === own)) return note;
  const line = cosigner.sign(body, Math.floor(nowMs / 1000));
  return formatNote(body, [...signatures.map((one) => one.line), line]);
}

function labelOf(name: string, keyId: Uint8Array): string {
  return `${name} ${toHex(keyId)}`;
}

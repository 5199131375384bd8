import {
  type CheckpointPolicy,
  equalBytes,
  formatNote,
  noteKeyId,
  parseNote,
  type Suite,
  toHex,
  verifyNote,
} from '../../sdk/core/index.js';

/**
 * The lines of `held` and every line of `offered` by a key of the publisher that verified. Both have one body.
 * Lines of unknown keys are not taken: anybody could fill a note with them.
 */
export function mergeNotes(
  suite: Suite,
  { keys }: CheckpointPolicy,
  held: Uint8Array,
  offered: Uint8Array,
): Uint8Array {
  const current = parseNote(held);
  const known = [keys.sequencing, ...keys.approve];
  const { signatures, bodyBytes, verified } = verifyNote(suite, offered, known);
  if (!equalBytes(bodyBytes, current.bodyBytes)) return held;
  const valid = new Set(verified.map(({ key }) => labelOf(key.name, noteKeyId(suite.sha256, key))));
  const have = new Set(current.signatures.map((one) => labelOf(one.name, one.keyId)));
  const fresh = signatures.filter((one) => {
    const label = labelOf(one.name, one.keyId);
    return valid.has(label) && !have.has(label);
  });
  if (fresh.length === 0) return held;
  return formatNote(current.body, [
    ...current.signatures.map((one) => one.line),
    ...fresh.map((one) => one.line),
  ]);
}

function labelOf(name: string, keyId: Uint8Array): string {
  return `${name} ${toHex(keyId)}`;
}

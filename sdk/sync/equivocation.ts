import type { Equivocation } from '../../proto/gen/hashfed/v1/federation.js';
import {
  CompactRange,
  compareBytes,
  equalBytes,
  HASH_BYTES,
  HashfedError,
  keysFor,
  malformed,
  type PublisherRoot,
  parseCheckpoint,
  parseDsse,
  parseNote,
  readU32,
  type Sha256,
  type Suite,
  type TreeState,
  verifyCheckpoint,
  verifyFreshness,
  verifyLiveness,
} from '../core/index.js';
import { NO_COSIGNERS } from './deps.js';

/** Bytes of all evidence of one fork: what the protocol lets a member hand in. */
export const MAX_EVIDENCE_BYTES = 1024 * 1024;

/** What was proven: two signed things that cannot both be honest. */
export interface ProvenFork {
  readonly origin: string;
  readonly kind: 'notes' | 'extension' | 'statement';
  readonly a: TreeState;
  readonly b: TreeState;
}

/** Which list evidence speaks of, unverified. Throws MALFORMED. */
export function originOfEvidence({ noteA }: Pick<Equivocation, 'noteA'>): string {
  return parseCheckpoint(parseNote(noteA).body).origin;
}

/**
 * Verifies evidence of a fork with nothing but the publisher root. Throws `BAD_SIGNATURE` and the like where a part is
 * not what the publisher signed, `MALFORMED` where both parts can be honest.
 */
export function verifyEquivocation(
  suite: Suite,
  root: PublisherRoot,
  evidence: Pick<Equivocation, 'noteA' | 'noteB' | 'statementB' | 'contradiction'>,
): ProvenFork {
  const origin = originOfEvidence(evidence);
  const policy = { keys: keysFor(root, origin), cosigners: NO_COSIGNERS };
  // Signed is signed, whatever the clock says.
  const late = Number.MAX_SAFE_INTEGER;
  const a = verifyCheckpoint(suite, policy, evidence.noteA, { nowMs: late });
  if (evidence.noteB.length === 0) {
    const b = verifyStatement(suite, root, origin, evidence.statementB, late);
    return { origin, kind: 'statement', a, b: refuseHonest(a, b) };
  }
  const b = verifyCheckpoint(suite, policy, evidence.noteB, { nowMs: late });
  if (a.size === b.size) return { origin, kind: 'notes', a, b: refuseHonest(a, b) };
  requireContradiction(suite.sha256, a, b, evidence.contradiction);
  return { origin, kind: 'extension', a, b };
}

function refuseHonest(a: TreeState, b: TreeState): TreeState {
  if (a.size === b.size && !equalBytes(a.root, b.root)) return b;
  return malformed('evidence', 'shows no contradiction: both parts can be honest');
}

function verifyStatement(
  suite: Suite,
  root: PublisherRoot,
  origin: string,
  envelope: Uint8Array,
  nowMs: number,
): TreeState {
  try {
    return verifyLiveness(suite, root, origin, envelope, nowMs);
  } catch (error) {
    if (!(error instanceof HashfedError)) throw error;
    return verifyFreshness(suite, root, origin, envelope, nowMs);
  }
}

/**
 * `hashes`: the compact range of the larger tree at the smaller size (roots of its complete subtrees, largest first),
 * then its leaf hashes from there on. They make the larger root, and their beginning is not the smaller tree.
 */
function requireContradiction(sha: Sha256, a: TreeState, b: TreeState, hashes: Uint8Array): void {
  if (a.size > b.size) malformed('note_a', 'must be the smaller checkpoint');
  const edges = subtreeCount(a.size);
  if (hashes.length !== (edges + b.size - a.size) * HASH_BYTES)
    malformed('contradiction', 'has not the right length');
  const edge = Array.from({ length: edges }, (_, i) => hashes.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES));
  const tree = CompactRange.from(sha, a.size, edge);
  if (equalBytes(tree.root(), a.root))
    malformed('contradiction', 'shows that the larger tree begins with the smaller');
  tree.append(hashes.subarray(edges * HASH_BYTES));
  if (!equalBytes(tree.root(), b.root)) malformed('contradiction', 'does not make the larger root');
}

/** Complete subtrees in a tree: the ones among the binary digits of its size. */
function subtreeCount(size: number): number {
  return BigInt(size).toString(2).replaceAll('0', '').length;
}

/** The parts of an `EQUIVOCATION` error's evidence as a message; undefined where they are no fork of signed things. */
export function equivocationOf(parts: readonly Uint8Array[]): Equivocation | undefined {
  const [one, other] = parts;
  if (parts.length !== 2 || one === undefined || other === undefined) return undefined;
  const none = new Uint8Array();
  const rest = { contradiction: none, foundMs: 0n, foundBy: '' };
  if (!isNote(one) && !isNote(other)) return undefined;
  const [noteA, second] = isNote(one) ? [one, other] : [other, one];
  const origin = originOfEvidence({ noteA });
  return isNote(second)
    ? { origin, noteA, noteB: second, statementB: none, ...rest }
    : { origin, noteA, noteB: none, statementB: second, ...rest };
}

/** Hex-free digest that names evidence: SHA-256 of both signed bodies in ascending order. */
export function evidenceDigest(sha: Sha256, { noteA, noteB, statementB }: Equivocation): Uint8Array {
  const a = parseNote(noteA).bodyBytes;
  const b = noteB.length > 0 ? parseNote(noteB).bodyBytes : parseStatement(statementB);
  return compareBytes(a, b) <= 0 ? sha.digest(a, b) : sha.digest(b, a);
}

function parseStatement(envelope: Uint8Array): Uint8Array {
  try {
    return parseDsse('liveness', envelope).body;
  } catch (error) {
    if (!(error instanceof HashfedError)) throw error;
    return parseDsse('freshness', envelope).body;
  }
}

/** The reverse of `packEvidence`: `(u32 length | bytes)*`. Throws MALFORMED. */
export function unpackEvidence(packed: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < packed.length; ) {
    if (at + 4 > packed.length) malformed('evidence', 'ends within a length');
    const end = at + 4 + readU32(packed, at);
    if (end > packed.length) malformed('evidence', 'ends within a part');
    parts.push(packed.slice(at + 4, end));
    at = end;
  }
  return parts;
}

function isNote(bytes: Uint8Array): boolean {
  try {
    parseNote(bytes);
    return true;
  } catch (error) {
    if (error instanceof HashfedError) return false;
    throw error;
  }
}

import type { TreeHead } from '../../../proto/gen/hashfed/v1/common.js';
import type { SigningRange } from '../../../proto/gen/hashfed/v1/files.js';
import {
  CompactRange,
  checkBundle,
  equalBytes,
  HashfedError,
  LEAF_KIND,
  MAX_U53,
  parseOrigin,
  type Sha256,
} from '../../../sdk/core/index.js';

/** Entries of a range by kind, as the signer itself counted them in the bytes. */
export interface LeafCounts {
  readonly adds: number;
  readonly withdrawals: number;
  readonly amendments: number;
  readonly holds: number;
  readonly seals: number;
  readonly commits: number;
}

/** One list of a request after the signer recomputed it. */
export interface CheckedRange {
  readonly head: TreeHead;
  readonly counts: LeafCounts;
}

/**
 * Recomputes a range from the signer's own last head. Throws `SIGNER_BEHIND` where the request does not start
 * there (a restored record, or a fork), `ROOT_MISMATCH` where the entries do not make the root, `NOT_SEALED`.
 */
export function checkRange(sha: Sha256, range: SigningRange, last: TreeHead | undefined): CheckedRange {
  const origin = parseOrigin(range.origin).text;
  const from = safeSize(range.from, origin);
  const tree = CompactRange.from(sha, from, range.compactRange);
  const known =
    last === undefined
      ? { size: 0, root: CompactRange.empty(sha).root() }
      : { size: Number(last.size), root: last.root };
  if (known.size !== from || !equalBytes(known.root, tree.root())) {
    const why = `signed last at size ${known.size}, the request starts at ${from}`;
    throw new HashfedError('SIGNER_BEHIND', `the request does not extend what this key ${why}`, { origin });
  }
  const counts = appendBundles(sha, tree, range.bundles, origin);
  if (tree.size !== safeSize(range.to, origin) || !equalBytes(tree.root(), range.root)) {
    throw new HashfedError('ROOT_MISMATCH', 'the entries of the request do not make its root', { origin });
  }
  return { head: { origin, size: range.to, root: tree.root() }, counts };
}

function safeSize(size: bigint, origin: string): number {
  if (size >= BigInt(MAX_U53)) throw new HashfedError('MALFORMED', 'a size is above 2^53', { origin });
  return Number(size);
}

function appendBundles(
  sha: Sha256,
  tree: CompactRange,
  bundles: readonly Uint8Array[],
  origin: string,
): LeafCounts {
  const kinds = new Array<number>(17).fill(0);
  let last = 0;
  for (const bundle of bundles) {
    const count = checkBundle(bundle, MAX_U53 - 1);
    tree.append(sha.hashLeaves(bundle, count));
    last = countKinds(bundle, kinds, origin);
  }
  if (last !== LEAF_KIND.SEAL)
    throw new HashfedError('NOT_SEALED', 'the request does not end in a seal', { origin });
  const at = (kind: number): number => kinds[kind] ?? 0;
  return {
    adds: at(LEAF_KIND.ADD),
    withdrawals: at(LEAF_KIND.WITHDRAW),
    amendments: at(LEAF_KIND.AMEND),
    holds: at(LEAF_KIND.HOLD),
    seals: at(LEAF_KIND.SEAL),
    commits: at(LEAF_KIND.COMMIT),
  };
}

/** Adds up the kind bytes of a checked bundle; answers the kind of its last leaf. */
function countKinds(bundle: Uint8Array, kinds: number[], origin: string): number {
  let kind = 0;
  for (let at = 0; at < bundle.length; ) {
    const length = bundle[at]! * 256 + bundle[at + 1]!;
    if (length === 0) throw new HashfedError('MALFORMED', 'an erased entry cannot be signed', { origin });
    kind = bundle[at + 3] ?? 0;
    if (bundle[at + 2] !== 1 || kinds[kind] === undefined) {
      throw new HashfedError('ANOMALOUS_ENTRY', 'an entry is of an unknown version or kind', { origin });
    }
    kinds[kind] += 1;
    at += 2 + length;
  }
  return kind;
}

import { createHash } from 'node:crypto';
import type { TreeHead } from '../../../proto/gen/hashfed/v1/common.js';
import type { SigningRange } from '../../../proto/gen/hashfed/v1/files.js';
import {
  CompactRange,
  checkBundle,
  equalBytes,
  HASH_BYTES,
  HashfedError,
  malformed,
  parseOrigin,
  type Sha256,
} from '../../../sdk/core/index.js';
import { MAX_BUNDLE_LEAVES } from '../files/index.js';
import { compareCounts, LeafCounter, type LeafCounts } from './leaf-counts.js';

/** One list of a request after the signer recomputed it. */
export interface CheckedRange {
  readonly head: TreeHead;
  readonly counts: LeafCounts;
}

export interface RangeCheck {
  readonly sha: Sha256;
  /** Of the signer's own clock, Unix milliseconds. */
  readonly nowMs: number;
  /** True for an approve key, which catches up through erased entries. */
  readonly mayErase: boolean;
  /** Told of every checked bundle, for the sheet that people read. */
  readonly onBundle?: (bundle: Uint8Array, firstIndex: number) => void;
}

/**
 * Recomputes a range from the signer's own last head; `bundles` streams. Throws `SIGNER_BEHIND` where the request does
 * not start there (a restored record, or a fork), `ROOT_MISMATCH` where the entries do not make root, digest or
 * counts, `NOT_SEALED`, `MISSING_ENTRY`, `ANOMALOUS_ENTRY`, `FUTURE`, `MALFORMED`.
 */
export async function checkRange(
  check: RangeCheck,
  range: SigningRange,
  last: TreeHead | undefined,
  bundles: AsyncIterable<Uint8Array>,
): Promise<CheckedRange> {
  const tree = startTree(check.sha, range, last);
  return readRange(check, range, tree, bundles);
}

/** The tree at `from`, which must be what this key signed last. */
function startTree(sha: Sha256, range: SigningRange, last: TreeHead | undefined): CompactRange {
  const origin = parseOrigin(range.origin).text;
  const tree = compactRangeOf(sha, range);
  const known = last ?? { size: 0n, root: CompactRange.empty(sha).root() };
  if (known.size === range.from && equalBytes(known.root, tree.root())) return tree;
  const why = `this key signed last at size ${known.size}, the request starts at ${range.from}`;
  throw new HashfedError('SIGNER_BEHIND', `the request does not extend what was signed: ${why}`, { origin });
}

/** Recomputes a range without a record: for people who review. Throws as `checkRange`. */
export async function readRange(
  check: RangeCheck,
  range: SigningRange,
  tree: CompactRange,
  bundles: AsyncIterable<Uint8Array>,
): Promise<CheckedRange> {
  const { origin } = range;
  const counter = new LeafCounter(origin, check.nowMs, check.mayErase, tree.size);
  const entries = createHash('sha256');
  for await (const bundle of bundles) {
    const count = checkBundle(bundle, MAX_BUNDLE_LEAVES);
    check.onBundle?.(bundle, tree.size);
    entries.update(bundle);
    counter.add(bundle);
    tree.append(check.sha.hashLeaves(bundle, count));
  }
  const counts = counter.finish();
  const root = tree.root();
  const same = BigInt(tree.size) === range.to && equalBytes(root, range.root);
  if (!same || !equalBytes(new Uint8Array(entries.digest()), range.entriesSha256)) {
    throw new HashfedError('ROOT_MISMATCH', 'the entries of the request do not make its root', { origin });
  }
  compareCounts(origin, counts, range.counts);
  return { head: { origin, size: range.to, root }, counts };
}

/** The compact range that a request carries. Throws `MALFORMED`. */
export function compactRangeOf(sha: Sha256, range: SigningRange): CompactRange {
  const packed = range.compactRange;
  if (packed.length % HASH_BYTES !== 0) malformed('compact_range', 'is no multiple of 32 bytes');
  const hashes: Uint8Array[] = [];
  for (let at = 0; at < packed.length; at += HASH_BYTES) hashes.push(packed.subarray(at, at + HASH_BYTES));
  return CompactRange.from(sha, Number(range.from), hashes);
}

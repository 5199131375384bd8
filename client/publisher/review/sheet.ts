import type { SigningRange, SigningRequest } from '../../../proto/gen/hashfed/v1/files.js';
import {
  type Clock,
  concat,
  decodeLeaf,
  forEachLeaf,
  formatCheckpoint,
  type Leaf,
  META_FIELD,
  metaValue,
  type PublisherRoot,
  type Suite,
  settingsOf,
  toHex,
  utf8,
} from '../../../sdk/core/index.js';
import { compactRangeOf, type LeafCounts, openRequest, readRange, rootOfRequest } from '../signer/index.js';
import { sixWords } from './words.js';

/** Entries of each list that a sheet quotes, spread over its whole range. */
const SAMPLE = 5;

/** One quoted entry. Hashes of perceptual types are victims' data and stay out. */
export interface SampleEntry {
  readonly index: number;
  readonly kind: Leaf['kind'];
  readonly timeMs: number;
  readonly text: string;
}

export interface ListSheet {
  readonly origin: string;
  readonly purpose: string;
  readonly from: number;
  readonly to: number;
  readonly root: string;
  /** As recomputed from the entries. */
  readonly counts: LeafCounts;
  readonly setCount: number;
  readonly anchorSetCount: number;
  /** Entries that one key alone committed before. */
  readonly oneKey: readonly { readonly from: number; readonly to: number }[];
  readonly sample: readonly SampleEntry[];
}

/** What a person reads before signing; every number is recomputed from the entries in the file. */
export interface ReviewSheet {
  /** Asks the sequencing (`list`) or an `approve` key. */
  readonly request: SigningRequest;
  readonly publisher: string;
  readonly rootVersion: number;
  readonly lists: readonly ListSheet[];
  /** Six words over the new checkpoints: the same on both signers' sheets of one batch. */
  readonly code: string;
}

/** Recomputes a request. Throws as `readRange`. */
export async function reviewRequest(suite: Suite, clock: Clock, file: string): Promise<ReviewSheet> {
  const { request, reader } = await openRequest(file);
  try {
    const root = rootOfRequest(suite, request);
    const lists: ListSheet[] = [];
    for (const range of request.ranges)
      lists.push(await reviewRange(suite, clock, root, range, reader.bundles()));
    await reader.end();
    return {
      request,
      publisher: root.publisher,
      rootVersion: root.version,
      lists,
      code: codeOf(suite, request),
    };
  } finally {
    await reader.close();
  }
}

/** Six words over the bodies of the new checkpoints, in order of origin. */
export function codeOf(suite: Suite, { ranges }: Pick<SigningRequest, 'ranges'>): string {
  const bodies = ranges.map(({ origin, to, root }) =>
    utf8(formatCheckpoint({ origin, size: Number(to), root })),
  );
  return sixWords(suite.sha256.digest(concat(utf8('hashfed-code/1\n'), ...bodies)));
}

async function reviewRange(
  suite: Suite,
  clock: Clock,
  root: PublisherRoot,
  range: SigningRange,
  bundles: AsyncIterable<Uint8Array>,
): Promise<ListSheet> {
  const from = Number(range.from);
  const to = Number(range.to);
  const sample: SampleEntry[] = [];
  const step = Math.max(1, Math.floor((to - from) / SAMPLE));
  const onBundle = (bundle: Uint8Array, firstIndex: number): void => {
    let index = firstIndex;
    forEachLeaf(bundle, (at, length, erased) => {
      const wanted = !erased && (index - from) % step === 0 && sample.length < SAMPLE;
      if (wanted) sample.push(quote(index, bundle.subarray(at, at + length)));
      index += 1;
    });
  };
  const check = { sha: suite.sha256, nowMs: clock.nowMs(), mayErase: true, onBundle };
  const { counts } = await readRange(check, range, compactRangeOf(suite.sha256, range), bundles);
  return {
    origin: range.origin,
    purpose: settingsOf(root, range.origin).purpose,
    from,
    to,
    root: toHex(range.root),
    counts,
    setCount: Number(range.counts?.setCount ?? 0n),
    anchorSetCount: Number(range.anchorSetCount),
    oneKey: range.oneKey.map((run) => ({ from: Number(run.from), to: Number(run.to) })),
    sample,
  };
}

function quote(index: number, bytes: Uint8Array): SampleEntry {
  const leaf = decodeLeaf(bytes);
  return { index, kind: leaf.kind, timeMs: leaf.timeMs, text: describe(leaf) };
}

function describe(leaf: Leaf): string {
  switch (leaf.kind) {
    case 'add': {
      const label = metaValue(leaf.meta, META_FIELD.LABEL);
      const named = label === undefined ? '' : ` ${JSON.stringify(Buffer.from(label).toString('utf8'))}`;
      const hash = leaf.hashType <= 3 ? ` ${toHex(leaf.hash)}` : '';
      return `item ${toHex(leaf.itemId)}${hash} scheme ${leaf.scheme} code ${leaf.code} verifications ${leaf.verifications}${named}`;
    }
    case 'withdraw':
      return `entry ${leaf.targetIndex} reason ${leaf.reason}`;
    case 'amend':
      return `entry ${leaf.targetIndex} reason ${leaf.reason} scheme ${leaf.scheme} code ${leaf.code} verifications ${leaf.verifications}`;
    case 'hold':
      return `entries ${leaf.from} to ${leaf.to} reason ${leaf.reason}`;
    case 'seal':
      return `batch ${leaf.batchNo}, ${leaf.setCount} records`;
    case 'commit':
      return `what ${leaf.what}`;
  }
}

/** Reads bundles of a segment, and shapes a stream of them for the wire. */
import { MAX_BUNDLE_BYTES, MIN_BUNDLE_BYTES } from '../../../sdk/core/index.js';
import { concatBytes } from '../codec.js';
import { lastRow, type StorageDeps } from '../deps.js';
import { checkAborted, damaged } from '../failure.js';
import { frameOffset } from '../frames.js';
import { idBytes, KeyReader, rangeOf } from '../keys.js';
import type { Bundle } from '../types.js';
import { bundleKey, decodeCounted } from './records.js';

/** Bundles of a segment from the one that covers `from` to the one that covers `to` − 1, without a gap. */
export async function* segmentBundles(
  { kernel }: StorageDeps,
  id: string,
  { from, to, signal }: { from: number; to: number; signal?: AbortSignal | undefined },
): AsyncGenerator<Bundle> {
  const covering = { from: rangeOf('bundle', idBytes(id)).from, to: bundleKey(id, from + 1) };
  const start = await lastRow(kernel, covering);
  if (!start) return damaged('bundle', 'is missing');
  let expected = indexOf(start.key);
  const range = { from: start.key, to: bundleKey(id, to), ...(signal && { signal }) };
  for await (const row of kernel.scan(range)) {
    const { count, bytes } = decodeCounted('bundle', row.value);
    if (indexOf(row.key) !== expected || count === 0) damaged('bundle', 'leaves a gap');
    yield { first: expected, count, bytes };
    expected += count;
  }
  if (expected < to) damaged('bundle', 'is missing');
}

export function indexOf(key: Uint8Array): number {
  const reader = new KeyReader(key);
  reader.bytes(16);
  return reader.u64();
}

/** The part of a bundle inside [from, to). */
export function trim(bundle: Bundle, from: number, to: number): Bundle {
  const first = Math.max(bundle.first, from);
  const end = Math.min(bundle.first + bundle.count, to);
  if (first === bundle.first && end === bundle.first + bundle.count) return bundle;
  const begin = frameOffset(bundle.bytes, first - bundle.first);
  const stop = frameOffset(bundle.bytes, end - bundle.first);
  return { first, count: end - first, bytes: bundle.bytes.subarray(begin, stop) };
}

/** Joins small neighbours to at least 64 KiB where that keeps them within 256 KiB. */
export async function* join(bundles: AsyncIterable<Bundle>, signal?: AbortSignal): AsyncGenerator<Bundle> {
  let waiting: Bundle[] = [];
  let size = 0;
  for await (const bundle of bundles) {
    checkAborted(signal);
    if (size + bundle.bytes.length > MAX_BUNDLE_BYTES && size > 0) {
      yield joined(waiting);
      [waiting, size] = [[], 0];
    }
    waiting.push(bundle);
    size += bundle.bytes.length;
    if (size < MIN_BUNDLE_BYTES) continue;
    yield joined(waiting);
    [waiting, size] = [[], 0];
  }
  if (waiting.length > 0) yield joined(waiting);
}

function joined(bundles: readonly Bundle[]): Bundle {
  if (bundles.length === 1) return bundles[0]!;
  const count = bundles.reduce((sum, bundle) => sum + bundle.count, 0);
  return { first: bundles[0]!.first, count, bytes: concatBytes(bundles.map((bundle) => bundle.bytes)) };
}

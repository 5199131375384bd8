/** Erasure in place: a leaf gives way to its hash, and the older bytes to nothing. */
import { HashfedError } from '../../../sdk/core/index.js';
import { concatBytes } from '../codec.js';
import { lastRow, retry } from '../deps.js';
import { checkAborted, damaged } from '../failure.js';
import { isErased, nextFrame } from '../frames.js';
import { idBytes, rangeOf } from '../keys.js';
import { indexOf } from './bundles.js';
import type { LogReader } from './reader.js';
import { bundleKey, decodeCounted, encodeCounted, type Link } from './records.js';

export async function eraseLeaves(
  reader: LogReader,
  origin: string,
  indexes: readonly number[],
  signal?: AbortSignal,
): Promise<number> {
  const { size } = await reader.need(origin);
  const sorted = [...new Set(indexes)].sort((a, b) => a - b);
  if (sorted.length === 0) return 0;
  if (sorted[0]! < 0 || sorted.at(-1)! >= size) {
    throw new HashfedError('SIZE_AHEAD', 'an index is not below the size', { origin });
  }
  let erased = 0;
  const touched = new Set<string>();
  for (let at = 0; at < sorted.length; ) {
    checkAborted(signal);
    const link = await reader.linkAt(origin, sorted[at]!);
    const step = await retry(() => eraseInBundle(reader, link, sorted, at));
    erased += step.erased;
    at = step.next;
    touched.add(link.segment);
  }
  for (const segment of touched) await reader.deps.kernel.purge(rangeOf('bundle', idBytes(segment)));
  return erased;
}

/** Rewrites the bundle that holds `indexes[at]`; undefined when somebody else rewrote it meanwhile. */
async function eraseInBundle(
  { deps }: LogReader,
  { segment }: Link,
  indexes: readonly number[],
  at: number,
): Promise<{ erased: number; next: number } | undefined> {
  const { kernel, sha } = deps;
  const range = { from: rangeOf('bundle', idBytes(segment)).from, to: bundleKey(segment, indexes[at]! + 1) };
  const row = (await lastRow(kernel, range)) ?? damaged('bundle', 'is missing');
  const first = indexOf(row.key);
  const { count, bytes } = decodeCounted('bundle', row.value);
  if (indexes[at]! >= first + count) damaged('bundle', 'leaves a gap');
  let next = at;
  while (next < indexes.length && indexes[next]! < first + count) next += 1;
  const wanted = new Set(indexes.slice(at, next).map((index) => index - first));
  const { out, erased } = rewrite(bytes, wanted, sha.hashLeaves(bytes, count));
  if (erased === 0) return { erased, next };
  const puts = [{ key: row.key, value: encodeCounted(count, out) }];
  const done = await kernel.transact({ checks: [{ key: row.key, value: row.value }], puts });
  return done ? { erased, next } : undefined;
}

function rewrite(
  bytes: Uint8Array,
  wanted: ReadonlySet<number>,
  hashes: Uint8Array,
): { out: Uint8Array; erased: number } {
  const parts: Uint8Array[] = [];
  let [erased, kept, position] = [0, 0, 0];
  for (let at = 0; at < bytes.length; position += 1) {
    const end = nextFrame(bytes, at);
    if (wanted.has(position) && !isErased(bytes, at)) {
      parts.push(
        bytes.subarray(kept, at),
        new Uint8Array(2),
        hashes.subarray(position * 32, position * 32 + 32),
      );
      [kept, erased] = [end, erased + 1];
    }
    at = end;
  }
  parts.push(bytes.subarray(kept));
  return { out: concatBytes(parts), erased };
}

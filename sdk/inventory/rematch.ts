import { HashfedError } from '../core/index.js';
import { PdqIndex } from '../match/pdq/index.js';
import { EntryCursor, type InventoryEntry } from './entry.js';
import { HashFilter } from './hash-filter.js';
import { MAX_REF_BYTES } from './limits.js';
import type { Shelf } from './shelf.js';

/** Hashes of one type, in any number: they are walked once and not kept. */
export interface Batch {
  readonly count: number;
  readonly hashes: Iterable<Uint8Array>;
}

/** Hashes to look for, by type: what a batch added. */
export interface LookedFor {
  readonly md5?: Batch;
  readonly sha1?: Batch;
  readonly sha256?: Batch;
  readonly pdq?: Batch;
}

export interface RematchOptions {
  /** PDQ distance and quality within which an object is handed over. */
  readonly maxDistance: number;
  readonly minQuality: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (objects: number, of: number) => void;
}

type Found = (entry: InventoryEntry) => Promise<void> | void;

/** Where each exact hash lies behind `hashesAt`. */
const OFFSETS = { md5: 0, sha1: 16, sha256: 36 } as const;

/**
 * Walks a shelf and hands over every object that may match: all that do, and a few that share bits with one that does.
 * Answers how many objects were looked at. Memory: the batch and two blocks.
 */
export async function rematch(
  shelf: Shelf,
  batch: LookedFor,
  found: Found,
  options: RematchOptions,
): Promise<{ objects: number; bytes: number }> {
  const isWanted = matcherOf(batch, options);
  const scratch = Buffer.allocUnsafe(MAX_REF_BYTES);
  const of = shelf.objects;
  let [objects, bytes] = [0, 0];
  for await (const block of shelf.blocks()) {
    if (options.signal?.aborted === true) throw new HashfedError('CANCELLED', 'the rematch was cancelled');
    const cursor = new EntryCursor(block, scratch);
    while (cursor.next()) {
      objects++;
      bytes += cursor.size;
      if (isWanted(cursor)) await found(cursor.entry());
    }
    options.onProgress?.(objects, of);
  }
  return { objects, bytes };
}

function matcherOf(batch: LookedFor, options: RematchOptions): (cursor: EntryCursor) => boolean {
  const exact = Object.entries(OFFSETS).flatMap(([type, offset]) => {
    const looked = batch[type as keyof typeof OFFSETS];
    if (looked === undefined || looked.count === 0) return [];
    const filter = new HashFilter(looked.count);
    for (const hash of looked.hashes) filter.add(hash);
    return [{ offset, filter }];
  });
  const pdq = pdqIndexOf(batch.pdq);
  return (cursor) => {
    for (const { offset, filter } of exact)
      if (filter.mayHave(cursor.bytes, cursor.hashesAt + offset)) return true;
    return pdq !== undefined && resembles(pdq, cursor, options);
  };
}

function pdqIndexOf(batch: Batch | undefined): PdqIndex | undefined {
  if (batch === undefined || batch.count === 0) return undefined;
  const hashes = new Uint8Array(batch.count * 32);
  let count = 0;
  for (const hash of batch.hashes) hashes.set(hash, 32 * count++);
  const index = new PdqIndex();
  index.load(
    Uint32Array.from({ length: count }, (_, row) => row),
    hashes,
  );
  return index;
}

function resembles(
  index: PdqIndex,
  cursor: EntryCursor,
  { maxDistance, minQuality }: RematchOptions,
): boolean {
  for (let i = 0; i < cursor.pdqCount; i++) {
    const at = cursor.pdqAt + i * 33;
    if (cursor.bytes[at + 32]! < minQuality) continue;
    if (index.search(cursor.bytes.subarray(at, at + 32), maxDistance, 1).count > 0) return true;
  }
  return false;
}

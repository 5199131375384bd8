import type { Equivocation } from '../../proto/gen/hashfed/v1/federation.js';
import { ListServiceService } from '../../proto/gen/hashfed/v1/list_service.js';
import { CompactRange, concat, equalBytes, HASH_BYTES, malformed } from '../../sdk/core/index.js';
import { readStream } from '../../sdk/rpc/index.js';
import type { Offer } from '../../sdk/sync/index.js';
import type { Engine } from '../log/index.js';
import type { Head } from '../storage/index.js';

/** Leaf hashes beyond the smaller tree that evidence can hold beside two notes: evidence has 1 MiB. */
const MAX_TAIL = 24_000;
const DEADLINE_MS = 600_000;
const IDLE_MS = 60_000;
/** Bytes of a message around its hashes, at worst one hash a message. */
const MESSAGE_BYTES = 64;

/**
 * Looks whether a larger tree that the publisher signed truly does not begin with ours: then its leaf hashes make its
 * signed root, and their beginning is not our tree. Undefined where the upstream merely served wrong bytes, or where
 * the proof would be too long to keep.
 */
export async function findContradiction(
  { suite }: Engine,
  head: Head,
  { source, checkpoint }: Offer,
  signal: AbortSignal,
): Promise<Equivocation | undefined> {
  const { origin, size, root, note } = checkpoint;
  if (size <= head.size || size - head.size > MAX_TAIL) return undefined;
  const tree = CompactRange.empty(suite.sha256);
  const tail: Uint8Array[] = [];
  let edge: readonly Uint8Array[] = [];
  for await (const hashes of leafHashes({ source, checkpoint }, signal)) {
    const before = Math.max(0, Math.min(hashes.length, (head.size - tree.size) * HASH_BYTES));
    tree.append(hashes.subarray(0, before));
    if (tree.size === head.size && tail.length === 0) {
      if (equalBytes(tree.root(), head.root)) return undefined;
      edge = tree.hashes;
    }
    if (before === hashes.length) continue;
    tail.push(hashes.slice(before));
    tree.append(hashes.subarray(before));
  }
  if (tree.size !== size || !equalBytes(tree.root(), root)) return undefined;
  const contradiction = concat(...edge, ...tail);
  const none = new Uint8Array();
  const found = { foundMs: 0n, foundBy: '' };
  return { origin, noteA: head.note, noteB: note, statementB: none, contradiction, ...found };
}

/** Leaf hashes from the first entry on, as the upstream says them. */
async function* leafHashes(
  { source, checkpoint }: Pick<Offer, 'source' | 'checkpoint'>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const { origin, size } = checkpoint;
  const request = { origin, from: 0n, to: BigInt(size), leafHashesOnly: true };
  const limits = {
    deadlineMs: DEADLINE_MS,
    idleMs: IDLE_MS,
    maxBytes: size * (HASH_BYTES + MESSAGE_BYTES),
    signal,
  };
  let next = 0;
  for await (const message of readStream(source.channel, ListServiceService.pullEntries, request, limits)) {
    const { firstIndex, count, bundle } = message;
    if (
      Number(firstIndex) !== next ||
      bundle.length !== count * HASH_BYTES ||
      count === 0 ||
      next + count > size
    )
      malformed('bundle', 'holds no leaf hashes that continue those before');
    next += count;
    yield bundle;
  }
}

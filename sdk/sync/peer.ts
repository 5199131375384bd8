import type { CheckpointBundle } from '../../proto/gen/hashfed/v1/common.js';
import type { GetSnapshotIndexResponse, PullSnapshotResponse } from '../../proto/gen/hashfed/v1/list.js';
import { malformed } from '../core/index.js';
import { callUnary, readStream } from '../rpc/index.js';
import { ListServiceService } from '../rpc/services/list.js';
import type { StoredBundle } from '../store/index.js';
import type { Source } from './deps.js';
import { CALL_MS, IDLE_MS, MAX_ENTRY_BYTES, MAX_WAIT_MS, STREAM_MS } from './limits.js';

const L = ListServiceService;
const HASH_BYTES = 32;
const MAX_PROOF_HASHES = 128;

type Signal = AbortSignal | undefined;
const unary = (signal: Signal) => ({ deadlineMs: CALL_MS, signal });
const stream = (signal: Signal, maxBytes: number) => ({
  deadlineMs: STREAM_MS,
  idleMs: IDLE_MS,
  maxBytes,
  signal,
});

/** What a source answers to GetCheckpoint; nothing of it is verified. */
export interface ServedCheckpoint {
  readonly bundle: CheckpointBundle;
  /** Wait at least this long before asking again, milliseconds. */
  readonly minWaitMs: number;
}

export async function askCheckpoint(
  source: Source,
  origin: string,
  signal: Signal,
): Promise<ServedCheckpoint> {
  const { checkpoint, minWaitMs } = await callUnary(
    source.channel,
    L.getCheckpoint,
    { origin },
    unary(signal),
  );
  if (checkpoint === undefined) malformed('checkpoint', 'is missing');
  return { bundle: checkpoint, minWaitMs: Math.min(MAX_WAIT_MS, minWaitMs) };
}

/** One root version, as an envelope. `NOT_FOUND` beyond the newest. */
export async function askRoot(
  source: Source,
  publisher: string,
  version: number,
  signal: Signal,
): Promise<Uint8Array> {
  const request = { publisher, version: BigInt(version) };
  return (await callUnary(source.channel, L.getPublisherRoot, request, unary(signal))).envelope;
}

/** Consistency proof of `from` in the tree of `to`, as hashes; the caller verifies it. */
export async function askConsistency(
  source: Source,
  origin: string,
  from: number,
  to: number,
  signal: Signal,
): Promise<Uint8Array[]> {
  if (from === to) return [];
  const request = { origin, size: BigInt(to), indexes: [], fromSize: BigInt(from) };
  return splitHashes((await callUnary(source.channel, L.getProof, request, unary(signal))).consistency);
}

/** Entries [from, to) in unchecked bundles. Ends normally only where the source says that it is done. */
export async function* askEntries(
  source: Source,
  origin: string,
  from: number,
  to: number,
  signal: Signal,
): AsyncGenerator<StoredBundle> {
  const request = { origin, from: BigInt(from), to: BigInt(to), leafHashesOnly: false };
  const limits = stream(signal, (to - from) * MAX_ENTRY_BYTES);
  for await (const { firstIndex, count, bundle } of readStream(
    source.channel,
    L.pullEntries,
    request,
    limits,
  )) {
    yield { firstIndex: Number(firstIndex), count, bytes: bundle };
  }
}

export function askSnapshotIndex(
  source: Source,
  origin: string,
  maxSize: number,
  signal: Signal,
): Promise<GetSnapshotIndexResponse> {
  const request = { origin, maxSize: BigInt(maxSize) };
  return callUnary(source.channel, L.getSnapshotIndex, request, unary(signal));
}

/** Buckets [fromBucket, toBucket); more than `maxBytes` is refused. */
export function askSnapshot(
  source: Source,
  part: { origin: string; size: number; fromBucket: number; toBucket: number; maxBytes: number },
  signal: Signal,
): AsyncIterable<PullSnapshotResponse> {
  const { origin, size, fromBucket, toBucket, maxBytes } = part;
  const request = { origin, size: BigInt(size), fromBucket, toBucket };
  return readStream(source.channel, L.pullSnapshot, request, stream(signal, maxBytes));
}

/** Hashes of 32 bytes out of one field. Throws MALFORMED. */
export function splitHashes(bytes: Uint8Array): Uint8Array[] {
  if (bytes.length % HASH_BYTES !== 0 || bytes.length > MAX_PROOF_HASHES * HASH_BYTES)
    malformed('hashes', 'are not whole, or too many');
  const out: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += HASH_BYTES) out.push(bytes.slice(at, at + HASH_BYTES));
  return out;
}

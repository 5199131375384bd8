import { ListServiceService } from '../../proto/gen/hashfed/v1/list_service.js';
import { TelemetryServiceService } from '../../proto/gen/hashfed/v1/telemetry_service.js';
import { HashfedError, malformed } from '../core/index.js';
import { type ChannelConfig, callUnary, openChannel, type RpcChannel, readStream } from '../rpc/index.js';
import type { StoredBundle } from '../store/index.js';
import { CALL_MS, IDLE_MS, MAX_ENTRY_BYTES, STREAM_MS, WATCH_IDLE_MS, WATCH_MS } from './limits.js';
import type { ServedCheckpoint, Source, WatchEvent } from './types.js';

const L = ListServiceService;
const HASH_BYTES = 32;
/** A server cannot keep its clients away for longer, milliseconds. */
const MAX_WAIT_MS = 3_600_000;

/** A source over its own channel. Connecting happens with the first call; `close` ends it. */
export function connect(config: ChannelConfig): Source {
  return sourceOf(config.address, openChannel(config));
}

/** A source over a channel that is open; `close` closes it. */
export function sourceOf(name: string, channel: RpcChannel): Source {
  const unary = (signal: AbortSignal | undefined) => ({ deadlineMs: CALL_MS, signal });
  const stream = (signal: AbortSignal | undefined, maxBytes: number) => ({
    deadlineMs: STREAM_MS,
    idleMs: IDLE_MS,
    maxBytes,
    signal,
  });
  return {
    name,
    root: async (publisher, version, signal) => {
      const request = { publisher, version: BigInt(version) };
      return (await callUnary(channel, L.getPublisherRoot, request, unary(signal))).envelope;
    },
    checkpoint: async (origin, signal) =>
      served(await callUnary(channel, L.getCheckpoint, { origin }, unary(signal))),
    consistency: async (origin, from, to, signal) => {
      const request = { origin, size: BigInt(to), indexes: [], fromSize: BigInt(from) };
      return splitHashes((await callUnary(channel, L.getProof, request, unary(signal))).consistency);
    },
    entries: (origin, from, to, signal) =>
      entries(channel, origin, from, to, stream(signal, bytesFor(to - from))),
    snapshotIndex: (origin, maxSize, signal) =>
      callUnary(channel, L.getSnapshotIndex, { origin, maxSize: BigInt(maxSize) }, unary(signal)),
    snapshot: (origin, size, fromBucket, maxBytes, signal) =>
      readStream(
        channel,
        L.pullSnapshot,
        { origin, size: BigInt(size), fromBucket, toBucket: 0 },
        stream(signal, maxBytes),
      ),
    watch: (origins, signal) => watch(channel, origins, signal),
    report: async (request, signal) =>
      (await callUnary(channel, TelemetryServiceService.reportSyncState, request, unary(signal)))
        .reportWithinS,
    close: () => channel.close(),
  };
}

const bytesFor = (entries: number): number => entries * MAX_ENTRY_BYTES;

function served(answer: {
  checkpoint?: ServedCheckpoint['bundle'] | undefined;
  minWaitMs: number;
}): ServedCheckpoint {
  if (answer.checkpoint === undefined) malformed('checkpoint', 'is missing');
  return { bundle: answer.checkpoint, minWaitMs: Math.min(MAX_WAIT_MS, answer.minWaitMs) };
}

/** Hashes of 32 bytes out of one field. Throws MALFORMED. */
export function splitHashes(bytes: Uint8Array): Uint8Array[] {
  if (bytes.length % HASH_BYTES !== 0) malformed('hashes', 'end within a hash');
  const out: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += HASH_BYTES) out.push(bytes.slice(at, at + HASH_BYTES));
  return out;
}

async function* entries(
  channel: RpcChannel,
  origin: string,
  from: number,
  to: number,
  limits: Parameters<typeof readStream>[3],
): AsyncGenerator<StoredBundle> {
  const request = { origin, from: BigInt(from), to: BigInt(to), leafHashesOnly: false };
  for await (const { firstIndex, count, bundle } of readStream(channel, L.pullEntries, request, limits)) {
    yield { firstIndex: Number(firstIndex), count, bytes: bundle };
  }
}

async function* watch(
  channel: RpcChannel,
  origins: readonly string[],
  signal: AbortSignal | undefined,
): AsyncGenerator<WatchEvent> {
  const limits = {
    deadlineMs: WATCH_MS,
    idleMs: WATCH_IDLE_MS,
    maxBytes: Number.POSITIVE_INFINITY,
    signal,
  };
  try {
    for await (const { checkpoint } of readStream(
      channel,
      L.watchCheckpoints,
      { origins: [...origins] },
      limits,
    ))
      yield { bundle: checkpoint };
  } catch (cause) {
    // A watch that lasted its whole time is no failure.
    if (cause instanceof HashfedError && cause.code === 'DEADLINE') return;
    throw cause;
  }
}

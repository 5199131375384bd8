import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
} from '@grpc/grpc-js';
import type { CheckpointBundle } from '../../../proto/gen/hashfed/v1/common.js';
import type {
  GetSnapshotIndexResponse,
  PullEntriesRequest,
  PullEntriesResponse,
  PullSnapshotRequest,
  PullSnapshotResponse,
  WatchCheckpointsResponse,
} from '../../../proto/gen/hashfed/v1/list.js';
import { ListServiceService } from '../../../proto/gen/hashfed/v1/list_service.js';
import type { ReportSyncStateRequest } from '../../../proto/gen/hashfed/v1/telemetry_exchange.js';
import { TelemetryServiceService } from '../../../proto/gen/hashfed/v1/telemetry_service.js';
import {
  formatCheckpoint,
  formatNote,
  HashfedError,
  portableSha256,
  signNote,
  type TreeState,
} from '../../../sdk/core/index.js';
import { openChannel, toStatus } from '../../../sdk/rpc/index.js';
import type { Source } from '../../../sdk/sync/index.js';
import {
  APPROVE_KEY,
  APPROVER,
  encodeFreshness,
  encodeLiveness,
  encodeRoot,
  FRESHNESS_KEY,
  freshnessMessage,
  LIST_KEY,
  LIVE_KEY,
  livenessMessage,
  originPolicy,
  ROOT_KEYS,
  rootMessage,
  signBody,
} from '../trust/bodies.js';
import { suite } from '../trust/keys.js';
import { cosigner, sequencer } from '../trust/log.js';
import { BulkLog, type BulkSnapshot, flat } from './bulk-log.js';

const NONE = new Uint8Array();
type Head = TreeState & { readonly note: Uint8Array; readonly twoKeys: boolean };

/** A publisher's one list, its notes and statements: what servers serve. */
export class FakeList {
  readonly log: BulkLog;
  readonly heads: Head[] = [];
  readonly now: () => number;
  readonly rootEnvelope: Uint8Array;
  readonly rootSha256: Uint8Array;
  snapshot: BulkSnapshot | undefined;

  constructor(origin: string, now: () => number, log = new BulkLog(origin, now)) {
    this.log = log;
    this.now = now;
    const message = rootMessage({ origins: [originPolicy({ origin })] });
    this.rootSha256 = portableSha256.digest(encodeRoot(message));
    this.rootEnvelope = signBody('root', encodeRoot(message), ROOT_KEYS[0], ROOT_KEYS[1]);
  }

  get origin(): string {
    return this.log.origin;
  }

  /** Signs the present state. */
  sign(keys: 'one' | 'two', state = this.log.at()): Head {
    const head = { ...state, note: this.note(state, keys), twoKeys: keys === 'two' };
    this.heads.push(head);
    return head;
  }

  note(state: TreeState, keys: 'one' | 'two'): Uint8Array {
    const body = formatCheckpoint({ origin: this.origin, ...state });
    const signers = [sequencer(LIST_KEY, this.origin)];
    if (keys === 'two') signers.push(cosigner(APPROVE_KEY, APPROVER, Math.floor(this.now() / 1000)));
    return formatNote(
      body,
      signers.map(({ key, seed, timeS }) => signNote(suite, body, key, seed, timeS)),
    );
  }

  get head(): Head | undefined {
    return this.heads.at(-1);
  }

  freshness(state: TreeState, issuedAtMs = this.now()): Uint8Array {
    const message = freshnessMessage(this.rootSha256, {
      origin: this.origin,
      size: BigInt(state.size),
      root: state.root,
      issuedAtMs: BigInt(issuedAtMs),
      notAfterMs: BigInt(issuedAtMs + 3_600_000),
    });
    return signBody('freshness', encodeFreshness(message), FRESHNESS_KEY);
  }

  liveness(state: TreeState): Uint8Array {
    const { size, root } = state;
    const message = livenessMessage({
      origin: this.origin,
      size: BigInt(size),
      root,
      timeMs: BigInt(this.now()),
    });
    return signBody('liveness', encodeLiveness(message), LIVE_KEY);
  }

  bundle(head = this.head): CheckpointBundle {
    if (head === undefined)
      return {
        origin: this.origin,
        note: NONE,
        anchorNote: NONE,
        freshness: NONE,
        liveness: NONE,
        rootVersion: 1n,
      };
    const anchor = this.heads.findLast(({ twoKeys, size }) => twoKeys && size <= head.size);
    return {
      origin: this.origin,
      note: head.note,
      anchorNote: anchor?.note ?? NONE,
      freshness: this.freshness(head),
      liveness: this.liveness(head),
      rootVersion: 1n,
    };
  }
}

/** What a server does otherwise than an honest one. */
export interface Bends {
  bundle?: (honest: CheckpointBundle) => CheckpointBundle;
  entries?: (
    honest: Iterable<PullEntriesResponse>,
    request: PullEntriesRequest,
  ) => Iterable<PullEntriesResponse> | AsyncIterable<PullEntriesResponse>;
  snapshotIndex?: (honest: GetSnapshotIndexResponse) => GetSnapshotIndexResponse;
  snapshot?: (
    honest: Iterable<PullSnapshotResponse>,
    request: PullSnapshotRequest,
  ) => Iterable<PullSnapshotResponse>;
}

/** An in-process server on the loopback for one list, which can be bent. */
export class FakeServer {
  readonly list: FakeList;
  bends: Bends = {};
  readonly pulls: { from: number; to: number }[] = [];
  readonly snapshotPulls: number[] = [];
  /** Buckets that were asked for, one by one. */
  readonly bucketsAsked: number[] = [];
  readonly reports: ReportSyncStateRequest[] = [];
  readonly address: string;
  readonly #server: Server;
  readonly #watchers = new Set<() => void>();

  private constructor(list: FakeList, server: Server, port: number) {
    this.list = list;
    this.#server = server;
    this.address = `127.0.0.1:${port}`;
  }

  static async start(list: FakeList): Promise<FakeServer> {
    const made: { fake?: FakeServer } = {};
    const server = new Server({ 'grpc-node.flow_control_window': 16 << 20 });
    server.addService(ListServiceService, handlers(() => made.fake!) as never);
    server.addService(TelemetryServiceService, {
      reportSyncState: unary((request: ReportSyncStateRequest) => {
        made.fake!.reports.push(request);
        return { reportWithinS: 3_600 };
      }),
    } as never);
    const port = await new Promise<number>((resolve, reject) => {
      const credentials = ServerCredentials.createInsecure();
      server.bindAsync('127.0.0.1:0', credentials, (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    made.fake = new FakeServer(list, server, port);
    return made.fake;
  }

  /** A connection to it, or to whatever passes calls on to it from `address`. */
  source(address = this.address): Source {
    const random = { bytes: (length: number) => new Uint8Array(length) };
    const channel = openChannel({ address, tls: 'plaintext-loopback', random });
    return { name: address, channel };
  }

  stop(): void {
    this.#server.forceShutdown();
  }

  /** Tells watchers that something changed. */
  announce(): void {
    for (const wake of this.#watchers) wake();
  }

  served(): CheckpointBundle {
    const honest = this.list.bundle();
    return this.bends.bundle?.(honest) ?? honest;
  }

  async *watch(): AsyncGenerator<WatchCheckpointsResponse> {
    const event = (checkpoint: CheckpointBundle | undefined) => ({
      checkpoint,
      serverTimeMs: 0n,
      heartbeatMs: 15_000,
    });
    for (;;) {
      yield event(this.served());
      await new Promise<void>((resolve) => {
        this.#watchers.add(resolve);
      });
    }
  }

  entries(request: PullEntriesRequest): Iterable<PullEntriesResponse> | AsyncIterable<PullEntriesResponse> {
    const [from, to] = [Number(request.from), Number(request.to)];
    this.pulls.push({ from, to });
    const honest = messages(this.list.log, from, to);
    return this.bends.entries?.(honest, request) ?? honest;
  }

  snapshotIndex(): GetSnapshotIndexResponse {
    const { snapshot, origin } = this.list;
    if (snapshot === undefined) throw new HashfedError('NOT_FOUND', 'no snapshot', { origin });
    const honest = {
      origin,
      size: BigInt(snapshot.size),
      anchorNote: this.list.heads.find(({ size }) => size === snapshot.size)?.note ?? NONE,
      checkpoint: this.served(),
      sealLeaf: snapshot.sealLeaf,
      sealPath: flat(snapshot.sealPath),
      compactRange: flat(snapshot.range),
      bucketDigests: snapshot.bucketDigests,
      holds: snapshot.holds,
      totalBytes: BigInt(snapshot.buckets.reduce((sum, rows) => sum + rows.length, 0)),
    };
    return this.bends.snapshotIndex?.(honest) ?? honest;
  }

  snapshot(request: PullSnapshotRequest): Iterable<PullSnapshotResponse> {
    const all = this.list.snapshot!.buckets;
    const { fromBucket: from, toBucket: to } = request;
    this.snapshotPulls.push(from);
    for (let b = from; b < (to || all.length); b++) this.bucketsAsked.push(b);
    const honest = buckets(all, from, to || all.length);
    return this.bends.snapshot?.(honest, request) ?? honest;
  }
}

function* messages(log: BulkLog, from: number, to: number): Generator<PullEntriesResponse> {
  for (const { firstIndex, count, bytes } of log.entries(from, to))
    yield { firstIndex: BigInt(firstIndex), count, bundle: bytes };
}

/** Records of one bucket in pieces of at most this many bytes, so that buckets go on in the next message. */
const PIECE_BYTES = 40 * 77;

function* buckets(all: readonly Uint8Array[], from: number, to: number): Generator<PullSnapshotResponse> {
  for (let b = from; b < to; b++) {
    const rows = all[b]!;
    for (let at = 0; at === 0 || at < rows.length; at += PIECE_BYTES) {
      const piece = rows.subarray(at, at + PIECE_BYTES);
      yield {
        firstBucket: b,
        bucketBytes: [piece.length],
        rows: piece,
        continues: at + PIECE_BYTES < rows.length,
      };
    }
  }
}

function unary<A, B>(answer: (request: A) => B) {
  return (call: ServerUnaryCall<A, B>, done: sendUnaryData<B>) => {
    try {
      done(null, answer(call.request));
    } catch (error) {
      done(toStatus(error));
    }
  };
}

function streaming<A, B>(answer: (request: A) => Iterable<B> | AsyncIterable<B>) {
  return async (call: ServerWritableStream<A, B>) => {
    try {
      for await (const message of answer(call.request)) {
        if (call.cancelled) return;
        await new Promise<void>((resolve) => call.write(message, () => resolve()));
      }
      call.end();
    } catch (error) {
      call.emit('error', toStatus(error));
    }
  };
}

function handlers(fake: () => FakeServer) {
  const absent = unary((): never => {
    throw new HashfedError('UNIMPLEMENTED', 'not here');
  });
  return {
    listLists: absent,
    getPublisherRoot: unary(({ version }: { version: bigint }) => {
      if (version > 1n) throw new HashfedError('NOT_FOUND', 'no such root');
      return { envelope: fake().list.rootEnvelope, newestVersion: 1n };
    }),
    getCheckpoint: unary(() => ({ checkpoint: fake().served(), minWaitMs: 1_000 })),
    getProof: unary(({ fromSize, size }: { fromSize: bigint; size: bigint }) => ({
      inclusion: [],
      consistency: flat(fake().list.log.prove(Number(fromSize), Number(size))),
    })),
    pullEntries: streaming((request: PullEntriesRequest) => fake().entries(request)),
    watchCheckpoints: streaming(() => fake().watch()),
    getSnapshotIndex: unary(() => fake().snapshotIndex()),
    pullSnapshot: streaming((request: PullSnapshotRequest) => fake().snapshot(request)),
  };
}

import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type sendUnaryData,
} from '@grpc/grpc-js';
import type { CheckpointBundle } from '../../../proto/gen/hashfed/v1/common.js';
import type {
  GetCheckpointRequest,
  GetCheckpointResponse,
  GetProofRequest,
  GetProofResponse,
  GetPublisherRootRequest,
  GetPublisherRootResponse,
  GetSnapshotIndexResponse,
  PullEntriesRequest,
  PullEntriesResponse,
  PullSnapshotRequest,
  PullSnapshotResponse,
  WatchCheckpointsResponse,
} from '../../../proto/gen/hashfed/v1/list.js';
import { ListServiceService } from '../../../proto/gen/hashfed/v1/list_service.js';
import { concat, HashfedError } from '../../../sdk/core/index.js';
import { toStatus } from '../../../sdk/rpc/index.js';
import type { ServedLog } from './log.js';
import type { TestPublisher } from './publisher.js';

type MaybePromise<T> = T | Promise<T>;
/** A Buffer goes onto the wire as it is, whatever it holds. */
type Wire<T> = T | Buffer;

/** What a case bends. Each gets the honest answer and may throw a HashfedError, which goes over the wire. */
export interface Lies {
  checkpoint?: (honest: CheckpointBundle, origin: string) => MaybePromise<Wire<CheckpointBundle>>;
  minWaitMs?: number;
  root?: (version: number, publisher: string, honest: () => Uint8Array) => MaybePromise<Uint8Array>;
  proof?: (honest: () => Uint8Array[], from: number, to: number) => Uint8Array[];
  pull?: (
    honest: readonly PullEntriesResponse[],
    request: { origin: string; from: number; to: number },
  ) => Iterable<Wire<PullEntriesResponse>> | AsyncIterable<Wire<PullEntriesResponse>>;
  /** Another log than the publisher's own. */
  log?: ServedLog;
  snapshotIndex?: () => MaybePromise<GetSnapshotIndexResponse>;
  snapshot?: (request: PullSnapshotRequest) => Iterable<PullSnapshotResponse>;
  watch?: () => AsyncIterable<WatchCheckpointsResponse>;
}

export interface ServerIdentity {
  readonly ca: { readonly certificatePem: string };
  readonly server: { readonly certificatePem: string; readonly keyPem: string };
}

/** Entries in one message: several messages a pull, so that their order and number can be bent. */
const ENTRIES_A_MESSAGE = 512;
const SMALL_MESSAGE = 8;

/** A real gRPC server over mutual TLS that answers for honest publishers, except where a case lies. */
export class Liar {
  lies: Lies = {};
  publishers: readonly TestPublisher[] = [];
  readonly address: string;
  readonly #server: Server;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.address = `localhost:${port}`;
  }

  static async start({ ca, server: own }: ServerIdentity, options: object = {}): Promise<Liar> {
    const server = new Server({ 'grpc.max_send_message_length': -1, ...options });
    const made: { liar?: Liar } = {};
    server.addService(
      passing(ListServiceService),
      handlers(() => made.liar!),
    );
    const pair = { private_key: Buffer.from(own.keyPem), cert_chain: Buffer.from(own.certificatePem) };
    const credentials = ServerCredentials.createSsl(Buffer.from(ca.certificatePem), [pair], true);
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', credentials, (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    made.liar = new Liar(server, port);
    return made.liar;
  }

  stop(): void {
    this.#server.forceShutdown();
  }

  publisherOf(origin: string): TestPublisher {
    const found = this.publishers.find((one) => one.logs.has(origin));
    if (found === undefined) throw new HashfedError('UNKNOWN_ORIGIN', 'no such list', { origin });
    return found;
  }

  log(origin: string): ServedLog {
    const { log } = this.lies;
    return log !== undefined && log.origin.text === origin ? log : this.publisherOf(origin).log(origin);
  }

  honestBundle(origin: string): CheckpointBundle {
    const publisher = this.publisherOf(origin);
    const head = publisher.head(origin);
    const none = new Uint8Array();
    const rootVersion = publisher.root.version;
    if (head === undefined)
      return { origin, note: none, anchorNote: none, freshness: none, liveness: none, rootVersion };
    const state = publisher.log(origin).at(head.size);
    return {
      origin,
      note: head.note,
      anchorNote: publisher.anchor(origin, head.size)?.note ?? none,
      freshness: publisher.freshness(origin, state),
      liveness: publisher.liveness(origin, state),
      rootVersion,
    };
  }

  honestPull(origin: string, from: number, to: number): PullEntriesResponse[] {
    const log = this.log(origin);
    if (to > log.size) throw new HashfedError('SIZE_AHEAD', 'beyond the committed size', { origin });
    const out: PullEntriesResponse[] = [];
    const step = to - from > 100 ? ENTRIES_A_MESSAGE : SMALL_MESSAGE;
    for (let at = from; at < to; at += step) {
      const end = Math.min(to, at + step);
      out.push({ firstIndex: BigInt(at), count: end - at, bundle: log.bundle(at, end) });
    }
    return out;
  }
}

/** The service with responses that may be given as bytes. */
function passing<S extends ServiceDefinition>(service: S): ServiceDefinition {
  const entries = Object.entries(service).map(([name, method]) => {
    const encode = method.responseSerialize;
    const responseSerialize = (value: unknown) => (Buffer.isBuffer(value) ? value : encode(value as never));
    return [name, { ...method, responseSerialize }];
  });
  return Object.fromEntries(entries) as ServiceDefinition;
}

type Unary<A, B> = (call: ServerUnaryCall<A, B>, done: sendUnaryData<B>) => void;

function unary<A, B>(answer: (request: A) => MaybePromise<Wire<B>>): Unary<A, B> {
  return (call, done) => {
    Promise.resolve()
      .then(() => answer(call.request))
      .then(
        (value) => done(null, value as B),
        (error: unknown) => done(toStatus(error)),
      );
  };
}

type Answers<B> = Iterable<Wire<B>> | AsyncIterable<Wire<B>>;

function streaming<A, B>(answer: (request: A) => Answers<B>) {
  return async (call: ServerWritableStream<A, B>) => {
    try {
      for await (const message of answer(call.request)) {
        if (call.cancelled) return;
        await new Promise<void>((resolve) => call.write(message as B, () => resolve()));
      }
      call.end();
    } catch (error) {
      call.emit('error', toStatus(error));
    }
  };
}

function handlers(liar: () => Liar) {
  return {
    getCheckpoint: unary(async ({ origin }: GetCheckpointRequest): Promise<Wire<GetCheckpointResponse>> => {
      const { lies } = liar();
      const honest = liar().honestBundle(origin);
      const checkpoint = lies.checkpoint === undefined ? honest : await lies.checkpoint(honest, origin);
      return Buffer.isBuffer(checkpoint) ? checkpoint : { checkpoint, minWaitMs: lies.minWaitMs ?? 1_000 };
    }),
    getPublisherRoot: unary(async ({ publisher, version }: GetPublisherRootRequest) => {
      const one = liar().publishers.find(({ name }) => name === publisher);
      const honest = () => {
        const found = one?.roots[Number(version) - 1];
        if (found === undefined) throw new HashfedError('NOT_FOUND', 'no such root version');
        return found.envelope;
      };
      const { root } = liar().lies;
      const envelope = root === undefined ? honest() : await root(Number(version), publisher, honest);
      return { envelope, newestVersion: BigInt(one?.roots.length ?? 0) } satisfies GetPublisherRootResponse;
    }),
    getProof: unary(({ origin, size, fromSize }: GetProofRequest): GetProofResponse => {
      const [from, to] = [Number(fromSize), Number(size)];
      const honest = () => liar().log(origin).prove(from, to);
      const { proof } = liar().lies;
      const hashes = proof === undefined ? honest() : proof(honest, from, to);
      return { inclusion: [], consistency: concat(...hashes) };
    }),
    ...streams(liar),
  };
}

function streams(liar: () => Liar) {
  const absent = (): never => {
    throw new HashfedError('NOT_FOUND', 'no snapshot');
  };
  return {
    pullEntries: streaming(({ origin, from, to }: PullEntriesRequest): Answers<PullEntriesResponse> => {
      const range = { origin, from: Number(from), to: Number(to) };
      const { pull } = liar().lies;
      if (pull === undefined) return liar().honestPull(origin, range.from, range.to);
      const most = Math.min(range.to, liar().log(origin).size);
      return pull(liar().honestPull(origin, Math.min(range.from, most), most), range);
    }),
    getSnapshotIndex: unary(() => liar().lies.snapshotIndex?.() ?? absent()),
    pullSnapshot: streaming(
      (request: PullSnapshotRequest): Answers<PullSnapshotResponse> =>
        liar().lies.snapshot?.(request) ?? absent(),
    ),
    watchCheckpoints: streaming(
      (): Answers<WatchCheckpointsResponse> =>
        liar().lies.watch?.() ?? [{ checkpoint: undefined, serverTimeMs: 0n, heartbeatMs: 15_000 }],
    ),
    listLists: unary(() => ({ lists: [], nextPageToken: '' })),
  };
}

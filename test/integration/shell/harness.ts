import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type ClientHttp2Stream, connect as connectHttp2 } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import type { Identity } from '../../../client/pki/index.js';
import {
  type AuditEvent,
  type Directory,
  DirectoryHolder,
  type MemberRecord,
  type Role,
} from '../../../server/access/index.js';
import { DEFAULT_LIMITS, type ServerLimits } from '../../../server/config/index.js';
import { logTo } from '../../../server/logging/index.js';
import {
  type BoundService,
  bind,
  type Handlers,
  type RunningServer,
  startServer,
  type Transport,
} from '../../../server/shell/index.js';
import { type MovableClock, makeTestFederation, type TestFederation, testPki } from '../../support/pki.js';

const same = (bytes: Buffer): Buffer => bytes;
const bytes = {
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
};
const refuseOdd = (message: Buffer): Buffer => {
  if (message.toString() === 'undecodable') throw new Error('canary-decode');
  return message;
};

/** Methods of every shape under names that have access rules; messages are plain bytes. */
export const TEST_SERVICE = {
  lookupHash: {
    path: '/hashfed.v1.QueryService/LookupHash',
    requestStream: false,
    responseStream: false,
    ...bytes,
    requestDeserialize: refuseOdd,
  },
  pullEntries: {
    path: '/hashfed.v1.ListService/PullEntries',
    requestStream: false,
    responseStream: true,
    ...bytes,
  },
  watchCheckpoints: {
    path: '/hashfed.v1.ListService/WatchCheckpoints',
    requestStream: false,
    responseStream: true,
    ...bytes,
  },
  uploadEntries: {
    path: '/hashfed.v1.PublishService/UploadEntries',
    requestStream: true,
    responseStream: false,
    ...bytes,
  },
  setBudget: {
    path: '/hashfed.v1.DirectoryService/SetBudget',
    requestStream: false,
    responseStream: false,
    ...bytes,
  },
  getCheckpoint: {
    path: '/hashfed.v1.ListService/GetCheckpoint',
    requestStream: false,
    responseStream: false,
    ...bytes,
  },
} as const;
export type TestHandlers = Handlers<typeof TEST_SERVICE>;

export function record(name: string, roles: readonly Role[], more: Partial<MemberRecord> = {}): MemberRecord {
  return {
    name,
    roles: new Set(roles),
    status: 'active',
    validFromMs: 0,
    validUntilMs: Number.POSITIVE_INFINITY,
    readableLists: new Set(['police.example/stream/sha256']),
    domains: new Set(),
    ...more,
  };
}

export function directoryOf(
  version: number,
  members: readonly MemberRecord[],
  more: Partial<Directory> = {},
): Directory {
  const byName = new Map(members.map((member) => [member.name, member]));
  return {
    federation: 'test.example',
    version,
    expiresMs: Date.now() + 86_400_000,
    development: true,
    member: (name) => byName.get(name),
    ...more,
  };
}

export const MEMBERS = [
  record('hoster-a', ['hoster']),
  record('police', ['publisher'], { domains: new Set(['police.example']) }),
  record('operator', ['operator']),
  record('suspended', ['hoster'], { status: 'suspended' }),
  record('ended', ['hoster'], { validUntilMs: Date.now() - 1 }),
];

export interface Bench {
  readonly server: RunningServer;
  readonly federation: TestFederation;
  readonly clock: MovableClock;
  readonly holder: DirectoryHolder;
  readonly audited: AuditEvent[];
  readonly folder: string;
  /** Everything logged so far. */
  logged(): string;
  client(identity: Identity | undefined, ca?: Identity, options?: object): Client;
  /** A client of a member, with a fresh certificate. */
  as(member: string, options?: object): Promise<Client>;
  writeServer(identity: Identity): Promise<void>;
  close(): Promise<void>;
}

export interface BenchOptions {
  readonly limits?: Partial<ServerLimits>;
  readonly directory?: Directory;
  readonly transport?: Transport;
  readonly listen?: string;
  /** Instead of the test service. */
  readonly services?: readonly BoundService[];
  readonly holder?: DirectoryHolder;
}

export async function startBench(handlers: TestHandlers, options: BenchOptions = {}): Promise<Bench> {
  const { environment, clock } = testPki();
  const federation = await makeTestFederation(environment);
  const folder = await mkdtemp(join(tmpdir(), 'hashfed-shell-'));
  const files = {
    certificate: join(folder, 'server.pem'),
    key: join(folder, 'server-key.pem'),
    clientCa: join(folder, 'ca.pem'),
  };
  const writeServer = async (identity: Identity): Promise<void> => {
    await writeFile(files.certificate, identity.certificatePem);
    await writeFile(files.key, identity.keyPem, { mode: 0o600 });
  };
  await writeServer(federation.server);
  await writeFile(files.clientCa, federation.ca.certificatePem);
  const lines: string[] = [];
  const sink = new Writable({
    write: (chunk, _encoding, done) => {
      lines.push(String(chunk));
      done();
    },
  });
  const holder = options.holder ?? new DirectoryHolder(options.directory ?? directoryOf(1, MEMBERS));
  const audited: AuditEvent[] = [];
  const clients: Client[] = [];
  const server = await startServer({
    listen: options.listen ?? '127.0.0.1:0',
    federation: 'test.example',
    transport: options.transport ?? { kind: 'tls', files, reloadMs: 3_600_000 },
    limits: { ...DEFAULT_LIMITS, drain_ms: 5_000, ...options.limits },
    services: options.services ?? [bind(TEST_SERVICE, handlers)],
    directory: holder,
    clock,
    log: logTo('debug', sink),
    audit: { record: (event) => audited.push(event) },
  }).catch(async (error: unknown) => {
    await rm(folder, { recursive: true });
    throw error;
  });
  server.setReady(true);
  const client = (identity: Identity | undefined, ca = federation.ca, more: object = {}): Client => {
    const key = identity === undefined ? null : Buffer.from(identity.keyPem);
    const certificate = identity === undefined ? null : Buffer.from(identity.certificatePem);
    const secure = credentials.createSsl(Buffer.from(ca.certificatePem), key, certificate);
    const made = new Client(server.address, secure, { 'grpc.use_local_subchannel_pool': 1, ...more });
    clients.push(made);
    return made;
  };
  return {
    server,
    federation,
    clock,
    holder,
    audited,
    folder,
    logged: () => lines.join(''),
    client,
    as: async (member, more) => client(await federation.member(member), federation.ca, more),
    writeServer,
    close: async () => {
      for (const made of clients) made.close();
      await server.stop();
      await rm(folder, { recursive: true });
    },
  };
}

type Method = (typeof TEST_SERVICE)[keyof typeof TEST_SERVICE];

export const deadlineIn = (ms: number): { deadline: number } => ({ deadline: Date.now() + ms });

/** Resolves to the answer, rejects with the ServiceError. */
export function callUnary(
  client: Client,
  method: Method,
  message: string | Buffer,
  ms = 10_000,
  metadata = new Metadata(),
) {
  return new Promise<Buffer>((resolve, reject) => {
    client.makeUnaryRequest(
      method.path,
      same,
      same,
      Buffer.from(message as string),
      metadata,
      deadlineIn(ms),
      (error: ServiceError | null, answer?: Buffer) =>
        error === null ? resolve(answer ?? Buffer.alloc(0)) : reject(error),
    );
  });
}

export function openServerStream(client: Client, method: Method, message: string, ms = 10_000) {
  return client.makeServerStreamRequest(
    method.path,
    same,
    same,
    Buffer.from(message),
    new Metadata(),
    deadlineIn(ms),
  );
}

/** Reads a server stream to its end; the error is part of the answer. */
export async function readAll(
  stream: AsyncIterable<Buffer>,
): Promise<{ messages: Buffer[]; error: ServiceError | undefined }> {
  const messages: Buffer[] = [];
  try {
    for await (const message of stream) messages.push(message);
    return { messages, error: undefined };
  } catch (error) {
    return { messages, error: error as ServiceError };
  }
}

/** The `google.rpc` details of an error, as one searchable text. */
export function detailsOf(error: ServiceError): string {
  return (error.metadata.get('grpc-status-details-bin') as Buffer[])
    .map((part) => part.toString('latin1'))
    .join('');
}

/** Waits until `condition` holds; the test's own timeout ends it otherwise. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/**
 * A connection below gRPC, whose streams read nothing at all: a gRPC client would buffer what arrives. Each
 * call of `open` sends one empty request and ends its side, unless it is not to be `complete`.
 */
export async function dialRaw(bench: Bench, member: string) {
  const identity = await bench.federation.member(member);
  const session = connectHttp2(`https://localhost:${bench.server.port}`, {
    ca: bench.federation.ca.certificatePem,
    cert: identity.certificatePem,
    key: identity.keyPem,
    lookup: (_host, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }] as never, 4),
  });
  session.on('error', () => {});
  const open = (method: Method, complete = true): ClientHttp2Stream => {
    const stream = session.request({
      ':method': 'POST',
      ':path': method.path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.on('error', () => {});
    stream.write(Buffer.alloc(5));
    if (complete) stream.end();
    return stream;
  };
  return { session, open };
}

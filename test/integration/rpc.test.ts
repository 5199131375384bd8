import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import {
  credentials,
  Metadata,
  makeClientConstructor,
  Server,
  ServerCredentials,
  type ServerReadableStream,
  type ServerWritableStream,
  type ServiceDefinition,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { afterEach, describe, expect, it } from 'vitest';
import type {
  GetCheckpointRequest,
  GetCheckpointResponse,
  PullEntriesRequest,
  PullEntriesResponse,
} from '../../proto/gen/hashfed/v1/list.js';
import { ListServiceService } from '../../proto/gen/hashfed/v1/list_service.js';
import type { UploadEntriesRequest, UploadEntriesResponse } from '../../proto/gen/hashfed/v1/publish.js';
import { PublishServiceService } from '../../proto/gen/hashfed/v1/publish_service.js';
import { HashfedError } from '../../sdk/core/index.js';
import {
  backoffMs,
  callUnary,
  openChannel,
  type RpcChannel,
  readStream,
  sendStream,
  type TlsIdentity,
  toStatus,
} from '../../sdk/rpc/index.js';
import { makeTestFederation, testPki } from '../support/pki.js';

const random = { bytes: (length: number) => new Uint8Array(randomBytes(length)) };
const ORIGIN = 'police.example/main/sha256/g1';
const CANARY = 'canary-7f3a-/var/lib/secret';
const GET: GetCheckpointRequest = { origin: ORIGIN };
const PULL: PullEntriesRequest = { origin: ORIGIN, from: 0n, to: 10n, leafHashesOnly: false };
const EMPTY: GetCheckpointResponse = { checkpoint: undefined, minWaitMs: 7 };

type PullCall = ServerWritableStream<PullEntriesRequest, PullEntriesResponse>;

/** What the server under test does; every test says only what it needs. */
interface Behaviour {
  checkpoint?: (attempt: number) => Promise<GetCheckpointResponse> | GetCheckpointResponse;
  pull?: (call: PullCall) => void;
  upload?: (received: AsyncIterable<UploadEntriesRequest>) => Promise<UploadEntriesResponse>;
}

const opened: (() => void)[] = [];
afterEach(() => {
  for (const close of opened.splice(0)) close();
});

async function serve(
  behaviour: Behaviour,
  credentials = ServerCredentials.createInsecure(),
): Promise<string> {
  const server = new Server();
  let attempt = 0;
  server.addService(
    { getCheckpoint: ListServiceService.getCheckpoint, pullEntries: ListServiceService.pullEntries },
    {
      getCheckpoint: async (_call: unknown, answer: sendUnaryData<GetCheckpointResponse>) => {
        try {
          answer(null, (await behaviour.checkpoint?.(attempt++)) ?? EMPTY);
        } catch (error) {
          answer(toStatus(error));
        }
      },
      pullEntries: (call: PullCall) => behaviour.pull?.(call),
    },
  );
  server.addService(
    { uploadEntries: PublishServiceService.uploadEntries },
    {
      uploadEntries: async (
        call: ServerReadableStream<UploadEntriesRequest, UploadEntriesResponse>,
        answer: sendUnaryData<UploadEntriesResponse>,
      ) => {
        try {
          answer(null, await behaviour.upload?.(call));
        } catch (error) {
          answer(toStatus(error));
        }
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  opened.push(() => server.forceShutdown());
  return `127.0.0.1:${port}`;
}

function connect(
  address: string,
  tls: TlsIdentity | 'plaintext-loopback' = 'plaintext-loopback',
  serverName?: string,
) {
  const channel = openChannel({ address, tls, random, ...(serverName === undefined ? {} : { serverName }) });
  opened.push(() => channel.close());
  return channel;
}

async function channelTo(behaviour: Behaviour): Promise<RpcChannel> {
  return connect(await serve(behaviour));
}

/** The error a promise fails with; fails the test where it does not fail with one of ours. */
async function failure(promise: Promise<unknown>): Promise<HashfedError> {
  const caught = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(caught).toBeInstanceOf(HashfedError);
  return caught as HashfedError;
}

async function drain(stream: AsyncIterable<PullEntriesResponse>): Promise<bigint[]> {
  const indexes: bigint[] = [];
  for await (const message of stream) indexes.push(message.firstIndex);
  return indexes;
}

const get = (channel: RpcChannel, more: object = {}) =>
  callUnary(channel, ListServiceService.getCheckpoint, GET, { deadlineMs: 5_000, ...more });
const pull = (channel: RpcChannel, more: object = {}) =>
  readStream(channel, ListServiceService.pullEntries, PULL, {
    deadlineMs: 5_000,
    idleMs: 5_000,
    maxBytes: 1e6,
    ...more,
  });
const chunk = (index: number, bytes = 8): PullEntriesResponse => ({
  firstIndex: BigInt(index),
  count: 1,
  bundle: new Uint8Array(bytes),
});

describe('unary calls', () => {
  it('returns the answer', async () => {
    expect((await get(await channelTo({}))).minWaitMs).toBe(7);
  });

  it('hands over code, origin, field and wait of one of our errors', async () => {
    const thrown = new HashfedError('BUDGET_EXCEEDED', 'the budget is used up', {
      retryAfterMs: 1_500,
      origin: ORIGIN,
    });
    const error = await failure(get(await channelTo({ checkpoint: () => Promise.reject(thrown) })));
    expect(error.code).toBe('BUDGET_EXCEEDED');
    expect(error.message).toBe('the budget is used up');
    expect(error.detail).toMatchObject({ retryAfterMs: 1_500, origin: ORIGIN });
  });

  it.each([
    ['a foreign error', () => new Error(CANARY)],
    ['our INTERNAL with a cause', () => new HashfedError('INTERNAL', CANARY, { cause: new Error(CANARY) })],
    ['our STORAGE_FAILED', () => new HashfedError('STORAGE_FAILED', CANARY)],
    [
      'a cause beside a public message',
      () => new HashfedError('MALFORMED', 'x', { cause: CANARY, evidence: [Buffer.from(CANARY)] }),
    ],
  ])('leaks nothing of %s', async (_name, make) => {
    const wire = toStatus(make());
    const sent = Buffer.concat([
      Buffer.from(wire.details),
      ...wire.metadata.get('grpc-status-details-bin').map((v) => Buffer.from(v)),
    ]);
    expect(sent.includes(CANARY)).toBe(false);
    expect(sent.length).toBeGreaterThan(0);
    const error = await failure(get(await channelTo({ checkpoint: () => Promise.reject(make()) })));
    expect(JSON.stringify([error.message, error.detail])).not.toContain(CANARY);
  });

  it('repeats UNAVAILABLE and then succeeds', async () => {
    let calls = 0;
    const checkpoint = (attempt: number) => {
      calls++;
      if (attempt < 2) throw new HashfedError('OVERLOADED', 'too many calls');
      return EMPTY;
    };
    expect((await get(await channelTo({ checkpoint }))).minWaitMs).toBe(7);
    expect(calls).toBe(3);
  });

  it('gives up after the stated retries, and never repeats another status', async () => {
    let calls = 0;
    const refuse = (code: 'OVERLOADED' | 'ROOT_MISMATCH') => () => {
      calls++;
      throw new HashfedError(code, 'no');
    };
    expect(
      (await failure(get(await channelTo({ checkpoint: refuse('OVERLOADED') }), { retries: 1 }))).code,
    ).toBe('OVERLOADED');
    expect(calls).toBe(2);
    expect((await failure(get(await channelTo({ checkpoint: refuse('ROOT_MISMATCH') })))).code).toBe(
      'ROOT_MISMATCH',
    );
    expect(calls).toBe(3);
  });

  it('does not wait beyond its deadline for a retry that a peer postpones', async () => {
    let calls = 0;
    const checkpoint = () => {
      calls++;
      throw new HashfedError('OVERLOADED', 'later', { retryAfterMs: 3_600_000 });
    };
    expect((await failure(get(await channelTo({ checkpoint })))).detail.retryAfterMs).toBe(3_600_000);
    expect(calls).toBe(1);
  });

  it('fails with DEADLINE where the server does not answer', async () => {
    const never = await channelTo({ checkpoint: () => new Promise(() => {}) });
    expect((await failure(get(never, { deadlineMs: 60 }))).code).toBe('DEADLINE');
  });

  it('refuses a deadline that is none', async () => {
    const channel = await channelTo({});
    for (const deadlineMs of [0, -1, Number.NaN, Infinity]) {
      expect((await failure(get(channel, { deadlineMs }))).code).toBe('USAGE');
    }
  });

  it('is cancelled by its signal, before and during the call', async () => {
    const abort = new AbortController();
    const channel = await channelTo({ checkpoint: () => new Promise(() => abort.abort()) });
    expect((await failure(get(channel, { signal: abort.signal }))).code).toBe('CANCELLED');
    expect((await failure(get(channel, { signal: abort.signal }))).code).toBe('CANCELLED');
  });

  it('says UNAVAILABLE where nobody listens', async () => {
    const channel = connect('127.0.0.1:1');
    expect((await failure(get(channel, { retries: 0 }))).code).toBe('UNAVAILABLE');
  });

  it('renews the connection after repeated transport failures, not for an overloaded server', async () => {
    const refuse = () => {
      throw new HashfedError('OVERLOADED', 'too many calls');
    };
    const overloaded = await channelTo({ checkpoint: refuse });
    const absent = connect('127.0.0.1:1');
    for (const channel of [overloaded, absent]) {
      const before = channel.client();
      for (let i = 0; i < 4; i++) await failure(get(channel, { retries: 0 }));
      expect(channel.client() === before).toBe(channel === overloaded);
    }
  });

  it('calls nothing once closed', async () => {
    const channel = await channelTo({});
    channel.close();
    expect((await failure(get(channel))).code).toBe('CANCELLED');
  });
});

describe('server streams', () => {
  it('delivers every message in order', async () => {
    const channel = await channelTo({
      pull: (call) => {
        for (let i = 0; i < 50; i++) call.write(chunk(i));
        call.end();
      },
    });
    expect(await drain(pull(channel))).toEqual(Array.from({ length: 50 }, (_, i) => BigInt(i)));
  });

  it('does not end normally when the server stops with an error', async () => {
    const channel = await channelTo({
      pull: (call) => {
        call.write(chunk(0));
        call.emit('error', toStatus(new HashfedError('MISSING_ENTRY', 'gone', { origin: ORIGIN })));
      },
    });
    expect((await failure(drain(pull(channel)))).code).toBe('MISSING_ENTRY');
  });

  it('stops at the byte cap, however the bytes are cut', async () => {
    let sent = 0;
    const endless = (size: number) => (call: PullCall) => {
      const more = () => {
        if (!call.cancelled) call.write(chunk(sent++, size), () => setImmediate(more));
      };
      more();
    };
    for (const size of [10, 10_000, 200_000]) {
      const error = await failure(
        drain(pull(await channelTo({ pull: endless(size) }), { maxBytes: 100_000 })),
      );
      expect(error.code).toBe('MALFORMED');
    }
  });

  it('ends a stream that goes silent, but not while the reader is slow', async () => {
    const silent = await channelTo({ pull: (call) => call.write(chunk(0)) });
    expect((await failure(drain(pull(silent, { idleMs: 80 })))).code).toBe('DEADLINE');

    const prompt = await channelTo({
      pull: (call) => {
        call.write(chunk(0));
        call.write(chunk(1));
        call.end();
      },
    });
    const seen: bigint[] = [];
    for await (const message of pull(prompt, { idleMs: 80 })) {
      seen.push(message.firstIndex);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect(seen).toEqual([0n, 1n]);
  });

  it('cancels the call when the reader leaves, and when its signal fires', async () => {
    const cancelled: Promise<void>[] = [];
    const behaviour: Behaviour = {
      pull: (call) => {
        cancelled.push(new Promise((resolve) => call.on('cancelled', () => resolve())));
        call.write(chunk(0));
      },
    };
    const channel = await channelTo(behaviour);
    for await (const message of pull(channel)) {
      expect(message.firstIndex).toBe(0n);
      break;
    }
    const abort = new AbortController();
    const reading = (async () => {
      for await (const _ of pull(channel, { signal: abort.signal })) abort.abort();
    })();
    expect((await failure(reading)).code).toBe('CANCELLED');
    await Promise.all(cancelled);
    expect(cancelled).toHaveLength(2);
  });

  it('says MALFORMED for bytes that are no message', async () => {
    const server = new Server();
    const raw = { ...ListServiceService.pullEntries, responseSerialize: (value: Buffer) => value };
    server.addService(
      { pullEntries: raw },
      {
        pullEntries: (call: ServerWritableStream<unknown, Buffer>) => {
          call.write(Buffer.from('1affffffffff7f', 'hex'));
          call.end();
        },
      },
    );
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (e, p) =>
        e ? reject(e) : resolve(p),
      );
    });
    opened.push(() => server.forceShutdown());
    expect((await failure(drain(pull(connect(`127.0.0.1:${port}`))))).code).toBe('MALFORMED');
  });

  it('refuses a message over the size limit', async () => {
    const channel = await channelTo({
      pull: (call) => {
        call.write(chunk(0, 5 * 1024 * 1024));
        call.end();
      },
    });
    expect((await failure(drain(pull(channel, { maxBytes: Infinity })))).code).toBe('MALFORMED');
  });

  it('keeps backpressure: a reader that waits holds the server back', async () => {
    let written = 0;
    const channel = await channelTo({
      pull: (call) => {
        const more = () => {
          if (call.cancelled || written >= 4_000) return void call.end();
          call.write(chunk(written++, 64 * 1024), () => setImmediate(more));
        };
        more();
      },
    });
    for await (const message of pull(channel, { maxBytes: Infinity })) {
      expect(message.firstIndex).toBe(0n);
      await new Promise((resolve) => setTimeout(resolve, 700));
      break;
    }
    // 16 MiB of window and what the two ends buffer; without backpressure all 250 MiB would be on their way.
    expect(written).toBeLessThan(1_000);
    expect(written).toBeGreaterThan(1);
  });
});

describe('uploads', () => {
  const piece = (index: number): UploadEntriesRequest => ({
    origin: ORIGIN,
    firstIndex: BigInt(index),
    count: 1,
    bundle: new Uint8Array(1_000),
    requestId: new Uint8Array(16),
  });
  const upload = (
    channel: RpcChannel,
    requests: Iterable<UploadEntriesRequest> | AsyncIterable<UploadEntriesRequest>,
    more: object = {},
  ) => sendStream(channel, PublishServiceService.uploadEntries, requests, { deadlineMs: 5_000, ...more });
  const answer = (to: number): UploadEntriesResponse => ({
    upload: 'uploads/1',
    from: 0n,
    to: BigInt(to),
    entriesSha256: new Uint8Array(32),
  });

  it('sends every piece and returns the answer', async () => {
    const channel = await channelTo({
      upload: async (received) => {
        let count = 0;
        for await (const { firstIndex } of received) expect(firstIndex).toBe(BigInt(count++));
        return answer(count);
      },
    });
    expect(
      (
        await upload(
          channel,
          Array.from({ length: 300 }, (_, i) => piece(i)),
        )
      ).to,
    ).toBe(300n);
  });

  it('stops sending when the server refuses early', async () => {
    let made = 0;
    async function* endless() {
      for (;;) {
        yield piece(made++);
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    const channel = await channelTo({ upload: () => Promise.reject(new HashfedError('NOT_ENTITLED', 'no')) });
    expect((await failure(upload(channel, endless()))).code).toBe('NOT_ENTITLED');
    expect(made).toBeGreaterThan(0);
  });

  it('passes on what the source throws and cancels', async () => {
    const source = new HashfedError('STORAGE_FAILED', 'disk');
    const channel = await channelTo({
      upload: async (received) => {
        for await (const _ of received);
        return answer(0);
      },
    });
    function* broken() {
      yield piece(0);
      throw source;
    }
    expect(await failure(upload(channel, broken()))).toBe(source);
  });
});

describe('what a peer claims', () => {
  const answering = (make: () => object) =>
    channelTo({
      pull: (call) => {
        call.emit('error', make());
      },
    });
  const details = (code: number, hex: string) => () => {
    const metadata = new Metadata();
    metadata.set('grpc-status-details-bin', Buffer.from(hex, 'hex'));
    return { code, details: 'x', metadata };
  };

  it('believes no reason that does not belong to the status', async () => {
    const wire = toStatus(new HashfedError('NOT_ENTITLED', 'no'));
    const lied = () => ({ ...wire, code: status.NOT_FOUND });
    expect((await failure(drain(pull(await answering(lied))))).code).toBe('NOT_FOUND');
  });

  it('survives details that are rubbish', async () => {
    for (const hex of ['ff', '0a', `1a${'ff'.repeat(20)}`, '00'.repeat(9_000).slice(0, 14_000)]) {
      const error = await failure(drain(pull(await answering(details(status.NOT_FOUND, hex)))));
      expect(error.code).toBe('NOT_FOUND');
    }
  });

  it('shows a message as one capped line without control characters', async () => {
    const shout = () => ({ code: status.NOT_FOUND, details: `a\u001b[31m\r\nb\u202e${'z'.repeat(2_000)}` });
    const error = await failure(drain(pull(await answering(shout))));
    expect(error.message).toMatch(/^a \[31m b z+$/);
    expect(error.message.length).toBeLessThanOrEqual(512);
  });
});

describe('TLS', () => {
  it('authenticates both sides, and refuses a foreign CA, another name and a missing client certificate', async () => {
    const { environment } = testPki();
    const ours = await makeTestFederation(environment);
    const foreign = await makeTestFederation(environment, 'foreign.example');
    const hoster = await ours.member('hoster');
    const address = await serve(
      {},
      ServerCredentials.createSsl(
        Buffer.from(ours.ca.certificatePem),
        [
          {
            cert_chain: Buffer.from(ours.server.certificatePem),
            private_key: Buffer.from(ours.server.keyPem),
          },
        ],
        true,
      ),
    );
    const own = { certificate: Buffer.from(hoster.certificatePem), key: Buffer.from(hoster.keyPem) };
    const ca = Buffer.from(ours.ca.certificatePem);
    expect((await get(connect(address, { ca, ...own }))).minWaitMs).toBe(7);
    const refused = [
      [connect(address, { ca: Buffer.from(foreign.ca.certificatePem), ...own }), 'NOT_AUTHENTICATED'],
      [connect(address, { ca, ...own }, 'other.example'), 'UNAVAILABLE'],
      [connect(address, { ca }), 'NOT_AUTHENTICATED'],
    ] as const;
    for (const [channel, code] of refused) {
      expect((await failure(get(channel, { retries: 0, deadlineMs: 3_000 }))).code).toBe(code);
    }
  });

  it('refuses plaintext beyond the loopback, rubbish PEM and half an identity', () => {
    const open = (address: string, tls: TlsIdentity | 'plaintext-loopback') => () =>
      openChannel({ address, tls, random });
    for (const address of ['10.0.0.1:1', 'localhost.example:1', '127.0.0.1.example:1', '127.0.0.1']) {
      expect(open(address, 'plaintext-loopback')).toThrow(/loopback/);
    }
    const rubbish = Buffer.from(CANARY);
    expect(open('h:1', { ca: rubbish, certificate: rubbish, key: rubbish })).toThrow(HashfedError);
    expect(open('h:1', { ca: rubbish, certificate: rubbish })).toThrow(/go together/);
  });
});

it('backs off exponentially within bounds', () => {
  const fixed = (byte: number) => ({ bytes: (length: number) => new Uint8Array(length).fill(byte) });
  expect([0, 1, 2, 20].map((attempt) => backoffMs(fixed(0), attempt))).toEqual([50, 100, 200, 2_500]);
  expect(backoffMs(fixed(255), 20)).toBeGreaterThan(4_990);
  expect(backoffMs(fixed(255), 20)).toBeLessThan(5_000);
});

it('understands a client that knows the protocol from its .proto files alone', async () => {
  const checkpoint = { origin: ORIGIN, note: Buffer.from('note'), rootVersion: 2n ** 53n - 1n };
  const full = {
    ...checkpoint,
    anchorNote: new Uint8Array(),
    freshness: new Uint8Array(),
    liveness: new Uint8Array(),
  };
  const address = await serve({ checkpoint: () => ({ checkpoint: full, minWaitMs: 9 }) });
  const folder = fileURLToPath(new URL('../../proto', import.meta.url));
  const loaded = loadSync('hashfed/v1/list_service.proto', { includeDirs: [folder], longs: String });
  const Foreign = makeClientConstructor(loaded['hashfed.v1.ListService'] as ServiceDefinition, 'ListService');
  const client = new Foreign(address, credentials.createInsecure());
  opened.push(() => client.close());
  const answer = await new Promise((resolve, reject) => {
    const call = client['getCheckpoint'] as (
      request: object,
      done: (error: unknown, value: unknown) => void,
    ) => void;
    call.call(client, { origin: ORIGIN }, (error, value) => (error ? reject(error) : resolve(value)));
  });
  expect(answer).toMatchObject({
    minWaitMs: 9,
    checkpoint: { origin: ORIGIN, note: Buffer.from('note'), rootVersion: '9007199254740991' },
  });
});

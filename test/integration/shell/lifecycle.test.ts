import { EventEmitter } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import { afterEach, describe, expect, it } from 'vitest';
import { issueMember, issueServer } from '../../../client/pki/index.js';
import { DEVELOPMENT_MEMBER_KEY, runUntilSignal } from '../../../server/shell/index.js';
import { testPki } from '../../support/pki.js';
import {
  type Bench,
  type BenchOptions,
  callUnary,
  dialRaw,
  directoryOf,
  MEMBERS,
  openServerStream,
  readAll,
  startBench,
  TEST_SERVICE,
  type TestHandlers,
  until,
} from './harness.js';

let bench: Bench | undefined;
const start = async (handlers: TestHandlers, options?: BenchOptions): Promise<Bench> => {
  bench = await startBench(handlers, options);
  return bench;
};
afterEach(async () => {
  await bench?.close();
  bench = undefined;
});

const lookup = TEST_SERVICE.lookupHash;
const echo: TestHandlers = { lookupHash: async (request) => request };

function gate(): { opened: Promise<void>; open: () => void } {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

describe('stopping', () => {
  it('lets calls in flight finish, ends watches, and takes no new ones', async () => {
    const door = gate();
    const { as, server } = await start({
      lookupHash: async () => {
        await door.opened;
        return Buffer.from('finished');
      },
      watchCheckpoints: async function* (_request, { signal }) {
        yield Buffer.from('first');
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      },
    });
    const client = await as('hoster-a');
    const watching = readAll(openServerStream(client, TEST_SERVICE.watchCheckpoints, ''));
    const held = callUnary(client, lookup, 'x');
    await until(() => server.inFlight === 2);
    const stopped = server.stop();
    const { messages, error } = await watching;
    expect(messages.map(String)).toEqual(['first']);
    expect(error?.code).toBe(status.UNAVAILABLE);
    await expect(callUnary(await as('hoster-a'), lookup, 'x', 2_000)).rejects.toMatchObject({
      code: status.UNAVAILABLE,
    });
    door.open();
    expect((await held).toString()).toBe('finished');
    await stopped;
    expect(server.inFlight).toBe(0);
    expect(bench?.logged()).not.toContain('server.drain-ended');
  });

  it('ends what has not finished by the end of the drain', async () => {
    const reasons: unknown[] = [];
    const { as, server } = await start(
      {
        lookupHash: async (_request, { signal }) => {
          await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
          reasons.push((signal.reason as { code: string }).code);
          throw signal.reason;
        },
      },
      { limits: { drain_ms: 200 } },
    );
    const held = callUnary(await as('hoster-a'), lookup, 'x').catch((error) => error);
    await until(() => server.inFlight === 1);
    await server.stop();
    expect((await held).code).toBe(status.UNAVAILABLE);
    expect(reasons).toEqual(['UNAVAILABLE']);
    expect(bench?.logged()).toContain('server.drain-ended');
  });

  it('does not wait for a client that reads nothing', async () => {
    const { server } = await start(
      {
        pullEntries: async function* () {
          for (;;) yield Buffer.alloc(256 * 1024);
        },
      },
      { limits: { drain_ms: 200 } },
    );
    const raw = await dialRaw(bench as Bench, 'hoster-a');
    raw.open(TEST_SERVICE.pullEntries);
    await until(() => server.inFlight === 1);
    await server.stop();
    await until(() => server.inFlight === 0);
  });
});

describe('signals', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('%s stops, SIGHUP looks for certificates', async (name) => {
    const { as, federation, server, writeServer } = await start(echo);
    const source = new EventEmitter();
    const said: string[] = [];
    const running = runUntilSignal(server, (line) => said.push(line), source);
    expect(said).toEqual([`listening 127.0.0.1:${server.port}`]);
    await writeServer(await issueServer(testPki().environment, federation.authority));
    source.emit('SIGHUP', 'SIGHUP');
    await until(() => bench?.logged().includes('tls.reloaded') === true);
    await callUnary(await as('hoster-a'), lookup, 'x');
    source.emit(name, name);
    expect(await running).toBe(name);
    expect(bench?.logged()).toContain('server.stopped');
    expect(source.eventNames()).toEqual([]);
  });
});

describe('readiness and health', () => {
  const health = healthService as unknown as Record<
    string,
    {
      path: string;
      requestSerialize: (value: object) => Buffer;
      responseDeserialize: (bytes: Buffer) => { status: string };
    }
  >;
  const ask = (client: Client, name: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const { path, requestSerialize, responseDeserialize } = health['Check']!;
      client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        { service: name },
        (error, answer) => (error === null ? resolve(answer?.status ?? '') : reject(error)),
      );
    });

  it('answers UNAVAILABLE and NOT_SERVING until ready', async () => {
    const { as, server } = await start(echo);
    const client = await as('hoster-a');
    server.setReady(false);
    await expect(callUnary(client, lookup, 'x')).rejects.toMatchObject({ code: status.UNAVAILABLE });
    expect(await ask(client, '')).toBe('NOT_SERVING');
    server.setReady(true);
    await callUnary(client, lookup, 'x');
    expect(await ask(client, '')).toBe('SERVING');
    expect(await ask(client, 'hashfed.v1.QueryService')).toBe('SERVING');
    await expect(ask(client, 'made-up')).rejects.toMatchObject({ code: status.NOT_FOUND });
  });

  it('tells watchers when it stops, and lets them go', async () => {
    const { as, server } = await start(echo);
    const client = await as('hoster-a');
    const { path, requestSerialize, responseDeserialize } = health['Watch']!;
    const watch = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, {
      service: '',
    });
    const states: string[] = [];
    watch.on('data', (answer: { status: string }) => states.push(answer.status));
    const ended = new Promise((resolve) => watch.on('end', resolve));
    await until(() => states.length === 1);
    await server.stop();
    await ended;
    expect(states).toEqual(['SERVING', 'NOT_SERVING']);
    expect(bench?.logged()).not.toContain('server.drain-ended');
  });
});

describe('certificates on disk', () => {
  it('are used once they are changed, without cutting connections', async () => {
    const { as, client, federation, server, writeServer } = await start(echo);
    const old = await as('hoster-a');
    await callUnary(old, lookup, 'x');
    expect(await server.reloadCertificates()).toBe(false);
    const { environment } = testPki();
    const next = await issueServer(environment, federation.authority);
    await writeServer(next);
    expect(await server.reloadCertificates()).toBe(true);
    await callUnary(old, lookup, 'x');
    const served = await peerCertificate(server.port, federation, await federation.member('hoster-a'));
    expect(next.certificatePem.replace(/\s/g, '')).toContain(served.toString('base64'));
    await callUnary(client(await federation.member('hoster-a')), lookup, 'x');
  });

  it('that are torn, foreign or expired are refused, once in the log, and the last good ones stay', async () => {
    const { as, federation, folder, logged, server, writeServer } = await start(echo);
    const { environment, clock } = testPki();
    const other = await issueServer(environment, federation.authority);
    clock.offsetMs = -9 * 86_400_000;
    const expired = await issueServer(environment, federation.authority, ['localhost'], 1);
    const torn = { certificatePem: other.certificatePem, keyPem: federation.server.keyPem };
    const cut = { certificatePem: other.certificatePem.slice(0, 200), keyPem: other.keyPem };
    for (const bad of [torn, cut, expired]) {
      await writeServer(bad);
      expect(await server.reloadCertificates()).toBe(false);
      expect(await server.reloadCertificates()).toBe(false);
      await callUnary(await as('hoster-a'), lookup, 'x');
    }
    await writeServer(federation.server);
    const leaf = await issueMember(environment, federation.authority, { federation: 'a', member: 'b' });
    await writeFile(join(folder, 'ca.pem'), leaf.certificatePem);
    expect(await server.reloadCertificates()).toBe(false);
    await callUnary(await as('hoster-a'), lookup, 'x');
    expect(logged().split('tls.reload-refused')).toHaveLength(1 + 4);
  });
});

async function peerCertificate(
  port: number,
  federation: Bench['federation'],
  identity: { certificatePem: string; keyPem: string },
): Promise<Buffer> {
  const { connect } = await import('node:tls');
  const socket = connect({
    host: '127.0.0.1',
    port,
    ca: federation.ca.certificatePem,
    cert: identity.certificatePem,
    key: identity.keyPem,
    ALPNProtocols: ['h2'],
    servername: 'localhost',
  });
  await new Promise((resolve) => socket.once('secureConnect', resolve));
  const { raw } = socket.getPeerCertificate();
  socket.destroy();
  return raw;
}

describe('plaintext', () => {
  const plain = { transport: { kind: 'plaintext-loopback' } } as const;

  it('serves callers that name themselves, on loopback in development', async () => {
    const { server, logged } = await start(echo, plain);
    const client = new Client(server.address, credentials.createInsecure());
    const metadata = new Metadata();
    await expect(callUnary(client, lookup, 'x')).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
    metadata.set(DEVELOPMENT_MEMBER_KEY, 'hoster-a');
    expect((await callUnary(client, lookup, 'x', 5_000, metadata)).toString()).toBe('x');
    client.close();
    expect(logged()).toContain('tls.off');
  });

  it.each(['0.0.0.0:0', '192.0.2.1:0', 'localhost:0', '[::]:0'])('is refused on %s', async (listen) => {
    await expect(startBench(echo, { ...plain, listen })).rejects.toMatchObject({ code: 'USAGE' });
  });

  it('is refused outside development', async () => {
    const directory = directoryOf(1, MEMBERS, { development: false });
    await expect(startBench(echo, { ...plain, directory })).rejects.toMatchObject({ code: 'USAGE' });
  });

  it('a name in metadata means nothing under TLS', async () => {
    const { as } = await start({ lookupHash: async (_request, { caller }) => Buffer.from(caller.member) });
    const metadata = new Metadata();
    metadata.set(DEVELOPMENT_MEMBER_KEY, 'operator');
    expect((await callUnary(await as('hoster-a'), lookup, 'x', 5_000, metadata)).toString()).toBe('hoster-a');
  });
});

describe('the listener', () => {
  it('is the one that limits are set on', async () => {
    const { as, server } = await start(echo, { limits: { connections: 1 } });
    const first = await as('hoster-a');
    await callUnary(first, lookup, 'x');
    await expect(callUnary(await as('hoster-a'), lookup, 'x', 1_500)).rejects.toMatchObject({
      code: expect.any(Number),
    });
    first.close();
    expect(server.port).toBeGreaterThan(0);
  });

  it('leaves one certificate a quarter of the connections', async () => {
    const { as, client, federation } = await start(echo, { limits: { connections: 8 } });
    const identity = await federation.member('hoster-a');
    const own = [client(identity), client(identity)];
    for (const one of own) await callUnary(one, lookup, 'x');
    const third = client(identity);
    await expect(callUnary(third, lookup, 'x', 1_500)).rejects.toMatchObject({ code: expect.any(Number) });
    third.close();
    await callUnary(await as('police'), lookup, 'x');
    own[0]!.close();
    const again = (): Promise<unknown> => callUnary(client(identity), lookup, 'x', 1_500).catch(again);
    await again();
  });

  it('names an address that it cannot have', async () => {
    const { server } = await start(echo);
    await expect(startBench(echo, { listen: server.address })).rejects.toMatchObject({ code: 'USAGE' });
  });
});

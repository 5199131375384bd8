import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Metadata, status } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { HashfedError, MAX_MESSAGE_BYTES } from '../../../sdk/core/index.js';
import { openLog } from '../../../server/logging/index.js';
import { REQUEST_ID_KEY } from '../../../server/shell/index.js';
import {
  type Bench,
  type BenchOptions,
  callUnary,
  deadlineIn,
  detailsOf,
  dialRaw,
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
const same = (bytes: Buffer): Buffer => bytes;
/** Ends when the call is aborted, and says why. */
const untilAborted = (signal: AbortSignal): Promise<string> =>
  new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve((signal.reason as HashfedError).code), { once: true });
  });

describe('errors', () => {
  it('carry our reason, the request id, and the field or the wait', async () => {
    const { as } = await start({
      lookupHash: async (request) => {
        if (request.toString() === 'field')
          throw new HashfedError('MALFORMED', 'hash: wrong length', { field: 'hash' });
        throw new HashfedError('BUDGET_EXCEEDED', 'used up', { retryAfterMs: 1_500 });
      },
    });
    const client = await as('hoster-a');
    const metadata = new Metadata();
    const id = '00000000-1111-2222-3333-444444444444';
    metadata.set(REQUEST_ID_KEY, id);
    const malformed = await callUnary(client, lookup, 'field', 5_000, metadata).catch((caught) => caught);
    expect([malformed.code, malformed.details]).toEqual([status.INVALID_ARGUMENT, 'hash: wrong length']);
    expect(malformed.metadata.get(REQUEST_ID_KEY)).toEqual([id]);
    for (const part of ['MALFORMED', 'hashfed', 'google.rpc.BadRequest', 'google.rpc.ErrorInfo'])
      expect(detailsOf(malformed)).toContain(part);
    const budget = await callUnary(client, lookup, 'x').catch((caught) => caught);
    expect(budget.code).toBe(status.RESOURCE_EXHAUSTED);
    // retry_delay { seconds: 1, nanos: 500_000_000 }
    expect(detailsOf(budget)).toContain(
      'google.rpc.RetryInfo\x12\x0a\x0a\x08\x08\x01\x10\x80\xca\xb5\xee\x01',
    );
    expect(bench?.logged()).toContain(id);
  });

  it('never carry what an exception says', async () => {
    const canary = 'canary-0123456789abcdef0123456789abcdef';
    const boom = (): never => {
      throw new Error(canary, { cause: new Error(`/data/${canary}`) });
    };
    const { as } = await start({
      lookupHash: async (request) => {
        if (request.toString() === 'storage') throw new HashfedError('STORAGE_FAILED', canary);
        if (request.toString() === 'cause')
          throw new HashfedError('MALFORMED', 'request: is odd', {
            cause: new Error(canary),
            evidence: [Buffer.from(canary)],
          });
        if (request.toString() === 'text') throw canary;
        if (request.toString() === 'status')
          throw Object.assign(new Error(canary), { code: 3, details: canary });
        return boom();
      },
      pullEntries: async function* (request) {
        yield Buffer.from('first');
        if (request.toString() !== 'never') boom();
      },
      uploadEntries: async (requests) => {
        for await (const _ of requests) boom();
        return Buffer.alloc(0);
      },
    });
    const client = await as('hoster-a');
    const errors = [];
    for (const how of ['storage', 'cause', 'text', 'status', 'plain', 'undecodable'])
      errors.push(await callUnary(client, lookup, how).catch((caught) => caught));
    errors.push((await readAll(openServerStream(client, TEST_SERVICE.pullEntries, 'x'))).error);
    const publisher = await as('police');
    errors.push(await upload(publisher, [Buffer.from('a')]).catch((caught) => caught));
    expect(errors).toHaveLength(8);
    for (const error of errors) {
      expect(error.code).toBeGreaterThan(0);
      const everything = `${error.message} ${error.details} ${JSON.stringify(error.metadata.toJSON())} ${detailsOf(error)}`;
      expect(everything).not.toContain('canary');
    }
    expect(errors.map((error) => error.code)).toEqual([
      status.INTERNAL,
      status.INVALID_ARGUMENT,
      status.INTERNAL,
      status.INTERNAL,
      status.INTERNAL,
      status.INVALID_ARGUMENT,
      status.INTERNAL,
      status.INTERNAL,
    ]);
    expect(bench?.logged()).toContain('rpc.broken');
    expect(bench?.logged()).not.toContain(canary);
  });

  it('refuse an oversized message before a handler sees it', async () => {
    let reached = 0;
    const { as } = await start({
      lookupHash: async () => {
        reached += 1;
        return Buffer.alloc(0);
      },
    });
    const client = await as('hoster-a');
    const big = Buffer.alloc(MAX_MESSAGE_BYTES + 1);
    await expect(callUnary(client, lookup, big)).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    expect(reached).toBe(0);
    for (const length of [MAX_MESSAGE_BYTES - 1_000, 128 * 1024 + 1]) {
      const error = await callUnary(client, lookup, Buffer.alloc(length)).catch((caught) => caught);
      expect(error).toMatchObject({
        code: status.INVALID_ARGUMENT,
        details: 'request: is over 131072 bytes',
      });
    }
    expect(reached).toBe(0);
    await callUnary(client, lookup, Buffer.alloc(128 * 1024));
    expect(reached).toBe(1);
  });
});

async function upload(client: Awaited<ReturnType<Bench['as']>>, messages: readonly Buffer[], ms = 10_000) {
  return new Promise<Buffer>((resolve, reject) => {
    const call = client.makeClientStreamRequest(
      TEST_SERVICE.uploadEntries.path,
      same,
      same,
      new Metadata(),
      deadlineIn(ms),
      (error, answer) => (error === null ? resolve(answer ?? Buffer.alloc(0)) : reject(error)),
    );
    for (const message of messages) call.write(message);
    call.end();
  });
}

describe('handlers stop', () => {
  it('when the client cancels', async () => {
    const reasons: string[] = [];
    const { as, server } = await start({
      lookupHash: async (_request, { signal }) => {
        reasons.push(await untilAborted(signal));
        return Buffer.alloc(0);
      },
      pullEntries: async function* (_request, { signal }) {
        yield Buffer.from('first');
        reasons.push(await untilAborted(signal));
      },
      uploadEntries: async (requests, { signal }) => {
        try {
          for await (const _ of requests);
        } catch (error) {
          reasons.push((error as HashfedError).code, String(signal.aborted));
        }
        return Buffer.alloc(0);
      },
    });
    const client = await as('hoster-a');
    const path = lookup.path;
    const unary = client.makeUnaryRequest(path, same, same, Buffer.alloc(0), () => {});
    await until(() => server.inFlight === 1);
    unary.cancel();
    await until(() => reasons.length === 1 && server.inFlight === 0);
    const stream = openServerStream(client, TEST_SERVICE.pullEntries, '');
    stream.on('error', () => {});
    stream.once('data', () => stream.cancel());
    await until(() => reasons.length === 2 && server.inFlight === 0);
    const raw = await dialRaw(bench as Bench, 'police');
    raw.open(TEST_SERVICE.uploadEntries, false);
    await until(() => server.inFlight === 1);
    raw.session.destroy();
    await until(() => reasons.length === 4 && server.inFlight === 0);
    expect(reasons).toEqual(['CANCELLED', 'CANCELLED', 'CANCELLED', 'true']);
  });

  it("at the client's deadline and at the server's own", async () => {
    const reasons: string[] = [];
    const { as, server } = await start(
      {
        lookupHash: async (_request, { signal }) => {
          reasons.push(await untilAborted(signal));
          return Buffer.alloc(0);
        },
      },
      { limits: { unary_ms: 300 } },
    );
    const client = await as('hoster-a');
    await expect(callUnary(client, lookup, 'x', 100)).rejects.toMatchObject({
      code: status.DEADLINE_EXCEEDED,
    });
    await until(() => server.inFlight === 0);
    await expect(callUnary(client, lookup, 'x', 60_000)).rejects.toMatchObject({
      code: status.DEADLINE_EXCEEDED,
    });
    await until(() => server.inFlight === 0);
    // A client that gives up at the same moment may be seen to cancel.
    expect(reasons).toHaveLength(2);
    expect(reasons[1]).toBe('DEADLINE');
  });

  it('at the deadline of a client that reads nothing', async () => {
    const reasons: string[] = [];
    const { server } = await start(
      {
        pullEntries: async function* (_request, { signal }) {
          try {
            for (;;) yield Buffer.alloc(200_000);
          } finally {
            reasons.push(signal.aborted ? (signal.reason as HashfedError).code : 'none');
          }
        },
      },
      { limits: { stream_ms: 1_000 } },
    );
    const raw = await dialRaw(bench as Bench, 'hoster-a');
    raw.open(TEST_SERVICE.pullEntries);
    await until(() => server.inFlight === 1);
    await until(() => server.inFlight === 0);
    expect(reasons).toEqual(['DEADLINE']);
    raw.session.destroy();
  });
});

describe('load', () => {
  it('holds one message for a client that reads nothing, however many there are', async () => {
    const message = 256 * 1024;
    let made = 0;
    const { server } = await start({
      pullEntries: async function* () {
        for (;;) {
          made += 1;
          yield Buffer.alloc(message);
        }
      },
    });
    const raw = await dialRaw(bench as Bench, 'hoster-a');
    for (let i = 0; i < 8; i++) raw.open(TEST_SERVICE.pullEntries);
    await until(() => server.inFlight === 8 && made >= 8);
    let before = -1;
    while (before !== made) {
      before = made;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    // At most what the windows take (64 KiB each here), what is being written, and what was asked for next.
    expect(made).toBeLessThanOrEqual(8 * 3);
    raw.session.destroy();
    await until(() => server.inFlight === 0);
  });

  it('lets a reading client have everything in order', async () => {
    const { as } = await start({
      pullEntries: async function* () {
        for (let i = 0; i < 500; i++) yield Buffer.from(String(i));
      },
    });
    const { messages, error } = await readAll(
      openServerStream(await as('hoster-a'), TEST_SERVICE.pullEntries, ''),
    );
    expect(error).toBeUndefined();
    expect(messages.map(String)).toEqual(Array.from({ length: 500 }, (_, i) => String(i)));
  });

  it('makes an uploading client wait for a handler that is busy', async () => {
    let taken = 0;
    let go: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    const { as } = await start({
      uploadEntries: async (requests) => {
        for await (const _ of requests) {
          taken += 1;
          await gate;
        }
        return Buffer.from(String(taken));
      },
    });
    const publisher = await as('police');
    const done = upload(
      publisher,
      Array.from({ length: 64 }, () => Buffer.alloc(256 * 1024)),
    );
    await until(() => taken === 1);
    go();
    expect((await done).toString()).toBe('64');
  });

  it('refuses more calls than a member may have in flight, with a wait, and takes them again after', async () => {
    let go: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    const { as, server } = await start(
      {
        lookupHash: async () => {
          await gate;
          return Buffer.from('done');
        },
      },
      { limits: { calls_per_member: 2 } },
    );
    const client = await as('hoster-a');
    const held = [callUnary(client, lookup, 'x'), callUnary(client, lookup, 'x')];
    await until(() => server.inFlight === 2);
    const error = await callUnary(client, lookup, 'x').catch((caught) => caught);
    expect(error.code).toBe(status.UNAVAILABLE);
    expect(detailsOf(error)).toContain('OVERLOADED');
    expect(detailsOf(error)).toContain('google.rpc.RetryInfo');
    go();
    await Promise.all(held);
    await until(() => server.inFlight === 0);
    expect((await callUnary(client, lookup, 'x')).toString()).toBe('done');
  });

  it('an abandoned handler keeps its place until it ends', async () => {
    let go: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    const { as, server } = await start({
      lookupHash: async () => {
        await gate;
        return Buffer.alloc(0);
      },
    });
    await expect(callUnary(await as('hoster-a'), lookup, 'x', 100)).rejects.toMatchObject({
      code: status.DEADLINE_EXCEEDED,
    });
    expect(server.inFlight).toBe(1);
    go();
    await until(() => server.inFlight === 0);
  });
});

describe('the log file', () => {
  it('holds none of the markers that went through the server', async () => {
    const marker = {
      hash: 'd41d8cd98f00b204e9800998ecf8427ed41d8cd98f00b204e9800998ecf8427e',
      url: 'https://marker.example/album/1',
      file: '/srv/uploads/marker-holiday.jpg',
      key: 'MC4CAQAwBQYDK2VwBCIEIJbKdmarkermarkerMARKERmarkermarker01234',
    };
    const everything = Object.values(marker).join(' ');
    const { as, folder, federation } = await start({
      lookupHash: async (request, { log }) => {
        log.info('lookup', {
          why: everything,
          member: marker.hash,
          origin: marker.url,
          state: marker.file,
          code: marker.key,
        });
        log.warn(everything, { [marker.key]: marker.url, error: new Error(everything) } as object);
        throw new HashfedError('MALFORMED', request.toString(), { cause: new TypeError(everything) });
      },
    });
    const file = join(folder, 'server.log');
    const client = await as('hoster-a');
    await callUnary(client, lookup, everything).catch(() => {});
    const log = openLog('debug', file);
    for (const text of [everything, ...Object.values(marker)]) {
      log.error(text, {
        why: text,
        state: text,
        error: new HashfedError('INTERNAL', text, { cause: new Error(text) }),
      });
    }
    log.info('server.ready', { port: 1, member: 'hoster-a' });
    await log.flush();
    const written = (await readFile(file, 'utf8')) + bench?.logged();
    expect(written).toContain('server.ready');
    expect(written).toContain('"code":"MALFORMED"');
    for (const text of [...Object.values(marker), 'marker', federation.ca.keyPem.slice(40, 80)])
      expect(written).not.toContain(text);
  });
});

describe('requests that do not arrive whole', () => {
  const statusOf = (stream: ReturnType<Awaited<ReturnType<typeof dialRaw>>['open']>): Promise<string> =>
    new Promise((resolve) => {
      stream.once('response', (headers) => resolve(String(headers['grpc-status'])));
    });

  it('take a place of their member, and give it back when they are given up', async () => {
    const { as } = await start(
      { lookupHash: async () => Buffer.from('done') },
      { limits: { calls_per_member: 2 } },
    );
    const raw = await dialRaw(bench as Bench, 'hoster-a');
    const kept = [raw.open(lookup, false), raw.open(lookup, false)];
    expect(await statusOf(raw.open(lookup, false))).toBe(String(status.UNAVAILABLE));
    expect((await callUnary(await as('police'), lookup, 'x')).toString()).toBe('done');
    for (const stream of kept) stream.close();
    const client = await as('hoster-a');
    const again = (): Promise<string> => callUnary(client, lookup, 'x').then(String, again);
    expect(await again()).toBe('done');
    raw.session.destroy();
  });

  it('end at the limit of a unary call', async () => {
    await start({ lookupHash: async () => Buffer.alloc(0) }, { limits: { unary_ms: 300 } });
    const raw = await dialRaw(bench as Bench, 'hoster-a');
    expect(await statusOf(raw.open(lookup, false))).toBe(String(status.DEADLINE_EXCEEDED));
    raw.session.destroy();
  });

  it('are refused before they were read where the caller may not call', async () => {
    const { audited } = await start({ setBudget: async () => Buffer.alloc(0) });
    const raw = await dialRaw(bench as Bench, 'hoster-a');
    expect(await statusOf(raw.open(TEST_SERVICE.setBudget, false))).toBe(String(status.PERMISSION_DENIED));
    expect(audited).toMatchObject([
      { rpc: 'DirectoryService/SetBudget', member: 'hoster-a', outcome: 'NOT_ENTITLED' },
    ]);
    raw.session.destroy();
  });
});

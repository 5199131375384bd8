import { connect } from 'node:tls';
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { issueServer, makeAuthority } from '../../../client/pki/index.js';
import { makeTestFederation, testPki } from '../../support/pki.js';
import {
  type Bench,
  callUnary,
  detailsOf,
  directoryOf,
  MEMBERS,
  openServerStream,
  record,
  startBench,
  TEST_SERVICE,
  until,
} from './harness.js';

let bench: Bench;
let reached = 0;
const ended: string[] = [];
beforeAll(async () => {
  bench = await startBench({
    lookupHash: async (request, { caller }) => {
      reached += 1;
      return Buffer.from(`${caller.member}:${request.toString()}`);
    },
    getCheckpoint: async (request, { caller }) => {
      caller.requireReadable(request.toString());
      return Buffer.from('note');
    },
    uploadEntries: async (requests, { caller }) => {
      for await (const request of requests) caller.requirePublisherOf(request.toString());
      return Buffer.from('taken');
    },
    watchCheckpoints: async function* (_request, { signal }) {
      yield Buffer.from('first');
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      ended.push((signal.reason as { code: string }).code);
    },
  });
});
afterAll(() => bench.close());

const lookup = TEST_SERVICE.lookupHash;

describe('who may connect', () => {
  it('a member with its certificate', async () => {
    const answer = await callUnary(await bench.as('hoster-a'), lookup, 'hello');
    expect(answer.toString()).toBe('hoster-a:hello');
  });

  it('nobody without a certificate', async () => {
    const before = reached;
    await expect(callUnary(bench.client(undefined), lookup, 'x', 3_000)).rejects.toMatchObject({
      code: status.UNAVAILABLE,
    });
    expect(reached).toBe(before);
  });

  it('nobody with a certificate of a foreign authority', async () => {
    const foreign = await makeTestFederation(testPki().environment);
    const client = bench.client(await foreign.member('hoster-a'));
    await expect(callUnary(client, lookup, 'x', 3_000)).rejects.toMatchObject({ code: status.UNAVAILABLE });
  });

  it('nobody with an expired certificate', async () => {
    const { environment, clock } = testPki();
    clock.offsetMs = -10 * 86_400_000;
    const { issueMember } = await import('../../../client/pki/index.js');
    const who = { federation: 'test.example', member: 'hoster-a' };
    const expired = await issueMember(environment, bench.federation.authority, who, 1);
    await expect(callUnary(bench.client(expired), lookup, 'x', 3_000)).rejects.toMatchObject({
      code: status.UNAVAILABLE,
    });
  });

  it("nobody with a server's certificate, or with one that names no member", async () => {
    const { environment } = testPki();
    const server = await issueServer(environment, bench.federation.authority);
    await expect(callUnary(bench.client(server), lookup, 'x', 3_000)).rejects.toMatchObject({
      code: status.UNAVAILABLE,
    });
  });

  it('not a member of another federation under the same authority', async () => {
    const { environment } = testPki();
    const { issueMember } = await import('../../../client/pki/index.js');
    const other = await issueMember(environment, bench.federation.authority, {
      federation: 'other.example',
      member: 'hoster-a',
    });
    await expect(callUnary(bench.client(other), lookup, 'x')).rejects.toMatchObject({
      code: status.UNAUTHENTICATED,
    });
  });

  it('the server only where its own certificate is trusted', async () => {
    const { identity } = await makeAuthority(testPki().environment, 'test.example');
    const client = bench.client(await bench.federation.member('hoster-a'), identity);
    await expect(callUnary(client, lookup, 'x', 3_000)).rejects.toMatchObject({ code: status.UNAVAILABLE });
  });
});

describe('what a member may do', () => {
  it.each([
    ['stranger', status.PERMISSION_DENIED, 'UNKNOWN_MEMBER'],
    ['suspended', status.PERMISSION_DENIED, 'NOT_ENTITLED'],
    ['ended', status.PERMISSION_DENIED, 'NOT_ENTITLED'],
    ['operator', status.PERMISSION_DENIED, 'NOT_ENTITLED'],
  ])('%s may not look up', async (member, code, reason) => {
    const before = reached;
    const error = await callUnary(await bench.as(member), lookup, 'x').catch((caught) => caught);
    expect(error.code).toBe(code);
    expect(detailsOf(error)).toContain(reason);
    expect(reached).toBe(before);
  });

  it('reads the lists it may read and no others, whether they exist or not', async () => {
    const client = await bench.as('hoster-a');
    const method = TEST_SERVICE.getCheckpoint;
    expect((await callUnary(client, method, 'police.example/stream/sha256/g1')).toString()).toBe('note');
    for (const origin of ['police.example/other/sha256/g1', 'x'.repeat(5_000)]) {
      const error = await callUnary(client, method, origin).catch((caught) => caught);
      expect(detailsOf(error)).toContain('NOT_ENTITLED');
      expect(detailsOf(error).length).toBeLessThan(500);
    }
  });

  it('calls that are not offered are refused to strangers and UNIMPLEMENTED for those entitled', async () => {
    const method = TEST_SERVICE.setBudget;
    await expect(callUnary(await bench.as('hoster-a'), method, 'x')).rejects.toMatchObject({
      code: status.PERMISSION_DENIED,
    });
    await expect(callUnary(await bench.as('operator'), method, 'x')).rejects.toMatchObject({
      code: status.UNIMPLEMENTED,
    });
  });

  it('is checked on every call: revoked while connected', async () => {
    const client = await bench.as('hoster-a');
    await callUnary(client, lookup, 'x');
    const watch = openServerStream(client, TEST_SERVICE.watchCheckpoints, '');
    const failed = new Promise<{ code: number }>((resolve) => watch.on('error', resolve as never));
    await new Promise((resolve) => watch.once('data', resolve));
    const others = MEMBERS.filter((member) => member.name !== 'hoster-a');
    bench.holder.replace(directoryOf(2, [...others, record('hoster-a', ['hoster'], { status: 'revoked' })]));
    await expect(callUnary(client, lookup, 'x')).rejects.toMatchObject({ code: status.PERMISSION_DENIED });
    expect((await failed).code).toBe(status.PERMISSION_DENIED);
    await until(() => ended.includes('NOT_ENTITLED'));
    bench.holder.replace(directoryOf(3, MEMBERS));
    await callUnary(client, lookup, 'x');
  });

  it('an expired directory admits nobody', async () => {
    const client = await bench.as('hoster-a');
    bench.holder.replace(directoryOf(4, MEMBERS, { expiresMs: Date.now() - 1 }));
    const error = await callUnary(client, lookup, 'x').catch((caught) => caught);
    expect(detailsOf(error)).toContain('STALE');
    bench.holder.replace(directoryOf(5, MEMBERS));
  });

  it('a certificate that expires while connected admits nobody', async () => {
    const client = bench.client(await bench.federation.member('hoster-a', 1));
    await callUnary(client, lookup, 'x');
    bench.clock.offsetMs = 2 * 86_400_000;
    bench.holder.replace(directoryOf(6, MEMBERS, { expiresMs: Date.now() + 9 * 86_400_000 }));
    await expect(callUnary(client, lookup, 'x')).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
    bench.clock.offsetMs = 0;
  });

  it('is written down, with what became of it', () => {
    const outcomes = bench.audited.map((event) => `${event.member} ${event.rpc} ${event.outcome}`);
    expect(outcomes).toContain('hoster-a QueryService/LookupHash OK');
    expect(outcomes).toContain('stranger QueryService/LookupHash UNKNOWN_MEMBER');
  });
});

describe('the transport', () => {
  const dial = async (options: object) => {
    const identity = await bench.federation.member('hoster-a');
    return connect({
      host: '127.0.0.1',
      port: bench.server.port,
      ca: bench.federation.ca.certificatePem,
      cert: identity.certificatePem,
      key: identity.keyPem,
      ALPNProtocols: ['h2'],
      servername: 'localhost',
      ...options,
    });
  };

  it('speaks TLS 1.3 only', async () => {
    const old = await dial({ maxVersion: 'TLSv1.2' });
    const error = await new Promise<Error>((resolve) => old.once('error', resolve));
    expect(error.message).toMatch(/version|alert/i);
    const current = await dial({});
    await new Promise((resolve) => current.once('secureConnect', resolve));
    expect(current.getProtocol()).toBe('TLSv1.3');
    current.destroy();
  });

  it('resumes no session, so that every connection shows its certificate', async () => {
    const first = await dial({});
    const sessions: Buffer[] = [];
    first.on('session', (session) => sessions.push(session));
    await new Promise((resolve) => first.once('secureConnect', resolve));
    // The server's SETTINGS arrive after whatever tickets it sends.
    await new Promise((resolve) => first.once('data', resolve));
    const kept = sessions.at(-1) ?? first.getSession();
    first.destroy();
    const second = await dial({ session: kept });
    await new Promise((resolve) => second.once('secureConnect', resolve));
    expect(second.isSessionReused()).toBe(false);
    second.destroy();
  });
});

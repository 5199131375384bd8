import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildFirstDirectory, buildNextDirectory } from '../../../client/federation/index.js';
import { DirectoryServiceService as service } from '../../../proto/gen/hashfed/v1/directory_service.js';
import { type HashfedError, seedSigner } from '../../../sdk/core/index.js';
import { nodeEd25519, nodeSha256 } from '../../../sdk/hash/platform/index.js';
import { callUnary, openChannel, type RpcChannel, readStream } from '../../../sdk/rpc/index.js';
import { DirectoryKeeper } from '../../../server/access/index.js';
import { directoryService } from '../../../server/services/directory.js';
import { createMemoryStorage } from '../../support/memory-storage.js';
import { testPki } from '../../support/pki.js';
import { type Bench, startBench } from './harness.js';

const suite = { sha256: nodeSha256, ed25519: nodeEd25519 };
const { environment, clock } = testPki();
const operator = seedSigner(nodeEd25519, new Uint8Array(randomBytes(32)));
const limits = { deadlineMs: 10_000, retries: 0 };
const first = buildFirstDirectory(suite, {
  federation: 'test.example',
  issuedAtMs: clock.nowMs(),
  days: 365,
  signers: [{ member: 'operator', signer: operator }],
  members: [
    { name: 'operator', displayName: 'Operator', roles: ['operator'] },
    { name: 'hoster-a', displayName: 'Hoster A', roles: ['hoster'] },
  ],
});

let bench: Bench;
const channels: RpcChannel[] = [];
beforeAll(async () => {
  const storage = createMemoryStorage({ sha: nodeSha256, ...environment });
  const keeper = await DirectoryKeeper.open({
    suite,
    documents: storage.documents,
    federation: 'test.example',
    pinned: first.directory.sha256,
    first: async () => first.envelope,
  });
  bench = await startBench({}, { services: [directoryService(keeper)], holder: keeper.holder });
});
afterAll(async () => {
  for (const channel of channels) channel.close();
  await bench.close();
});

async function channelOf(member: string): Promise<RpcChannel> {
  const identity = await bench.federation.member(member);
  const tls = {
    ca: Buffer.from(bench.federation.ca.certificatePem),
    certificate: Buffer.from(identity.certificatePem),
    key: Buffer.from(identity.keyPem),
  };
  const channel = openChannel({ address: bench.server.address, tls, random: environment.random });
  channels.push(channel);
  return channel;
}

const codeOf = (error: HashfedError): string => error.code;

it('a version put by the operator governs live connections at once', async () => {
  const [hoster, chief] = [await channelOf('hoster-a'), await channelOf('operator')];
  const held = await callUnary(hoster, service.getDirectory, { version: 0n }, limits);
  expect(Buffer.from(held.envelope).equals(first.envelope)).toBe(true);
  const change = { issuedAtMs: clock.nowMs(), days: 365, revoke: ['hoster-a'] };
  const { envelope } = buildNextDirectory(suite, first.directory, change, [operator]);
  const put = (channel: RpcChannel) => callUnary(channel, service.putDirectory, { envelope }, limits);
  expect(await put(hoster).catch(codeOf)).toBe('NOT_ENTITLED');
  expect(await put(chief)).toEqual({ version: 2n });
  expect(await callUnary(hoster, service.getDirectory, { version: 0n }, limits).catch(codeOf)).toBe(
    'NOT_ENTITLED',
  );
  const again = await callUnary(chief, service.getDirectory, { version: 2n }, limits);
  expect(Buffer.from(again.envelope).equals(envelope)).toBe(true);
});

it('what it does not offer is UNIMPLEMENTED, unary and streaming alike', async () => {
  const chief = await channelOf('operator');
  const request = { member: 'members/hoster-a', kind: 1 as const, limit: 1n };
  expect(await callUnary(chief, service.setBudget, request, limits).catch(codeOf)).toBe('UNIMPLEMENTED');
  const limited = { deadlineMs: 10_000, idleMs: 5_000, maxBytes: 1_000 };
  const stream = readStream(chief, service.exportAudit, { fromMs: 0n, toMs: 0n }, limited);
  const drain = async (): Promise<void> => {
    for await (const _ of stream);
  };
  expect(await drain().catch(codeOf)).toBe('UNIMPLEMENTED');
});

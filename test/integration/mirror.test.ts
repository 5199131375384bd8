import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CheckpointBundle } from '../../proto/gen/hashfed/v1/common.js';
import { FederationServiceService } from '../../proto/gen/hashfed/v1/federation_service.js';
import { ListServiceService } from '../../proto/gen/hashfed/v1/list_service.js';
import {
  concat,
  fromHex,
  parseCheckpoint,
  parseNote,
  parseVkey,
  toHex,
  verifyNote,
} from '../../sdk/core/index.js';
import { callUnary, openChannel, type RpcChannel, readStream } from '../../sdk/rpc/index.js';
import { Victim } from '../support/liar/victim.js';
import { type MirrorProcess, startMirror } from '../support/mirror-process.js';
import { random, suite, TestFederation } from '../support/server/federation.js';
import { TestPublisher } from '../support/server/publisher.js';

const L = ListServiceService;
const DEADLINE = { deadlineMs: 20_000, retries: 0 };
const STREAM = { deadlineMs: 20_000, idleMs: 20_000, maxBytes: 1 << 28 };
const ORIGIN = 'police.example/known/sha256/g1';
const NAME = 'mirror.example/hashfed';

let federation: TestFederation;
let police: TestPublisher;
let mirror: MirrorProcess;
const channels: RpcChannel[] = [];

async function tlsOf(member: string) {
  const folder = join(federation.folder, 'members', member);
  const [ca, certificate, key] = await Promise.all(
    ['ca.pem', 'member.pem', 'member.key'].map((name) => readFile(join(folder, name))),
  );
  return { ca: ca!, certificate: certificate!, key: key! };
}

async function channelTo(address: string, member = 'hoster-a'): Promise<RpcChannel> {
  const channel = openChannel({ address, tls: await tlsOf(member), random });
  channels.push(channel);
  return channel;
}

async function bundleOf(channel: RpcChannel, origin = ORIGIN): Promise<CheckpointBundle> {
  return (await callUnary(channel, L.getCheckpoint, { origin }, DEADLINE)).checkpoint!;
}

const stateOf = ({ note }: CheckpointBundle) => parseCheckpoint(parseNote(note).body);
const names = ({ note }: CheckpointBundle) => parseNote(note).signatures.map(({ name }) => name);

/** Waits for what a mirror does by itself; the test's own timeout ends a wait in vain. */
async function until<T>(look: () => Promise<T>, holds: (seen: T) => boolean): Promise<T> {
  for (;;) {
    const seen = await look().catch(() => undefined);
    if (seen !== undefined && holds(seen)) return seen;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const carried = (channel: RpcChannel, size: number, line = NAME): Promise<CheckpointBundle> =>
  until(
    () => bundleOf(channel),
    (bundle) => bundle.note.length > 0 && stateOf(bundle).size === size && names(bundle).includes(line),
  );

async function pull(channel: RpcChannel, to: number): Promise<string> {
  const request = { origin: ORIGIN, from: 0n, to: BigInt(to), leafHashesOnly: false };
  const parts: Uint8Array[] = [];
  for await (const { bundle } of readStream(channel, L.pullEntries, request, STREAM)) parts.push(bundle);
  return toHex(concat(...parts));
}

/** A hoster that knows the mirror alone, and demands cosigners. */
async function hosterOf(member: string, needed: number, vkeys: readonly string[]): Promise<Victim> {
  const folder = join(federation.folder, 'members', member);
  const config = JSON.parse(await readFile(join(folder, 'hashfed.json'), 'utf8')) as {
    trust: { publisher: string; root_sha256: string }[];
  };
  return await Victim.open({
    trust: config.trust.map((one) => ({ publisher: one.publisher, fingerprint: fromHex(one.root_sha256) })),
    sources: [mirror.address],
    tls: await tlsOf(member),
    clock: { nowMs: () => Date.now(), monotonicMs: () => performance.now() },
    cosigners: { needed, keys: vkeys.map((text) => parseVkey(suite.sha256, text)) },
  });
}

beforeAll(async () => {
  federation = await TestFederation.make();
  const { address } = await federation.start();
  police = await TestPublisher.open(federation, 'police', ORIGIN);
  await police.publish(police.adds(200), 'two');
  mirror = await startMirror(federation.folder, {
    name: 'mirror',
    upstreams: [address],
    cosign: { mirror: NAME },
  });
});
afterAll(async () => {
  for (const channel of channels) channel.close();
  await mirror.end('SIGKILL');
  await federation.remove();
});

describe('a mirror', () => {
  test('carries the same bytes, notes and statements, and adds its cosignature', async () => {
    const origin = await channelTo(federation.server!.address);
    const copy = await channelTo(mirror.address);
    const seen = await carried(copy, 201);
    const upstream = await bundleOf(origin);
    expect(parseNote(seen.note).body).toBe(parseNote(upstream.note).body);
    const lines = parseNote(seen.note).signatures.map(({ line }) => line);
    for (const { line } of parseNote(upstream.note).signatures) expect(lines).toContain(line);
    expect(seen.freshness.length).toBeGreaterThan(100);
    expect(await pull(copy, 201)).toBe(await pull(origin, 201));
    const root = await callUnary(
      copy,
      L.getPublisherRoot,
      { publisher: 'members/police', version: 1n },
      DEADLINE,
    );
    const own = await callUnary(
      origin,
      L.getPublisherRoot,
      { publisher: 'members/police', version: 1n },
      DEADLINE,
    );
    expect(toHex(root.envelope)).toBe(toHex(own.envelope));
  });

  test('follows what is published, a one-key tail and its anchor included', async () => {
    await police.publish(police.adds(10), 'one');
    const seen = await carried(await channelTo(mirror.address), police.size);
    expect(parseCheckpoint(parseNote(seen.anchorNote).body).size).toBe(201);
  });

  test('lets nobody read what the directory does not let them read', async () => {
    const stranger = await channelTo(mirror.address, 'hotline');
    await expect(bundleOf(stranger)).rejects.toMatchObject({ code: 'NOT_ENTITLED' });
  });

  test('following itself and another mirror in a circle comes to rest', async () => {
    const listen = mirror.address;
    await mirror.end();
    const second = await startMirror(federation.folder, {
      name: 'second',
      upstreams: [listen, federation.server!.address],
      cosign: { mirror: 'second.example/hashfed' },
      cosigners: { threshold: 0, keys: [await mirror.vkey('mirror')] },
    });
    mirror = await startMirror(federation.folder, {
      name: 'mirror',
      listen,
      upstreams: [listen, second.address, federation.server!.address],
      cosign: { mirror: NAME },
      cosigners: { threshold: 0, keys: [await second.vkey('mirror')] },
    });
    try {
      await police.publish(police.adds(20), 'two');
      const copy = await channelTo(mirror.address);
      const other = await channelTo(second.address);
      await carried(copy, police.size);
      const there = await carried(other, police.size, 'second.example/hashfed');
      expect(names(there).filter((name) => name === 'second.example/hashfed')).toHaveLength(1);
      expect(stateOf(there).size).toBe(police.size);
      expect(await pull(copy, police.size)).toBe(await pull(other, police.size));
    } finally {
      await second.end();
    }
  });
});

describe('a witness, and evidence of a fork', () => {
  const F = FederationServiceService;
  const WITNESS = 'witness.example/hashfed';
  let witness: MirrorProcess;
  beforeAll(async () => {
    const upstreams = [federation.server!.address];
    witness = await startMirror(federation.folder, {
      name: 'witness',
      upstreams,
      cosign: { mirror: 'other.example/hashfed', witness: WITNESS },
    });
  });
  afterAll(() => witness.end('SIGKILL'));

  test('cosigns what the publisher shows it, and a proven extension, for those entitled', async () => {
    const asked = await channelTo(witness.address, 'police');
    const first = await until(
      () => bundleOf(asked),
      ({ note }) => note.length > 0,
    );
    const key = parseVkey(suite.sha256, await witness.vkey('witness'));
    const add = (oldSize: number, note: Uint8Array, consistency: Uint8Array = new Uint8Array()) =>
      callUnary(asked, F.addCheckpoint, { oldSize: BigInt(oldSize), note, consistency }, DEADLINE);
    const { signatureLines } = await add(0, first.note);
    expect(verifyNote(suite, concat(first.note, signatureLines), [key]).verified).toHaveLength(1);
    const { size } = stateOf(first);
    await police.publish(police.adds(5), 'two');
    const origin = await channelTo(federation.server!.address);
    const next = await bundleOf(origin);
    await expect(add(0, next.note)).rejects.toMatchObject({ code: 'OLD_SIZE_MISMATCH' });
    const request = { origin: ORIGIN, size: BigInt(stateOf(next).size), indexes: [], fromSize: BigInt(size) };
    const { consistency } = await callUnary(origin, L.getProof, request, DEADLINE);
    await add(size, next.note, consistency);
    const stranger = await channelTo(witness.address, 'hotline');
    const again = callUnary(
      stranger,
      F.addCheckpoint,
      { oldSize: 0n, note: next.note, consistency: new Uint8Array() },
      DEADLINE,
    );
    await expect(again).rejects.toMatchObject({ code: 'NOT_ENTITLED' });
  });

  test('keeps a fork that a member hands in, tells its upstream, and carries the list no further', async () => {
    const none = new Uint8Array();
    const reporter = await channelTo(witness.address);
    const held = await carried(reporter, police.size, 'other.example/hashfed');
    const noteB = police.note({ origin: ORIGIN, size: police.size, root: new Uint8Array(32) }, 'one');
    const equivocation = {
      origin: ORIGIN,
      noteA: held.note,
      noteB,
      statementB: none,
      contradiction: none,
      foundMs: 0n,
      foundBy: '',
    };
    const honest = { ...equivocation, noteB: held.note };
    await expect(
      callUnary(reporter, F.reportEquivocation, { equivocation: honest }, DEADLINE),
    ).rejects.toMatchObject({
      code: 'MALFORMED',
    });
    const { name } = await callUnary(reporter, F.reportEquivocation, { equivocation }, DEADLINE);
    expect(name).toMatch(/^equivocations\/[0-9a-f]{64}$/);
    const upstream = await channelTo(federation.server!.address);
    const list = () =>
      callUnary(upstream, F.listEquivocations, { origin: ORIGIN, pageSize: 0, pageToken: '' }, DEADLINE);
    const { equivocations } = await until(list, (page) => page.equivocations.length > 0);
    expect(equivocations[0]).toMatchObject({ origin: ORIGIN, foundBy: 'members/mirror' });
    await police.publish(police.adds(5), 'two');
    await until(
      () => witness.log(),
      (text) => /"code":"EQUIVOCATION"[^\n]*mirror.stayed/.test(text),
    );
    expect(stateOf(await bundleOf(reporter)).size).toBe(police.size - 6);
  });
});

describe('with the origin gone', () => {
  test('a hoster syncs from the mirror alone, cosigned as it demands; roots are equal', async () => {
    const before = stateOf(await bundleOf(await channelTo(federation.server!.address)));
    await carried(await channelTo(mirror.address), before.size);
    await federation.server!.end('SIGKILL');
    const hoster = await hosterOf('hoster-a', 1, [await mirror.vkey('mirror')]);
    const { size, root } = await hoster.sync(ORIGIN);
    const { state } = await hoster.standing(ORIGIN);
    await hoster.remove();
    expect([size, toHex(root), state]).toEqual([before.size, toHex(before.root), 'STALE']);
  });

  test('one that demands a cosigner that did not sign is refused', async () => {
    const other = await startMirror(federation.folder, {
      name: 'third',
      upstreams: [mirror.address],
      cosign: { mirror: 'third.example/hashfed' },
    });
    await other.end();
    const keys = [await mirror.vkey('mirror'), await other.vkey('mirror')];
    const hoster = await hosterOf('hoster-b', 2, keys);
    await expect(hoster.sync(ORIGIN)).rejects.toMatchObject({ code: 'THRESHOLD_NOT_MET' });
    expect((await hoster.replica(ORIGIN)).size).toBe(0);
    await hoster.remove();
  });

  test('the mirror still serves after a kill and a restart', async () => {
    const listen = mirror.address;
    const size = police.size;
    await mirror.end('SIGKILL');
    mirror = await startMirror(federation.folder, {
      name: 'mirror',
      listen,
      upstreams: [listen],
      cosign: { mirror: NAME },
    });
    const seen = await carried(await channelTo(mirror.address), size);
    expect(seen.freshness.length).toBeGreaterThan(100);
  });
});

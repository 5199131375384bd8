import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { judgeHashes } from '../../../sdk/check.js';
import { encodeStateHead, headAtSeal, toHex } from '../../../sdk/core/index.js';
import { DEFAULT_POLICY } from '../../../sdk/match/index.js';
import { MatchingList } from '../../../sdk/matching-list.js';
import { ListReplica } from '../../../sdk/sync/index.js';
import { SyncClient, TestClock } from '../../support/sync/client.js';
import { FakeList, FakeServer } from '../../support/sync/fake-server.js';
import { ORIGIN, T0 } from '../../support/trust/bodies.js';

/** 1.5 MB of rows and 640 KB of keys: two blocks of the one, one of the other. */
const RECORDS = 20_000;
const STRANGERS = 500;
const PDQ_ORIGIN = 'police.example/abuse/pdq/g1';

let clock: TestClock;
let list: FakeList;
let server: FakeServer;
let client: SyncClient;

beforeEach(async () => {
  clock = new TestClock(T0 + 60_000);
  list = new FakeList(ORIGIN, () => clock.nowMs());
  list.log.publish(list.log.adds('base', RECORDS));
  list.sign('two');
  server = await FakeServer.start(list);
  client = await SyncClient.open(ORIGIN, clock, [server.source()]);
  await client.sync();
});
afterEach(async () => {
  await client.replica.opening?.close();
  await client.remove();
  server.stop();
});

/** Deltas over the base: added, withdrawn, amended, entered again after a withdrawal. */
async function grow(): Promise<void> {
  const { log } = list;
  log.publish([...log.adds('more', 60), log.withdraw(3), log.withdraw(700), log.amend(9)]);
  list.sign('one');
  await client.sync();
  log.publish([log.add('base', 700, { readd: true }), log.withdraw(RECORDS + 1 + 5)]);
  list.sign('two');
  await client.sync();
  expect(client.replica.pending).toBeGreaterThan(0);
}

const hashes = (): Uint8Array[] => [
  ...Array.from({ length: RECORDS }, (_, i) => list.log.hash('base', i)),
  ...Array.from({ length: 60 }, (_, i) => list.log.hash('more', i)),
];
const strangers = () => Array.from({ length: STRANGERS }, (_, i) => list.log.hash('stranger', i));
const idsOf = (matching: MatchingList, hash: Uint8Array) =>
  matching.find(hash).map(({ addIndex }) => addIndex);

const said = () => {
  const { size, root, head, appliedMs, checkpoint, anchor } = client.replica;
  const sealed = encodeStateHead(headAtSeal(ORIGIN, head.seal!, head.holds));
  return { size, appliedMs, bytes: [root, checkpoint, anchor, sealed].map(toHex) };
};

async function open(): Promise<MatchingList> {
  await client.restart(ListReplica.begin);
  return MatchingList.open(client.replica, 'listed');
}

async function damage(name: string, at: number): Promise<void> {
  const lists = join(client.dir, 'store', 'lists');
  const files = await readdir(lists, { recursive: true });
  const path = join(lists, files.find((file) => file.endsWith(name))!);
  const bytes = await readFile(path);
  bytes[at]! ^= 1;
  await writeFile(path, bytes);
}

describe('a list that is being opened', () => {
  test('says of itself what it says when it is open', async () => {
    await grow();
    const before = said();
    await client.restart(ListReplica.begin);
    const opening = client.replica;
    expect(said()).toEqual(before);
    expect(opening.opening).toBeDefined();
    expect(() => opening.state).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
    expect(() => opening.tree).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
    await opening.ready();
    expect(opening.opening).toBeUndefined();
    expect(toHex(opening.state.recomputeDigest())).toBe(toHex(list.log.state.setDigest()));
    expect([opening.state.count, opening.tree.root()]).toEqual([list.log.state.count, list.log.at().root]);
  });

  test('answers misses at once, and has no answer yet for what may be listed', async () => {
    await grow();
    const matching = await open();
    const maybe = hashes().filter((sha256) => matching.waitsFor({ sha256 }));
    expect(maybe).toHaveLength(RECORDS + 60);
    const unsure = strangers().filter((sha256) => matching.waitsFor({ sha256 }));
    expect(unsure.length).toBeLessThan(3);
    const sure = strangers().find((sha256) => !matching.waitsFor({ sha256 }))!;
    expect(matching.find(sure)).toEqual([]);
    expect(() => matching.find(maybe[0]!)).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
    expect(matching.waitsFor({ md5: new Uint8Array(16) })).toBe(false);
    const ask = (one: MatchingList) =>
      judgeHashes({ ...client, lists: [one], policy: DEFAULT_POLICY }, { sha256: sure });
    const verdict = ask(matching);
    await matching.ready();
    expect(verdict).toEqual(ask(new MatchingList(client.replica, 'listed')));
    expect(verdict).toMatchObject({ action: 'none', matches: [], freshness: 'STALE' });
  });

  test('matches as one that was read whole, with what deltas added, withdrew and amended', async () => {
    await grow();
    const matching = await open();
    await matching.ready();
    await client.restart();
    const whole = new MatchingList(client.replica, 'listed');
    const asked = [...hashes(), ...strangers()];
    const wrong = asked.filter((hash) => `${idsOf(matching, hash)}` !== `${idsOf(whole, hash)}`);
    expect(wrong).toEqual([]);
    expect(idsOf(matching, list.log.hash('base', 3))).toEqual([]);
    expect(idsOf(matching, list.log.hash('base', 700))).toEqual([RECORDS + 1 + 64]);
    expect(idsOf(matching, list.log.hash('more', 5))).toEqual([]);
    expect(matching.find(list.log.hash('base', 9))).toMatchObject([{ addIndex: 9, verifications: 2 }]);
  });

  test('goes on from there when it is synced', async () => {
    const matching = await open();
    list.log.publish([...list.log.adds('late', 5), list.log.withdraw(11)]);
    list.sign('one');
    await matching.ready();
    await matching.apply((await client.sync()).changes);
    expect(idsOf(matching, list.log.hash('late', 4))).toEqual([RECORDS + 1 + 4]);
    expect(idsOf(matching, list.log.hash('base', 11))).toEqual([]);
    expect(client.digest()).toContain(toHex(list.log.state.setDigest()));
  });

  test('ends when the store is closed, and nobody waits for ever', async () => {
    const matching = await open();
    const waiting = [matching.ready(), matching.verified()].map((one) => one.then(String, String));
    await matching.cancel();
    expect(await Promise.all(waiting)).toEqual([expect.stringContaining('closed'), 'undefined']);
  });
});

describe('damage that shows while a list is opened', () => {
  test('in its records: out of service as soon as it is seen, and repaired by the next sync', async () => {
    await damage('rows.col', 1_100_000);
    const matching = await open();
    expect(client.replica.size).toBe(RECORDS + 1);
    await matching.verified();
    const listed = list.log.hash('base', 1);
    expect(client.replica).toMatchObject({ size: 0, damage: { error: { code: 'STORAGE_FAILED' } } });
    expect(client.replica.floor?.checkpoint.size).toBe(RECORDS + 1);
    expect(matching.info(client.deps, client.book).state).toBe('EXPIRED');
    expect([matching.waitsFor({ sha256: listed }), matching.find(listed)]).toEqual([false, []]);
    await matching.apply((await client.sync()).changes);
    expect(client.replica.damage).toBeUndefined();
    expect(idsOf(matching, listed)).toEqual([1]);
  });

  test('in its keys alone: matched from its records, told, and the keys written anew by the next sync', async () => {
    await damage('keys.col', 300_000);
    const matching = await open();
    const listed = list.log.hash('base', 1);
    expect(matching.waitsFor({ sha256: listed })).toBe(false);
    expect(idsOf(matching, listed)).toEqual([1]);
    expect(client.replica.damage?.error.message).toContain('keys.col');
    await expect(client.deps.store.list(ORIGIN).scrub()).rejects.toThrow('keys.col');
    await client.sync();
    await client.deps.store.list(ORIGIN).scrub();
    await open();
    expect(client.replica.damage).toBeUndefined();
  });

  test('in the keys of a perceptual list, which nobody matches from: told and mended all the same', async () => {
    const pdq = new FakeList(PDQ_ORIGIN, () => clock.nowMs());
    pdq.log.publish(pdq.log.adds('base', 2_000));
    pdq.sign('two');
    await client.remove();
    server.stop();
    server = await FakeServer.start(pdq);
    client = await SyncClient.open(PDQ_ORIGIN, clock, [server.source()]);
    await client.sync();
    await damage('keys.col', 30_000);
    const matching = await open();
    expect(matching.perceptual?.size).toBe(2_000);
    expect(client.replica.damage?.error.message).toContain('keys.col');
    await client.sync();
    await client.deps.store.list(PDQ_ORIGIN).scrub();
  });

  test('in its deltas: nothing is matched on them', async () => {
    await grow();
    await damage('deltas.log', 4_000);
    await client.restart(ListReplica.begin);
    expect(client.replica).toMatchObject({ size: 0, damage: { error: { code: 'STORAGE_FAILED' } } });
    expect(client.replica.opening).toBeUndefined();
  });
});

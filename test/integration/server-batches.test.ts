import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ListState, Purpose } from '../../proto/gen/hashfed/v1/enums.js';
import { ListServiceService } from '../../proto/gen/hashfed/v1/list_service.js';
import { PublishServiceService } from '../../proto/gen/hashfed/v1/publish_service.js';
import { PublisherRoot } from '../../proto/gen/hashfed/v1/root.js';
import { Liveness } from '../../proto/gen/hashfed/v1/statements.js';
import {
  keysFor,
  parseCheckpoint,
  parseDsse,
  parseLiveness,
  parseNote,
  seedSigner,
  signDsse,
  startRoot,
  toHex,
  verifyCheckpoint,
  verifyFreshness,
} from '../../sdk/core/index.js';
import { callUnary, type RpcChannel } from '../../sdk/rpc/index.js';
import { random, suite, TestFederation } from '../support/server/federation.js';
import { type Draft, prepareUploads, TestPublisher } from '../support/server/publisher.js';

const L = ListServiceService;
const P = PublishServiceService;
const DEADLINE = { deadlineMs: 20_000, retries: 0 };
const SHA256 = 'police.example/known/sha256/g1';
const MD5 = 'police.example/known/md5/g1';

let federation: TestFederation;
let hoster: RpcChannel;
let sha256: TestPublisher;
let md5: TestPublisher;

beforeAll(async () => {
  federation = await TestFederation.make();
  await federation.start();
  hoster = await federation.as('hoster-a');
  sha256 = await TestPublisher.open(federation, 'police', SHA256);
  md5 = await TestPublisher.open(federation, 'police', MD5);
});
afterAll(() => federation.remove());

const bundleOf = async (origin: string) =>
  (await callUnary(hoster, L.getCheckpoint, { origin }, DEADLINE)).checkpoint!;

async function sizeOf(origin: string): Promise<number> {
  const { note } = await bundleOf(origin);
  return note.length === 0 ? 0 : parseCheckpoint(parseNote(note).body).size;
}

async function prepareBoth(): Promise<{ name: string; drafts: [Draft, Draft] }> {
  const drafts: [Draft, Draft] = [sha256.draft(sha256.adds(4)), md5.draft(md5.adds(4))];
  const [one, two] = [await sha256.upload(drafts[0]), await md5.upload(drafts[1])];
  const items = [one, two].map(({ upload }) => ({ upload, extends: '' }));
  const { name, ranges } = await prepareUploads(sha256.channel, items);
  expect(ranges.map(({ origin }) => origin)).toEqual([MD5, SHA256]);
  return { name, drafts };
}

describe('a batch of several lists', () => {
  test('is visible as a whole, or not at all', async () => {
    const { name, drafts } = await prepareBoth();
    const notes = [
      { origin: SHA256, note: sha256.note(drafts[0], 'two') },
      { origin: MD5, note: md5.note({ ...drafts[1], root: random.bytes(32) }, 'two') },
    ];
    const commit = (partial = false, given = notes) =>
      callUnary(sha256.channel, P.commitBatch, { batch: name, notes: given, partial }, DEADLINE);
    await expect(commit()).rejects.toMatchObject({ code: 'ROOT_MISMATCH' });
    await expect(commit(false, notes.slice(0, 1))).rejects.toMatchObject({ code: 'MALFORMED' });
    expect([await sizeOf(SHA256), await sizeOf(MD5)]).toEqual([0, 0]);
    notes[1]!.note = md5.note(drafts[1], 'two');
    const { complete, receipts } = await commit();
    expect([complete, receipts.length]).toEqual([true, 2]);
    expect([await sizeOf(SHA256), await sizeOf(MD5)]).toEqual([5, 5]);
    for (const draft of drafts) draft.settle();
  });

  test('can be committed in parts, which show as such', async () => {
    const { name, drafts } = await prepareBoth();
    const first = await sha256.commit(name, drafts[0], 'two', true);
    expect(first.complete).toBe(false);
    const notes = [
      { origin: SHA256, note: sha256.note(drafts[0], 'two') },
      { origin: MD5, note: md5.note(drafts[1], 'two') },
    ];
    const both = await callUnary(
      sha256.channel,
      P.commitBatch,
      { batch: name, notes, partial: false },
      DEADLINE,
    );
    expect([both.complete, both.receipts.length]).toEqual([true, 2]);
    for (const draft of drafts) draft.settle();
    expect([await sizeOf(SHA256), await sizeOf(MD5)]).toEqual([10, 10]);
  });

  test('of two publishers that ask at once, each gets an answer', async () => {
    const [a, b] = [sha256.draft(sha256.adds(2)), md5.draft(md5.adds(2))];
    const [one, two] = await Promise.all([sha256.prepare(a), md5.prepare(b)]);
    await Promise.all([sha256.commit(one.name, a, 'one'), md5.commit(two.name, b, 'one')]);
    a.settle();
    b.settle();
    expect([await sizeOf(SHA256), await sizeOf(MD5)]).toEqual([13, 13]);
  });
});

describe('what was prepared for another state', () => {
  test('is refused once the list has moved on', async () => {
    const draft = sha256.draft(sha256.adds(2));
    const { upload } = await sha256.upload(draft);
    const { name } = await sha256.prepare(draft);
    await sha256.publish(sha256.adds(1), 'one');
    const items = [{ upload, extends: '' }];
    await expect(prepareUploads(sha256.channel, items)).rejects.toMatchObject({ code: 'OLD_SIZE_MISMATCH' });
    await expect(sha256.commit(name, { ...draft, size: draft.size + 5 }, 'one')).rejects.toMatchObject({
      code: 'OLD_SIZE_MISMATCH',
    });
    const { prepared } = await sha256.state();
    expect(prepared.map((batch) => batch.name)).not.toContain(name);
  });

  test('extends the batch that it names, not one of the same length', async () => {
    const [first, second] = [sha256.draft(sha256.adds(2)), sha256.draft(sha256.adds(2))];
    const [one, two] = [await sha256.prepare(first), await sha256.prepare(second)];
    second.settle();
    const more = sha256.draft(sha256.adds(1));
    await expect(sha256.prepare(more, one.name)).rejects.toMatchObject({ code: 'OLD_SIZE_MISMATCH' });
    const { name, ranges } = await sha256.prepare(more, two.name);
    expect(ranges[0]).toMatchObject({ counts: { added: 1n } });
    await sha256.commit(name, more, 'one');
    more.settle();
  });
});

describe('statements', () => {
  test('freshness verifies under the publisher’s root and names what is served', async () => {
    const { envelope } = await callUnary(
      hoster,
      L.getPublisherRoot,
      { publisher: 'members/police', version: 0n },
      DEADLINE,
    );
    const { body } = parseDsse('root', envelope);
    const root = startRoot(suite, envelope, suite.sha256.digest(body));
    const { freshness, note } = await bundleOf(SHA256);
    const policy = { keys: keysFor(root, SHA256), cosigners: { keys: [], needed: 0 } };
    const served = verifyCheckpoint(suite, policy, note, { nowMs: Date.now() });
    const statement = verifyFreshness(suite, root, SHA256, freshness, Date.now());
    expect([statement.size, toHex(statement.root)]).toEqual([served.size, toHex(served.root)]);
    expect(Date.now() - statement.issuedAtMs).toBeLessThan(60_000);
  });

  const liveness = async (timeMs: number, key: 'live' | 'list' = 'live') => {
    const { size, root } = parseCheckpoint(parseNote((await bundleOf(SHA256)).note).body);
    const message = { origin: SHA256, rootVersion: 1n, size: BigInt(size), root, timeMs: BigInt(timeMs) };
    const { seed } = await federation.key('police', key);
    return signDsse('liveness', Liveness.encode(message).finish(), [seedSigner(suite.ed25519, seed)]);
  };
  const put = (...envelopes: Uint8Array[]) =>
    callUnary(sha256.channel, P.putLiveness, { envelopes }, DEADLINE);
  const heldMs = async () =>
    parseLiveness(parseDsse('liveness', (await bundleOf(SHA256)).liveness).body).timeMs;

  test('liveness is served by its own time, never one by another key or from the future', async () => {
    const now = Date.now();
    await put(await liveness(now));
    expect(await heldMs()).toBe(now);
    await put(await liveness(now - 5_000));
    await expect(put(await liveness(now + 1, 'list'))).rejects.toMatchObject({ code: 'THRESHOLD_NOT_MET' });
    await expect(put(await liveness(now + 700_000))).rejects.toMatchObject({ code: 'FUTURE' });
    expect(await heldMs()).toBe(now);
    await put(await liveness(now + 1));
    expect(await heldMs()).toBe(now + 1);
  });
});

describe('publisher roots', () => {
  const next = async (
    change: (root: PublisherRoot) => Partial<PublisherRoot>,
    key: 'root' | 'list' = 'root',
  ) => {
    const { envelope } = await callUnary(
      hoster,
      L.getPublisherRoot,
      { publisher: 'members/police', version: 0n },
      DEADLINE,
    );
    const { body } = parseDsse('root', envelope);
    const held = PublisherRoot.decode(body);
    const message = { ...held, version: held.version + 1n, previousSha256: suite.sha256.digest(body) };
    const { seed } = await federation.key('police', key);
    const encoded = PublisherRoot.encode({ ...message, ...change(message) }).finish();
    return signDsse('root', encoded, [seedSigner(suite.ed25519, seed)]);
  };
  const put = (envelope: Uint8Array, channel = sha256.channel) =>
    callUnary(channel, P.putPublisherRoot, { envelope }, DEADLINE);

  test.each<[string, string, () => Promise<Uint8Array>]>([
    ['that skips a version', 'BAD_SIGNATURE', () => next(({ version }) => ({ version: version + 1n }))],
    ['signed by another key', 'THRESHOLD_NOT_MET', () => next(() => ({}), 'list')],
    ['that is no root', 'MALFORMED', async () => random.bytes(100)],
  ])('one %s is refused', async (_, code, make) => {
    await expect(put(await make())).rejects.toMatchObject({ code });
  });

  test('another member may not put it', async () => {
    await expect(put(await next(() => ({})), await federation.as('hotline'))).rejects.toMatchObject({
      code: 'BAD_SIGNATURE',
    });
  });

  test('the next version adds a known-good list, whose hashes no other list may hold', async () => {
    const stock = 'police.example/stock/sha256/g1';
    const envelope = await next(({ origins }) => {
      const known = origins.find(({ origin }) => origin === SHA256)!;
      const more = { ...known, origin: stock, purpose: Purpose.KNOWN_GOOD };
      return { origins: [...origins, more].sort((a, b) => (a.origin < b.origin ? -1 : 1)) };
    });
    expect((await put(envelope)).version).toBe(2n);
    expect((await put(envelope)).version).toBe(2n);
    expect((await bundleOf(SHA256)).rootVersion).toBe(2n);
    const harmless = await TestPublisher.open(federation, 'police', stock);
    const hash = random.bytes(32);
    await harmless.publish([harmless.add(hash)], 'two');
    const draft = sha256.draft([sha256.add(random.bytes(32)), sha256.add(hash)]);
    await expect(sha256.prepare(draft)).rejects.toMatchObject({
      code: 'KNOWN_GOOD',
      message: `entry ${sha256.size + 1} has a hash that is on a known-good list`,
    });
    await sha256.publish([sha256.add(random.bytes(32))], 'one');
  });

  test('a list whose generation is over says so', async () => {
    const members = await federation.as('hotline');
    const origin = 'hotline.example/known/md5/g1';
    const list = await TestPublisher.open(federation, 'hotline', origin);
    await list.publish(list.adds(2), 'two');
    const { envelope } = await callUnary(
      members,
      L.getPublisherRoot,
      { publisher: 'members/hotline', version: 1n },
      DEADLINE,
    );
    const { body } = parseDsse('root', envelope);
    const held = PublisherRoot.decode(body);
    const { note } = (await list.state()).checkpoint!;
    const { size, root } = parseCheckpoint(parseNote(note).body);
    const origins = held.origins.map((policy) =>
      policy.origin === origin
        ? { ...policy, origin: origin.replace('/g1', '/g2'), succeeds: { origin, size: BigInt(size), root } }
        : policy,
    );
    const previousSha256 = suite.sha256.digest(body);
    const message = PublisherRoot.encode({ ...held, version: 2n, previousSha256, origins }).finish();
    const { seed } = await federation.key('hotline', 'root');
    await put(signDsse('root', message, [seedSigner(suite.ed25519, seed)]), members);
    await expect(bundleOf(origin)).rejects.toMatchObject({ code: 'GENERATION_CLOSED' });
    await expect(list.upload(list.draft(list.adds(1)))).rejects.toMatchObject({ code: 'GENERATION_CLOSED' });
    const next = await TestPublisher.open(federation, 'hotline', origin.replace('/g1', '/g2'));
    await next.publish(next.adds(2), 'two');
  });

  test('pages of lists are complete and in order', async () => {
    const origins: string[] = [];
    const states = new Set<number>();
    for (let pageToken = ''; ; ) {
      const page = await callUnary(hoster, L.listLists, { pageSize: 3, pageToken }, DEADLINE);
      expect(page.lists.length).toBeLessThanOrEqual(3);
      origins.push(...page.lists.map(({ origin }) => origin));
      for (const { state } of page.lists) states.add(state);
      pageToken = page.nextPageToken;
      if (pageToken === '') break;
    }
    expect(origins).toEqual([...origins].sort());
    expect(origins).toHaveLength(8);
    expect(states).toEqual(new Set([ListState.OPEN, ListState.EMPTY]));
  });
});

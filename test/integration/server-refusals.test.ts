import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ListServiceService } from '../../proto/gen/hashfed/v1/list_service.js';
import { PublishServiceService } from '../../proto/gen/hashfed/v1/publish_service.js';
import {
  type ErrorCode,
  encodeLeaf,
  type Leaf,
  parseCheckpoint,
  parseNote,
  toHex,
} from '../../sdk/core/index.js';
import { callUnary, type RpcChannel, sendStream } from '../../sdk/rpc/index.js';
import { random, TestFederation } from '../support/server/federation.js';
import { pieces, prepareUploads, TestPublisher } from '../support/server/publisher.js';

const ORIGIN = 'police.example/known/sha256/g1';
const DEADLINE = { deadlineMs: 20_000, retries: 0 };
const MINUTE = 60_000;

let federation: TestFederation;
let police: TestPublisher;
let hoster: RpcChannel;
const first: Leaf[] = [];

beforeAll(async () => {
  federation = await TestFederation.make();
  await federation.start();
  hoster = await federation.as('hoster-a');
  police = await TestPublisher.open(federation, 'police', ORIGIN);
  first.push(...police.adds(50));
  await police.publish(first, 'two');
});
afterAll(() => federation.remove());

async function served(): Promise<string> {
  const { checkpoint } = await callUnary(
    hoster,
    ListServiceService.getCheckpoint,
    { origin: ORIGIN },
    DEADLINE,
  );
  const { size, root } = parseCheckpoint(parseNote(checkpoint!.note).body);
  return `${size} ${toHex(root)}`;
}

const soon = (ms: number): number => Date.now() + ms;
const asAdd = (leaf: Leaf) => leaf as Extract<Leaf, { kind: 'add' }>;
const truncated = (leaf: Leaf): Uint8Array => encodeLeaf(leaf).subarray(0, 60);
interface Row {
  readonly name: string;
  readonly code: ErrorCode;
  /** The entry that the refusal names. */
  readonly entry?: number;
  readonly leaves: () => (Leaf | Uint8Array)[];
  readonly seal?: (leaf: Leaf) => Leaf;
  readonly sealMs?: () => number;
}

const add = (over: Parameters<TestPublisher['add']>[1] = {}): Leaf => police.add(random.bytes(32), over);

const ROWS: readonly Row[] = [
  {
    name: 'a malformed entry',
    code: 'ANOMALOUS_ENTRY',
    entry: 52,
    leaves: () => [add(), truncated(add())],
  },
  {
    name: 'another hash type',
    code: 'ANOMALOUS_ENTRY',
    entry: 51,
    leaves: () => [add({ hashType: 4 })],
  },
  {
    name: 'a live hash and item again',
    code: 'DUPLICATE_RECORD',
    leaves: () => [add({ ...asAdd(first[3]!), timeMs: soon(0) })],
  },
  {
    name: 'one hash and item twice',
    code: 'DUPLICATE_RECORD',
    leaves: () => [add({ hash: asAdd(first[0]!).hash, itemId: asAdd(first[0]!).itemId })],
  },
  {
    name: 'a target that never lived',
    code: 'TARGET_ABSENT',
    entry: 51,
    leaves: () => [police.withdraw(50)],
  },
  {
    name: 'one target twice',
    code: 'TARGET_ABSENT',
    entry: 52,
    leaves: () => [police.withdraw(7), police.withdraw(7)],
  },
  {
    name: 'an undue re-add flag',
    code: 'ANOMALOUS_ENTRY',
    entry: 51,
    leaves: () => [add({ readd: true })],
  },
  {
    name: 'no re-add flag after a withdrawal as wrong',
    code: 'ANOMALOUS_ENTRY',
    entry: 52,
    leaves: () => [police.withdraw(7), add({ hash: asAdd(first[7]!).hash })],
  },
  {
    name: 'times out of order',
    code: 'ANOMALOUS_ENTRY',
    entry: 52,
    leaves: () => [add(), add({ timeMs: soon(-MINUTE) })],
  },
  {
    name: 'an entry from before the committed seal',
    code: 'ANOMALOUS_ENTRY',
    entry: 51,
    leaves: () => [add({ timeMs: soon(-60 * MINUTE) })],
  },
  {
    name: 'an entry too far ahead',
    code: 'FUTURE',
    entry: 51,
    leaves: () => [add({ timeMs: soon(12 * MINUTE) })],
    sealMs: () => soon(13 * MINUTE),
  },
  { name: 'a seal too far ahead', code: 'FUTURE', leaves: () => [add()], sealMs: () => soon(12 * MINUTE) },
  {
    name: 'a wrong set digest',
    code: 'PUBLISHER_INVALID',
    leaves: () => [add()],
    seal: (leaf) => ({ ...leaf, setDigest: random.bytes(32) }) as Leaf,
  },
  {
    name: 'a wrong set count',
    code: 'PUBLISHER_INVALID',
    leaves: () => [add()],
    seal: (leaf) => ({ ...leaf, setCount: 7 }) as Leaf,
  },
  {
    name: 'a wrong batch number',
    code: 'PUBLISHER_INVALID',
    leaves: () => [add()],
    seal: (leaf) => ({ ...leaf, batchNo: 9 }) as Leaf,
  },
  { name: 'no seal at the end', code: 'NOT_SEALED', leaves: () => [add()], seal: () => add() },
];

describe('PrepareBatch refuses, and nothing changes', () => {
  test.each(ROWS)('$name', async ({ code, entry, leaves, seal, sealMs }) => {
    const before = await served();
    const draft = police.draft(leaves(), { ...(seal && { seal }), ...(sealMs && { sealMs: sealMs() }) });
    const refusal = await police.prepare(draft).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(refusal).toMatchObject({ code });
    if (entry !== undefined)
      expect(refusal).toMatchObject({ message: expect.stringMatching(`^entry ${entry} `) });
    expect(await served()).toBe(before);
  });
});

test('PrepareBatch refuses a newer kind of entry', async () => {
  const draft = police.draft([add()]);
  const kindAt = 3;
  draft.bundle[kindAt] = 9;
  await expect(police.prepare(draft)).rejects.toMatchObject({ code: 'UPGRADE_REQUIRED' });
});

describe('uploads', () => {
  const upload = (origin: string, change: (piece: ReturnType<typeof first3>[number]) => object) =>
    sendStream(
      police.channel,
      PublishServiceService.uploadEntries,
      first3(origin).map((piece) => ({ ...piece, ...change(piece) })),
      DEADLINE,
    );
  const first3 = (origin: string) => [...pieces(origin, police.draft(police.adds(3)).bundle, police.size)];

  test.each<[string, string, ErrorCode, (piece: { count: number; bundle: Uint8Array }) => object]>([
    ['of an unknown origin', 'police.example/known/pdq/g1', 'UNKNOWN_ORIGIN', () => ({})],
    ['of another publisher', 'hotline.example/known/sha256/g1', 'NOT_ENTITLED', () => ({})],
    ['of no origin', 'police.example', 'MALFORMED', () => ({})],
    ['that start elsewhere', ORIGIN, 'OLD_SIZE_MISMATCH', () => ({ firstIndex: 3n })],
    ['of a wrong count', ORIGIN, 'MALFORMED', ({ count }) => ({ count: count + 1 })],
    ['of a cut bundle', ORIGIN, 'MALFORMED', ({ bundle }) => ({ bundle: bundle.subarray(0, -1) })],
    ['of an empty bundle', ORIGIN, 'MALFORMED', () => ({ bundle: new Uint8Array(), count: 0 })],
    ['of erased entries', ORIGIN, 'MALFORMED', () => ({ bundle: new Uint8Array(34), count: 1 })],
    ['of too many bytes', ORIGIN, 'MALFORMED', () => ({ bundle: new Uint8Array(300_000), count: 1 })],
    ['without a request id', ORIGIN, 'MALFORMED', () => ({ requestId: new Uint8Array() })],
  ])('%s are refused', async (_, origin, code, change) => {
    await expect(upload(origin, change)).rejects.toMatchObject({ code });
  });

  test('cut at a whole entry cannot be prepared: the seal is missing', async () => {
    const draft = police.draft(police.adds(3));
    const [all] = [...pieces(ORIGIN, draft.bundle, draft.from)];
    const sealBytes = 2 + 85;
    const cut = { ...all!, count: 3, bundle: all!.bundle.subarray(0, -sealBytes) };
    const { upload: name } = await sendStream(
      police.channel,
      PublishServiceService.uploadEntries,
      [cut],
      DEADLINE,
    );
    await expect(prepareUploads(police.channel, [{ upload: name, extends: '' }])).rejects.toMatchObject({
      code: 'NOT_SEALED',
    });
  });

  test('a hoster may not publish, and a publisher not another one’s upload', async () => {
    const empty = { requestId: random.bytes(16), items: [] };
    await expect(
      callUnary(hoster, PublishServiceService.prepareBatch, empty, DEADLINE),
    ).rejects.toMatchObject({ code: 'NOT_ENTITLED' });
    const { upload: name } = await police.upload(police.draft(police.adds(1)));
    await expect(
      prepareUploads(await federation.as('hotline'), [{ upload: name, extends: '' }]),
    ).rejects.toMatchObject({ code: 'NOT_ENTITLED' });
  });
});

describe('CommitBatch', () => {
  test('takes no note by a wrong key, of another size, root or list', async () => {
    const draft = police.draft(police.adds(2));
    const { name } = await police.prepare(draft);
    const before = await served();
    const commit = (note: Uint8Array, origin = ORIGIN) =>
      callUnary(
        police.channel,
        PublishServiceService.commitBatch,
        { batch: name, notes: [{ origin, note }], partial: false },
        DEADLINE,
      );
    const wrong = { ...draft, root: random.bytes(32) };
    await expect(commit(police.note(wrong, 'two'))).rejects.toMatchObject({ code: 'ROOT_MISMATCH' });
    await expect(commit(police.note({ ...draft, size: draft.size + 1 }, 'two'))).rejects.toMatchObject({
      code: 'OLD_SIZE_MISMATCH',
    });
    await expect(commit(police.note(draft, 'approve'))).rejects.toMatchObject({ code: 'BAD_SIGNATURE' });
    await expect(
      commit(police.note({ ...draft, origin: 'police.example/known/md5/g1' }, 'two')),
    ).rejects.toMatchObject({
      code: 'BAD_SIGNATURE',
    });
    const other = { ...draft, origin: 'police.example/known/md5/g1' };
    await expect(commit(police.note(other, 'two'), other.origin)).rejects.toMatchObject({
      code: 'BAD_SIGNATURE',
    });
    expect(await served()).toBe(before);
  });

  test('is idempotent, adds signatures later, and knows a fork', async () => {
    const draft = police.draft(police.adds(2));
    const rival = police.draft(police.adds(2));
    const { name } = await police.prepare(draft);
    const { name: rivalName } = await police.prepare(rival);
    const once = await police.commit(name, draft, 'one');
    const again = await police.commit(name, draft, 'one');
    expect(again.receipts[0]!.noteBodySha256).toEqual(once.receipts[0]!.noteBodySha256);
    await expect(police.commit(rivalName, rival, 'one')).rejects.toMatchObject({ code: 'EQUIVOCATION' });
    const merged = await police.commit('', draft, 'two');
    expect(merged.receipts[0]).toMatchObject({ anchor: true });
    expect(parseNote(merged.receipts[0]!.note).signatures).toHaveLength(2);
    draft.settle();
    await expect(police.prepare({ ...rival })).rejects.toMatchObject({ code: 'OLD_SIZE_MISMATCH' });
  });

  test('chains on a prepared batch and commits both with one note', async () => {
    const one = police.draft(police.adds(2));
    const { name } = await police.prepare(one);
    one.settle();
    const two = police.draft(police.adds(3));
    const batch = await police.prepare(two, name);
    expect(batch.ranges[0]).toMatchObject({ from: BigInt(one.size), to: BigInt(two.size) });
    await police.commit(batch.name, two, 'one');
    two.settle();
    expect(await served()).toBe(`${two.size} ${toHex(two.root)}`);
    const late = await police.commit(name, one, 'two');
    expect(late.receipts[0]).toMatchObject({ anchor: true, head: { size: BigInt(one.size) } });
    expect((await police.state()).checkpoint!.anchorNote).toEqual(late.receipts[0]!.note);
  });

  test('counts from the anchor: one key may not go beyond its limit in slices', async () => {
    const { checkpoint } = await police.state();
    const anchor = parseCheckpoint(parseNote(checkpoint!.anchorNote).body).size;
    const left = 20 - (police.size - anchor - 1);
    await police.publish(police.adds(left), 'one');
    const over = police.draft(police.adds(1));
    const batch = await police.prepare(over);
    expect(batch.ranges[0]).toMatchObject({ twoKeys: true });
    await expect(police.commit(batch.name, over, 'one')).rejects.toMatchObject({ code: 'THRESHOLD_NOT_MET' });
    await police.commit(batch.name, over, 'two');
    over.settle();
  });

  test('an aborted batch cannot be committed', async () => {
    const draft = police.draft(police.adds(1));
    const { name } = await police.prepare(draft);
    await callUnary(police.channel, PublishServiceService.abortBatch, { batch: name }, DEADLINE);
    await expect(police.commit(name, draft, 'one')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('a flagged re-add needs two keys', async () => {
    const target = 3;
    const { hash } = asAdd(first[target]!);
    await police.publish([police.withdraw(target)], 'one');
    const draft = police.draft([police.add(hash, { readd: true })]);
    const { name } = await police.prepare(draft);
    await expect(police.commit(name, draft, 'one')).rejects.toMatchObject({ code: 'THRESHOLD_NOT_MET' });
    await police.commit(name, draft, 'two');
    draft.settle();
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ListServiceService } from '../../proto/gen/hashfed/v1/list_service.js';
import { concat, parseCheckpoint, parseNote, toHex } from '../../sdk/core/index.js';
import { callUnary, type RpcChannel, readStream } from '../../sdk/rpc/index.js';
import { TestFederation } from '../support/server/federation.js';
import { TestPublisher } from '../support/server/publisher.js';

const L = ListServiceService;
const DEADLINE = { deadlineMs: 20_000, retries: 0 };
const STREAM = { deadlineMs: 20_000, idleMs: 20_000, maxBytes: 1 << 28 };
const SELFTEST = 'dev.hashfed.example/selftest/sha256/g1';
const ORIGIN = 'police.example/known/sha256/g1';

let federation: TestFederation;
let hoster: RpcChannel;
let police: TestPublisher;

beforeAll(async () => {
  federation = await TestFederation.make();
  await federation.start();
  hoster = await federation.as('hoster-a');
  police = await TestPublisher.open(federation, 'police', ORIGIN);
});
afterAll(() => federation.remove());

async function checkpoint(origin: string) {
  const { checkpoint: held } = await callUnary(hoster, L.getCheckpoint, { origin }, DEADLINE);
  return { held: held!, ...parseCheckpoint(parseNote(held!.note).body) };
}

async function pull(origin: string, from: number, to: number): Promise<Uint8Array> {
  const request = { origin, from: BigInt(from), to: BigInt(to), leafHashesOnly: false };
  const parts: Uint8Array[] = [];
  for await (const { bundle } of readStream(hoster, L.pullEntries, request, STREAM)) parts.push(bundle);
  return concat(...parts);
}

describe('a server started from an init folder', () => {
  test('serves the self-test list with note, anchor and freshness', async () => {
    const { size, held } = await checkpoint(SELFTEST);
    expect(size).toBe(4);
    expect(held.anchorNote).toEqual(held.note);
    expect(held.freshness.length).toBeGreaterThan(100);
  });

  test('lists every list that a hoster may read', async () => {
    const { lists } = await callUnary(hoster, L.listLists, { pageSize: 0, pageToken: '' }, DEADLINE);
    expect(lists.map(({ origin }) => origin)).toContain(ORIGIN);
    expect(lists).toHaveLength(7);
  });
});

describe('publishing', () => {
  test('a two-key batch is served as it was sent', async () => {
    const draft = police.draft(police.adds(100));
    const batch = await police.prepare(draft);
    const [range] = batch.ranges;
    expect(range).toMatchObject({ from: 0n, to: 101n, twoKeys: true });
    expect(toHex(range!.root)).toBe(toHex(draft.root));
    expect(range?.counts).toMatchObject({ added: 100n, setCount: 100n });
    await expect(police.commit(batch.name, draft, 'one')).rejects.toMatchObject({
      code: 'THRESHOLD_NOT_MET',
    });
    const { receipts, complete } = await police.commit(batch.name, draft, 'two');
    expect(complete).toBe(true);
    expect(receipts[0]).toMatchObject({ anchor: true, head: { size: 101n } });
    draft.settle();
    const { size, root } = await checkpoint(ORIGIN);
    expect([size, toHex(root)]).toEqual([101, toHex(draft.root)]);
    expect(toHex(await pull(ORIGIN, 0, 101))).toBe(toHex(draft.bundle));
  });

  test('one key may add within its limit, and says what it added', async () => {
    const before = police.size;
    const draft = await police.publish(police.adds(10), 'one');
    const { size, held } = await checkpoint(ORIGIN);
    expect(size).toBe(before + 11);
    expect(parseCheckpoint(parseNote(held.anchorNote).body).size).toBe(before);
    expect(toHex(await pull(ORIGIN, before, size))).toBe(toHex(draft.bundle));
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HashType, SyncState } from '../../proto/gen/hashfed/v1/enums.js';
import type { PullSnapshotResponse } from '../../proto/gen/hashfed/v1/list.js';
import { ListServiceService } from '../../proto/gen/hashfed/v1/list_service.js';
import { PublishServiceService } from '../../proto/gen/hashfed/v1/publish_service.js';
import { LookupHashesResponse, LookupHashResponse } from '../../proto/gen/hashfed/v1/query.js';
import { QueryServiceService } from '../../proto/gen/hashfed/v1/query_service.js';
import {
  CompactRange,
  checkBucket,
  checkBucketDigests,
  concat,
  decodeLeaf,
  hashLeaf,
  type Leaf,
  parseCheckpoint,
  parseNote,
  readU64,
  toHex,
  verifyConsistency,
  verifyInclusion,
} from '../../sdk/core/index.js';
import { callUnary, type RpcChannel, readStream } from '../../sdk/rpc/index.js';
import { bulkAdds } from '../support/server/bulk.js';
import { random, suite, TestFederation } from '../support/server/federation.js';
import { TestPublisher } from '../support/server/publisher.js';

const L = ListServiceService;
const Q = QueryServiceService;
const DEADLINE = { deadlineMs: 20_000, retries: 0 };
const STREAM = { deadlineMs: 20_000, idleMs: 20_000, maxBytes: 1 << 28 };
const ORIGIN = 'police.example/known/sha256/g1';
const SHA256 = HashType.SHA256;
const BULK = 12_000;

let federation: TestFederation;
let police: TestPublisher;
let hoster: RpcChannel;
let anchorSize = 0;
const known: Extract<Leaf, { kind: 'add' }>[] = [];

beforeAll(async () => {
  federation = await TestFederation.make();
  await federation.start();
  hoster = await federation.as('hoster-a');
  police = await TestPublisher.open(federation, 'police', ORIGIN);
  const draft = police.draftPacked(bulkAdds(BULK, Date.now()), BULK);
  await police.commit((await police.prepare(draft)).name, draft, 'two');
  draft.settle();
  anchorSize = police.size;
  known.push(...(police.adds(5) as typeof known));
  await police.publish(known, 'one');
});
afterAll(() => federation.remove());

async function checkpoint() {
  const { checkpoint: held } = await callUnary(hoster, L.getCheckpoint, { origin: ORIGIN }, DEADLINE);
  return parseCheckpoint(parseNote(held!.note).body);
}

describe('proofs and entries', () => {
  test('every proof verifies against the served checkpoint', async () => {
    const { size, root } = await checkpoint();
    const indexes = [0, 7, anchorSize - 1, size - 1];
    const request = {
      origin: ORIGIN,
      size: BigInt(size),
      indexes: indexes.map(BigInt),
      fromSize: BigInt(anchorSize),
    };
    const proof = await callUnary(hoster, L.getProof, request, DEADLINE);
    const split = (bytes: Uint8Array) =>
      Array.from({ length: bytes.length / 32 }, (_, i) => bytes.subarray(32 * i, 32 * i + 32));
    expect(proof.inclusion.map(({ index }) => Number(index))).toEqual(indexes);
    for (const { index, leafHash, path } of proof.inclusion)
      verifyInclusion(suite.sha256, { leafHash, index: Number(index), size, proof: split(path), root });
    const held = (await callUnary(hoster, L.getCheckpoint, { origin: ORIGIN }, DEADLINE)).checkpoint!;
    const fromRoot = parseCheckpoint(parseNote(held.anchorNote).body).root;
    const consistency = split(proof.consistency);
    verifyConsistency(suite.sha256, {
      from: anchorSize,
      fromRoot,
      to: size,
      toRoot: root,
      proof: consistency,
    });
  });

  test.each([false, true])('a pull (leaf hashes only: %s) makes the signed root', async (leafHashesOnly) => {
    const { size, root } = await checkpoint();
    const tree = CompactRange.empty(suite.sha256);
    const request = { origin: ORIGIN, from: 0n, to: BigInt(size), leafHashesOnly };
    for await (const { count, bundle, firstIndex } of readStream(hoster, L.pullEntries, request, STREAM)) {
      expect(Number(firstIndex)).toBe(tree.size);
      tree.append(leafHashesOnly ? bundle : suite.sha256.hashLeaves(bundle, count));
    }
    expect(toHex(tree.root())).toBe(toHex(root));
  });

  test.each([
    ['beyond the end', { from: 0n, to: 10n ** 6n }, 'SIZE_AHEAD'],
    ['backwards', { from: 5n, to: 3n }, 'MALFORMED'],
    ['beyond every number', { from: 0n, to: 2n ** 63n }, 'MALFORMED'],
  ])('a pull %s is refused', async (_, range, code) => {
    const reading = readStream(
      hoster,
      L.pullEntries,
      { origin: ORIGIN, ...range, leafHashesOnly: false },
      STREAM,
    );
    await expect(reading.next()).rejects.toMatchObject({ code });
  });

  test('a list that may not be read is refused like one that does not exist', async () => {
    const hotline = await federation.as('hotline');
    for (const origin of [ORIGIN, 'police.example/nothing/sha256/g1'])
      await expect(callUnary(hotline, L.getCheckpoint, { origin }, DEADLINE)).rejects.toMatchObject({
        code: 'NOT_ENTITLED',
      });
  });
});

describe('snapshots', () => {
  const pull = async (size: bigint, fromBucket = 0, toBucket = 0) => {
    const pieces: PullSnapshotResponse[] = [];
    const request = { origin: ORIGIN, size, fromBucket, toBucket };
    for await (const piece of readStream(hoster, L.pullSnapshot, request, STREAM)) pieces.push(piece);
    return pieces;
  };
  const bucketsOf = (pieces: readonly PullSnapshotResponse[]) => {
    const buckets = new Map<number, Uint8Array>();
    for (const { firstBucket, bucketBytes, rows } of pieces) {
      let at = 0;
      bucketBytes.forEach((bytes, i) => {
        const part = rows.subarray(at, at + bytes);
        buckets.set(firstBucket + i, concat(buckets.get(firstBucket + i) ?? new Uint8Array(), part));
        at += bytes;
      });
      expect(at).toBe(rows.length);
    }
    return buckets;
  };

  test('the anchor’s verifies from note to last bucket', async () => {
    const index = await callUnary(hoster, L.getSnapshotIndex, { origin: ORIGIN, maxSize: 0n }, DEADLINE);
    const { size, root } = parseCheckpoint(parseNote(index.anchorNote).body);
    expect([Number(index.size), size]).toEqual([anchorSize, anchorSize]);
    const path = Array.from({ length: index.sealPath.length / 32 }, (_, i) =>
      index.sealPath.subarray(32 * i, 32 * i + 32),
    );
    const leafHash = hashLeaf(suite.sha256, index.sealLeaf);
    verifyInclusion(suite.sha256, { leafHash, index: size - 1, size, proof: path, root });
    const edge = Array.from({ length: index.compactRange.length / 32 }, (_, i) =>
      index.compactRange.subarray(32 * i, 32 * i + 32),
    );
    expect(toHex(CompactRange.from(suite.sha256, size, edge).root())).toBe(toHex(root));
    const leaf = decodeLeaf(index.sealLeaf);
    if (leaf.kind !== 'seal') throw new Error('no seal');
    checkBucketDigests(suite.sha256, { ...leaf, index: size - 1 }, index.bucketDigests, []);
    const pieces = await pull(index.size);
    expect(pieces.length).toBeGreaterThan(2);
    const buckets = bucketsOf(pieces);
    expect(buckets.size).toBe(2 ** leaf.bucketBits);
    for (const [b, rows] of buckets) checkBucket(suite.sha256, index.bucketDigests, b, rows);
    expect(sum([...buckets.values()].map((rows) => rows.length))).toBe(Number(index.totalBytes));
  });

  test('some buckets are the same as in the whole', async () => {
    const { size } = await callUnary(hoster, L.getSnapshotIndex, { origin: ORIGIN, maxSize: 0n }, DEADLINE);
    const whole = bucketsOf(await pull(size));
    for (const [from, to] of [
      [0, 1],
      [3, 300],
      [517, 518],
      [1000, 0],
    ] as const) {
      const some = bucketsOf(await pull(size, from, to));
      expect([...some.keys()]).toEqual([...whole.keys()].filter((b) => b >= from && (to === 0 || b < to)));
      for (const [b, rows] of some) expect(toHex(rows)).toBe(toHex(whole.get(b)!));
    }
  });

  test('none of a size that has none', async () => {
    await expect(pull(17n)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(
      callUnary(hoster, L.getSnapshotIndex, { origin: ORIGIN, maxSize: 5n }, DEADLINE),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('lookups', () => {
  const lookup = (hash: Uint8Array, origins: string[] = []) =>
    callUnary(hoster, Q.lookupHash, { hashType: SHA256, hash, origins }, DEADLINE);

  test('find what is listed, and answers are of one size', async () => {
    const [hit, miss] = [await lookup(known[2]!.hash), await lookup(random.bytes(32))];
    expect(hit.matches).toHaveLength(1);
    expect(toHex(hit.matches[0]!.itemId)).toBe(toHex(known[2]!.itemId));
    expect(hit.lists[hit.matches[0]!.list]!.origin).toBe(ORIGIN);
    expect(hit.lists.map(({ state }) => state)).toContain(SyncState.FRESH);
    expect(miss.matches).toEqual([]);
    const bytes = [hit, miss].map((answer) => LookupHashResponse.encode(answer).finish().length);
    expect(bytes).toEqual([1024, 1024]);
  });

  test('of many at once say which', async () => {
    const hashes = Array.from({ length: 20 }, (_, i) =>
      i % 5 === 3 ? known[i % 4]!.hash : random.bytes(32),
    );
    const request = { hashType: SHA256, hashes: concat(...hashes), origins: [ORIGIN] };
    const answer = await callUnary(hoster, Q.lookupHashes, request, DEADLINE);
    const set = Array.from({ length: 20 }, (_, i) => i).filter(
      (i) => (answer.bitmap[i >> 3]! >> (i & 7)) & 1,
    );
    expect(set).toEqual([3, 8, 13, 18]);
    expect(answer.matches.map(({ position }) => position)).toEqual([3, 8, 13, 18]);
    expect(LookupHashesResponse.encode(answer).finish().length % 512).toBe(0);
  });

  test.each([
    ['a short hash', { hashType: SHA256, hash: new Uint8Array(31), origins: [] }, 'MALFORMED'],
    ['no type', { hashType: 0, hash: new Uint8Array(32), origins: [] }, 'MALFORMED'],
    ['a newer type', { hashType: 9, hash: new Uint8Array(32), origins: [] }, 'MALFORMED'],
    [
      'a list of another type',
      { hashType: HashType.MD5, hash: new Uint8Array(16), origins: [ORIGIN] },
      'MALFORMED',
    ],
    [
      'an unknown list',
      { hashType: SHA256, hash: new Uint8Array(32), origins: ['x.example/a/sha256/g1'] },
      'UNKNOWN_ORIGIN',
    ],
  ])('of %s are refused', async (_, request, code) => {
    const call = callUnary(
      hoster,
      Q.lookupHash,
      request as Parameters<typeof Q.lookupHash.requestSerialize>[0],
      DEADLINE,
    );
    await expect(call).rejects.toMatchObject({ code });
  });
});

describe('watching and withdrawing', () => {
  test('a watch tells of the state at once and of each change', async () => {
    const request = { origins: [ORIGIN] };
    const watch = readStream(hoster, L.watchCheckpoints, request, STREAM);
    const next = async () => {
      const { value } = await watch.next();
      return parseCheckpoint(parseNote(value!.checkpoint!.note).body).size;
    };
    expect(await next()).toBe(police.size);
    const { size } = await police.publish(police.adds(1), 'one');
    expect(await next()).toBe(size);
    await watch.return(undefined);
  });

  test('a withdrawal ends the match, and its status names every hoster', async () => {
    const target = anchorSize + 1;
    const { bundle, size } = await police.publish([police.withdraw(target, 2)], 'one');
    const hash = known[1]!.hash;
    const answer = await callUnary(hoster, Q.lookupHash, { hashType: SHA256, hash, origins: [] }, DEADLINE);
    expect(answer.matches).toEqual([]);
    const seal = bundle.subarray(bundle.length - 85);
    expect(readU64(seal, 3)).toBeGreaterThan(0);
    const publishId = seal.slice(19, 35);
    const status = await callUnary(
      police.channel,
      PublishServiceService.withdrawalStatus,
      { publishId, pageSize: 1, pageToken: '' },
      DEADLINE,
    );
    expect(status).toMatchObject({ total: 2, applied: 0, nextPageToken: '1' });
    expect(status.progress[0]).toMatchObject({ hoster: 'members/hoster-a', neededSize: BigInt(size) });
  });
});

test('what is not offered says so', async () => {
  const request = { origin: ORIGIN, epoch: 0n, fromSize: 0n };
  const reading = readStream(hoster, Q.getBlindedSet, request, STREAM);
  await expect(reading.next()).rejects.toMatchObject({ code: 'UNIMPLEMENTED' });
});

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

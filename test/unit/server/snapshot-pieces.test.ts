import { describe, expect, test } from 'vitest';
import type { PullSnapshotResponse } from '../../../proto/gen/hashfed/v1/list.js';
import { encodeBundle, encodeLeaf, ListState, parseOrigin, toHex } from '../../../sdk/core/index.js';
import { snapshotPieces, trimPiece } from '../../../server/log/snapshot-pieces.js';
import { seededBytes } from '../../support/log-builder.js';
import { testSha256 } from '../../support/sha256.js';

const MAX_ROWS = 256 * 1024;

/** One bucket holds so much that it takes several messages; the others hold little or nothing. */
function skewedState(): ListState {
  const state = ListState.empty(parseOrigin('a.example/x/sha256/g1'), testSha256);
  const staging = state.stage();
  const leaves = Array.from({ length: 2_000 }, (_, i) => {
    const hash = seededBytes(`hash ${i}`, 32);
    if (i % 100 !== 0) hash.set([0xab, 0xcd]);
    const meta = new Uint8Array([
      ...[5, 64],
      ...seededBytes(`meta ${i}`, 64),
      ...[9, 250],
      ...new Uint8Array(250),
    ]);
    const itemId = seededBytes(`item ${i}`, 16);
    const fixed = {
      kind: 'add',
      timeMs: 1,
      hashType: 3,
      scheme: 1,
      code: 1,
      verifications: 0,
      readd: false,
    } as const;
    return encodeLeaf({ ...fixed, itemId, blind: new Uint8Array(16), hash, meta });
  });
  staging.append(encodeBundle(leaves), 0);
  staging.append(encodeBundle([encodeLeaf(staging.planSeal(1, new Uint8Array(16)))]), leaves.length);
  staging.finish();
  staging.commit();
  return state;
}

function join(pieces: readonly PullSnapshotResponse[]): Map<number, string> {
  const buckets = new Map<number, string>();
  for (const { firstBucket, bucketBytes, rows } of pieces) {
    let at = 0;
    bucketBytes.forEach((bytes, i) => {
      const bucket = firstBucket + i;
      buckets.set(bucket, (buckets.get(bucket) ?? '') + toHex(rows.subarray(at, at + bytes)));
      at += bytes;
    });
  }
  return buckets;
}

describe('pieces of a snapshot', () => {
  const state = skewedState();
  const pieces = [...snapshotPieces(state)];

  test('hold every bucket once and whole, none above 256 KiB', () => {
    const buckets = join(pieces);
    expect(buckets.size).toBe(2 ** state.bucketBits);
    for (const [b, rows] of buckets) expect(rows).toBe(toHex(state.bytesOfBucket(b)));
    for (const { rows } of pieces) expect(rows.length).toBeLessThanOrEqual(MAX_ROWS);
  });

  test('say where a bucket goes on', () => {
    expect(pieces.filter(({ continues }) => continues).length).toBeGreaterThan(1);
    pieces.slice(0, -1).forEach(({ continues, firstBucket, bucketBytes }, i) => {
      const last = firstBucket + bucketBytes.length - 1;
      expect(pieces[i + 1]!.firstBucket).toBe(continues ? last : last + 1);
    });
  });

  test('trimmed to any range are that range of the whole', () => {
    const whole = join(pieces);
    const big = [...whole].find(([, rows]) => rows.length > 2 * MAX_ROWS)![0];
    for (const [from, to] of [
      [0, 1],
      [big, big + 1],
      [big - 3, big],
      [big + 1, 1024],
      [0, 1024],
    ] as const) {
      const some = pieces.flatMap((piece) => trimPiece(piece, from, to) ?? []);
      const wanted = [...whole].filter(([b]) => b >= from && b < to);
      expect([...join(some)]).toEqual(wanted);
    }
  });
});

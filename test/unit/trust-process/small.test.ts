import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  isTokenBackend,
  loadOwnHeads,
  ownHeadsFile,
  pointOf,
  rememberOwnHeads,
  signLiveness,
  tokenBackend,
} from '../../../client/publisher/index.js';
import {
  encodeBundle,
  encodeErased,
  encodeLeaf,
  seedSigner,
  verifyLiveness,
} from '../../../sdk/core/index.js';
import { ErasureScan } from '../../../server/log/erasure-scan.js';
import { NOW, newKey, ORIGINS, suite, versionOne } from './roots.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hashfed-heads-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const head = (size: number, fill = 1) => ({
  origin: ORIGINS[0],
  size,
  root: new Uint8Array(32).fill(fill),
  note: new TextEncoder().encode(`note ${size}\n`),
});

describe('own heads', () => {
  test('go forward only, and survive', async () => {
    await rememberOwnHeads(folder, [head(5)]);
    await rememberOwnHeads(folder, [head(9)]);
    await rememberOwnHeads(folder, [head(7)]);
    expect([...(await loadOwnHeads(folder)).values()]).toEqual([head(9)]);
  });

  test.each(['', '{}', '{"format":2,"lists":[]}', '{"format":1,"lists":[{"origin":"x"}]}'])(
    'a damaged record is refused: %s',
    async (text) => {
      await writeFile(ownHeadsFile(folder), text);
      await expect(loadOwnHeads(folder)).rejects.toMatchObject({ code: 'MALFORMED' });
    },
  );
});

test('liveness verifies under the live key, for its list alone', () => {
  const { live, root } = versionOne();
  const [envelope = new Uint8Array()] = signLiveness(seedSigner(suite.ed25519, live.seed), 1, [head(5)], NOW);
  expect(verifyLiveness(suite, root, ORIGINS[0], envelope, NOW)).toMatchObject({ size: 5, timeMs: NOW });
  expect(() => verifyLiveness(suite, root, ORIGINS[1], envelope, NOW)).toThrow(/another origin/);
});

describe('keys in a token', () => {
  const point = new Uint8Array(32).fill(9);

  test.each<[string, number[]]>([
    ['raw', []],
    ['as an octet string', [4, 32]],
    ['as a bit string', [3, 33, 0]],
  ])('a public key %s', (_how, prefix) => {
    expect(pointOf(new Uint8Array([...prefix, ...point]))).toEqual(point);
  });

  test.each<number[][]>([[[4]], [[4, 31]], [[3, 33, 1]], [[4, 32, 0]]])('nothing else: %j', (prefix) => {
    expect(() => pointOf(new Uint8Array([...prefix, ...point]))).toThrow(/no Ed25519 point/);
  });

  test('a token that signs something else is found out', () => {
    const key = newKey('list');
    const lying = {
      has: () => true,
      sign: (_key: Uint8Array, message: Uint8Array) => suite.ed25519.sign(key.seed, message.slice(1)),
    };
    const backend = tokenBackend(suite.ed25519, lying as never);
    expect(isTokenBackend(backend)).toBe(true);
    const handle = backend.handleOf(key.publicKey);
    expect(backend.publicKey(handle)).toEqual(key.publicKey);
    expect(() => backend.sign(handle, new Uint8Array(8))).toThrow(/no plain Ed25519/);
    expect(backend.sign(key.seed, new Uint8Array(8))).toEqual(
      suite.ed25519.sign(key.seed, new Uint8Array(8)),
    );
  });
});

describe('what is to be erased', () => {
  const withdraw = (targetIndex: number, timeMs: number) =>
    encodeLeaf({ kind: 'withdraw', timeMs, targetIndex, reason: 1, meta: new Uint8Array() });
  const hold = encodeLeaf({ kind: 'hold', timeMs: 1, from: 0, to: 1, reason: 1, untilMs: 2 });
  const scan = (leaves: readonly Uint8Array[], first = 0, into = new ErasureScan()) => {
    into.append({ first, count: leaves.length, bytes: encodeBundle(leaves) });
    return into;
  };
  const all = (one: ErasureScan) => one.take(() => true);

  test('every withdrawal of an earlier entry, once', () => {
    const found = scan([hold, hold, withdraw(0, 10), withdraw(1, 20)]);
    expect(found.take(({ timeMs }) => timeMs <= 10)).toEqual([{ target: 0, index: 2, timeMs: 10 }]);
    expect(all(found)).toEqual([{ target: 1, index: 3, timeMs: 20 }]);
    expect(all(found)).toEqual([]);
  });

  test('nothing that is gone already, and nothing that a withdrawal cannot name', () => {
    const erased = encodeErased(new Uint8Array(32));
    const into = new ErasureScan();
    into.append({ first: 0, count: 1, bytes: erased });
    scan([withdraw(0, 10), withdraw(2, 10), withdraw(9, 10)], 1, into);
    expect(all(into)).toEqual([]);
    expect(into.size).toBe(4);
  });
});

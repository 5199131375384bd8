import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { parseImportMap } from '../../../client/publisher/import/index.js';
import {
  parseSigned,
  readKey,
  recordDisk,
  reviewRequest,
  signRequest,
  writeKey,
} from '../../../client/publisher/index.js';
import { SigningRequest } from '../../../proto/gen/hashfed/v1/files.js';
import { loadConfig } from '../../../sdk/config/index.js';
import { utf8 } from '../../../sdk/core/index.js';
import { decodeBundles, decodeDelta, decodeHeadFile, encodeBundles } from '../../../sdk/store/list-codec.js';
import { decodeReport } from '../../../sdk/store/spool-codec.js';
import { loadServerConfig } from '../../../server/config/index.js';
import {
  clock,
  makeKeys,
  ORIGINS,
  random,
  suite,
  TestList,
  writeTestRequest,
} from '../publisher/request-fixture.js';
import { spoiled, survives } from './mutate.js';

const RUNS = Number(process.env['HASHFED_FUZZ_RUNS'] ?? 80);
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hashfed-fuzz-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Whatever the file holds. */
async function tryFile(name: string, seed: Uint8Array, read: (file: string) => unknown): Promise<void> {
  const file = join(folder, name);
  await fc.assert(
    fc.asyncProperty(spoiled([seed]), async (bytes) => {
      await writeFile(file, bytes);
      await survives(() => read(file), bytes);
    }),
    { numRuns: RUNS },
  );
}

describe('spoiled files are refused by our own errors', () => {
  test('signing requests, by whoever reviews or signs', async () => {
    const keys = makeKeys();
    const list = new TestList(ORIGINS[1]);
    list.grow(4);
    const plan = { folder, name: 'good', keys, role: 'list', lists: [[list, 0]] } as const;
    const good = await readFile(await writeTestRequest(plan));
    await tryFile('request', good, (file) => reviewRequest(suite, clock, file));
    const sign = async (file: string): Promise<void> => {
      const recordFile = join(folder, 'record');
      await rm(recordFile, { force: true });
      parseSigned(await signRequest({ suite, clock, disk: recordDisk, recordFile }, keys.list, file));
    };
    await tryFile('request', good, sign);
  });

  test('signing requests whose message is in canonical form', async () => {
    const keys = makeKeys();
    const list = new TestList(ORIGINS[1]);
    list.grow(4);
    const plan = { folder, name: 'good', keys, role: 'list', lists: [[list, 0]] } as const;
    const good = await readFile(await writeTestRequest(plan));
    const length = good.readUInt32BE(8);
    const [message, rest] = [good.subarray(12, 12 + length), good.subarray(12 + length)];
    await tryFile('request', message, async (file) => {
      let again: Uint8Array;
      try {
        again = SigningRequest.encode(SigningRequest.decode(await readFile(file))).finish();
      } catch {
        return;
      }
      const size = Buffer.alloc(4);
      size.writeUInt32BE(again.length);
      await writeFile(file, Buffer.concat([good.subarray(0, 8), size, again, rest]));
      await reviewRequest(suite, clock, file);
    });
  });

  test('key files', async () => {
    const file = join(folder, 'good.key');
    await writeKey(file, makeKeys().list, random);
    await tryFile('a.key', await readFile(file), (name) => readKey(name, 'list', suite.ed25519));
  });

  test('configurations', async () => {
    const client = { format: 1, federation: 'a.example', member: 'members/a', servers: [{ address: 'a:1' }] };
    await tryFile('a.json', utf8(JSON.stringify(client)), (file) => loadConfig(file, {}));
    const server = {
      format: 1,
      federation: 'a.example',
      listen: '127.0.0.1:0',
      plaintext_loopback: true,
      directory: { file: 'd', first_sha256: '0'.repeat(64) },
      storage: 'level:data',
    };
    await tryFile('s.json', utf8(JSON.stringify(server)), (file) => loadServerConfig(file, {}));
    const map = {
      format: 1,
      columns: { md5: 'MD5', __proto__: 'x' },
      classifications: { A: { scheme: 1, code: 1 } },
    };
    await tryFile('m.json', utf8(JSON.stringify(map)), async (file) =>
      parseImportMap(await readFile(file, 'utf8'), 'm'),
    );
  });

  test('bodies of a store, should they ever get past their seals', async () => {
    const bundles = encodeBundles([{ firstIndex: 0, count: 1, bytes: Uint8Array.of(0, 1, 1) }]);
    for (const decode of [decodeBundles, decodeDelta, decodeHeadFile, decodeReport])
      await fc.assert(
        fc.asyncProperty(spoiled([bundles]), (bytes) => survives(decode, bytes)),
        { numRuns: 5 * RUNS },
      );
  });
});

import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ListServiceService } from '../../proto/gen/hashfed/v1/list_service.js';
import { CompactRange, parseCheckpoint, parseNote, toHex } from '../../sdk/core/index.js';
import { callUnary, readStream } from '../../sdk/rpc/index.js';
import { suite, TestFederation } from '../support/server/federation.js';
import { type Draft, TestPublisher } from '../support/server/publisher.js';

const L = ListServiceService;
const DEADLINE = { deadlineMs: 20_000, retries: 0 };
const STREAM = { deadlineMs: 20_000, idleMs: 20_000, maxBytes: 1 << 28 };
const ORIGIN = 'police.example/known/sha256/g1';

let federation: TestFederation;
let police: TestPublisher;

beforeEach(async () => {
  federation = await TestFederation.make();
  await federation.start();
  police = await TestPublisher.open(federation, 'police', ORIGIN);
  await police.publish(police.adds(200), 'two');
});
afterEach(() => federation.remove());

async function restart(): Promise<void> {
  await federation.server!.end('SIGKILL');
  await federation.start();
  police = await police.reconnect(federation, 'police');
}

/** What is served, after every entry was pulled and hashed. */
async function served(): Promise<{ size: number; root: string }> {
  const { checkpoint } = await callUnary(police.channel, L.getCheckpoint, { origin: ORIGIN }, DEADLINE);
  const { size, root } = parseCheckpoint(parseNote(checkpoint!.note).body);
  const tree = CompactRange.empty(suite.sha256);
  const request = { origin: ORIGIN, from: 0n, to: BigInt(size), leafHashesOnly: false };
  for await (const { count, bundle } of readStream(police.channel, L.pullEntries, request, STREAM))
    tree.append(suite.sha256.hashLeaves(bundle, count));
  expect(toHex(tree.root())).toBe(toHex(root));
  return { size, root: toHex(root) };
}

const stateOf = ({ size, root }: Pick<Draft, 'size' | 'root'>) => ({ size, root: toHex(root) });

describe('a server killed with SIGKILL', () => {
  test('between PrepareBatch and CommitBatch keeps the batch', async () => {
    const before = await served();
    const draft = police.draft(police.adds(500));
    const { name } = await police.prepare(draft);
    await restart();
    expect(await served()).toEqual(before);
    expect((await police.state()).prepared.map((batch) => batch.name)).toEqual([name]);
    await police.commit(name, draft, 'two');
    expect(await served()).toEqual(stateOf(draft));
  });

  test('during an upload keeps nothing that counts', async () => {
    const before = await served();
    const sending = police.upload(police.draft(police.adds(5_000))).catch((error: unknown) => error);
    await restart();
    await sending;
    expect(await served()).toEqual(before);
    await police.publish(police.adds(3), 'one');
  });

  test.each([0, 2, 5, 10, 20, 40])('%i ms into CommitBatch has all of it or nothing', async (ms) => {
    const before = await served();
    const draft = police.draft(police.adds(2_000));
    const { name } = await police.prepare(draft);
    const committing = police.commit(name, draft, 'two').catch((error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, ms));
    await restart();
    await committing;
    expect([before, stateOf(draft)]).toContainEqual(await served());
    const { receipts } = await police.commit(name, draft, 'two');
    expect(receipts[0]!.anchor).toBe(true);
    expect(await served()).toEqual(stateOf(draft));
  });

  test('remembers what was withdrawn as wrong', async () => {
    const add = police.add(new Uint8Array(32).fill(9));
    await police.publish([add], 'one');
    await police.publish([police.withdraw(police.size - 2)], 'one');
    await restart();
    const again = police.draft([police.add(new Uint8Array(32).fill(9))]);
    await expect(police.prepare(again)).rejects.toMatchObject({ code: 'ANOMALOUS_ENTRY' });
  });
});

describe('a server that is started again', () => {
  test('after SIGTERM ended well, with the watches closed', async () => {
    const watch = readStream(police.channel, L.watchCheckpoints, { origins: [ORIGIN] }, STREAM);
    await watch.next();
    const next = watch.next().catch((error: { code: string }) => error.code);
    expect(await federation.server!.end('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(await next).toBe('UNAVAILABLE');
  });

  test('refuses a store in which a byte was changed', async () => {
    const draft = await police.publish(police.adds(3_000), 'two');
    expect(draft.size).toBeGreaterThan(3_000);
    await federation.server!.end('SIGTERM');
    await flipByte(join(federation.folder, 'server', 'data'));
    await expect(federation.start()).rejects.toThrow(/STORAGE_FAILED/);
  });

  test('refuses a store that lost its database', async () => {
    await federation.server!.end('SIGTERM');
    await writeFile(join(federation.folder, 'server', 'data', 'db', 'CURRENT'), '');
    await expect(federation.start()).rejects.toThrow(/STORAGE_FAILED/);
  });
});

/** Changes the middle of the largest file: entries lie there. */
async function flipByte(folder: string): Promise<void> {
  const names = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((one) =>
    one.isFile(),
  );
  const files = await Promise.all(
    names.map(async ({ parentPath, name }) => {
      const path = join(parentPath, name);
      return { path, size: (await stat(path)).size };
    }),
  );
  const { path } = files.sort((a, b) => b.size - a.size)[0]!;
  const bytes = await readFile(path);
  bytes[bytes.length >> 1]! ^= 1;
  await writeFile(path, bytes);
}

test('the server’s log holds no hash, key or address', async () => {
  const secret = new Uint8Array(32).fill(0xa7);
  const add = police.add(secret, { itemId: new Uint8Array(16).fill(0xb8) });
  await police.publish([add], 'one');
  await police.prepare(police.draft([{ ...add, timeMs: Date.now() } as typeof add])).catch(() => undefined);
  await callUnary(
    police.channel,
    L.getCheckpoint,
    { origin: `police.example/${toHex(secret)}` },
    DEADLINE,
  ).catch(() => undefined);
  await federation.server!.end('SIGTERM');
  const log = (await federation.log()).toLowerCase();
  expect(log).toContain('bootstrap.list');
  const { publicKey, seed } = await federation.key('police', 'list');
  for (const bytes of [secret, new Uint8Array(16).fill(0xb8), publicKey, seed]) {
    expect(log).not.toContain(toHex(bytes).slice(0, 16));
    expect(log).not.toContain(Buffer.from(bytes).toString('base64').toLowerCase().slice(0, 16));
  }
});

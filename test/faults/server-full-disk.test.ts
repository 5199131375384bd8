import { execFileSync } from 'node:child_process';
import { mkdirSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ListServiceService } from '../../proto/gen/hashfed/v1/list_service.js';
import { parseCheckpoint, parseNote, toHex } from '../../sdk/core/index.js';
import { callUnary } from '../../sdk/rpc/index.js';
import { bulkAdds } from '../support/server/bulk.js';
import { TestFederation } from '../support/server/federation.js';
import { TestPublisher } from '../support/server/publisher.js';

const ORIGIN = 'police.example/known/sha256/g1';
const DEADLINE = { deadlineMs: 20_000, retries: 0 };
const BULK = 150_000;

/** A small file system, where this machine lets us make one. */
function mountSmall(): string | undefined {
  const path = join(tmpdir(), `hashfed-server-small-${process.pid}`);
  mkdirSync(path, { recursive: true });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', path], { stdio: 'ignore' });
    return path;
  } catch {
    rmdirSync(path);
    return undefined;
  }
}

const small = mountSmall();

describe.runIf(small !== undefined)('a server whose disk is full', () => {
  let federation: TestFederation;
  let police: TestPublisher;
  const env = { HASHFED_STORAGE: `level:${small}/data` };

  beforeAll(async () => {
    federation = await TestFederation.make();
    await federation.start(env);
    police = await TestPublisher.open(federation, 'police', ORIGIN);
    await police.publish(police.adds(100), 'two');
  });
  afterAll(async () => {
    await federation.remove();
    execFileSync('umount', [small!]);
    rmdirSync(small!);
  });

  test('ends, and serves what it had acknowledged once there is room again', async () => {
    const ended = new Promise<number | null>((resolve) => federation.server!.child.once('exit', resolve));
    const draft = police.draftPacked(bulkAdds(BULK, Date.now()), BULK);
    await expect(police.upload(draft)).rejects.toMatchObject({ class: 'failed' });
    expect(await ended).toBe(1);
    execFileSync('mount', ['-o', 'remount,size=200m', small!]);
    await federation.start(env);
    police = await police.reconnect(federation, 'police');
    const { checkpoint } = await callUnary(
      police.channel,
      ListServiceService.getCheckpoint,
      { origin: ORIGIN },
      DEADLINE,
    );
    expect(parseCheckpoint(parseNote(checkpoint!.note).body).size).toBe(police.size);
    const { name } = await police.prepare(draft);
    const { receipts } = await police.commit(name, draft, 'two');
    expect(toHex(receipts[0]!.head!.root)).toBe(toHex(draft.root));
  });
});

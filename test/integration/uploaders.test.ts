import { createHash, randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Hashfed, loadConfig, open } from '../../sdk/index.js';
import { TestFederation } from '../support/server/federation.js';
import { TestPublisher } from '../support/server/publisher.js';

const ORIGIN = 'police.example/known/sha256/g1';
const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest());
/** A stock image that one analyst listed by mistake, and material that two confirmed. */
const stock = randomBytes(3_000);
const confirmed = randomBytes(4_000);
/** Any publisher's word blocks here, so that the breaker has something to soften. */
const POLICY = {
  probation_hours: 0,
  observe_hours: 0,
  rules: [{ name: 'any word', action: 'block', evidence: ['sha256'] }],
  breaker: { min_uploaders: 5, factor: 3 },
};

let federation: TestFederation;
let clockMs = 0;
const clock = { nowMs: () => Date.now() + clockMs, monotonicMs: () => performance.now() + clockMs };

async function openHoster(): Promise<Hashfed> {
  const file = join(federation.folder, 'members/hoster-a/hashfed.json');
  const config = JSON.parse(await readFile(file, 'utf8'));
  const sources = [{ address: federation.server!.address, server_name: 'localhost' }];
  await writeFile(file, JSON.stringify({ ...config, sources, policy: POLICY }));
  return open({ config: await loadConfig(file, {}), clock });
}

beforeAll(async () => {
  federation = await TestFederation.make();
  await federation.start();
  const police = await TestPublisher.open(federation, 'police', ORIGIN);
  const entries = [
    police.add(sha256(stock), { verifications: 0 }),
    police.add(sha256(confirmed), { verifications: 2 }),
  ];
  await police.publish(entries, 'two');
});
afterAll(() => federation.remove());

test('many uploaders at once turn a block into a hold, unless the entry is confirmed; the numbers outlive a restart', async () => {
  const upload = (hashfed: Hashfed, bytes: Uint8Array, uploader?: string) =>
    hashfed.check(bytes, {
      ref: randomBytes(8).toString('hex'),
      ...(uploader !== undefined && { uploader }),
    });
  let hashfed = await openHoster();
  await hashfed.sync();
  const actions = [];
  for (let i = 0; i < 6; i++) {
    // The same person again and again is one uploader.
    await upload(hashfed, stock, 'user-0');
    actions.push((await upload(hashfed, stock, `user-${i}`)).action);
  }
  expect(actions).toEqual(['block', 'block', 'block', 'block', 'hold', 'hold']);
  const surging = await upload(hashfed, stock);
  expect(surging).toMatchObject({
    action: 'hold',
    because: ['breaker'],
    vetoed_by: 'breaker',
    alarm: 'breaker',
  });
  for (let i = 0; i < 6; i++) await upload(hashfed, confirmed, `user-${i}`);
  expect(await upload(hashfed, confirmed)).toMatchObject({ action: 'block', alarm: 'breaker' });
  await hashfed.close();
  hashfed = await openHoster();
  expect((await upload(hashfed, stock)).action).toBe('hold');
  // The next day six are usual, and five are no surge.
  clockMs = 86_400_000;
  for (let i = 0; i < 5; i++)
    expect((await upload(hashfed, stock, `user-${i}`)).because).not.toContain('breaker');
  await hashfed.close();
});

test('an object of another size than was announced has no verdict; what arrives is stated as coverage', async () => {
  clockMs = 0;
  const hashfed = await openHoster();
  const half = stock.subarray(0, 1_500);
  await expect(hashfed.check(half, { ref: 'half', bytes: 3_000 })).rejects.toMatchObject({
    code: 'MALFORMED',
  });
  expect(await hashfed.store.journal.byRef('half')).toEqual([]);
  await hashfed.check(stock, { ref: 'whole', bytes: 3_000, received: true });
  const { next } = await hashfed.telemetry!.show();
  expect(next.at(-1)).toMatchObject({ coverage: { objects_received: 1, uploads: true } });
  await hashfed.close();
});

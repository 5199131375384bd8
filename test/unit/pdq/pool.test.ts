import { createReadStream, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { hashImage, PdqPool } from '../../../sdk/hash/pdq/index.js';

const folder = fileURLToPath(new URL('../../fixtures/images/', import.meta.url));
const file = (name: string) => join(folder, name);
const pictures = readdirSync(folder).filter((name) => /\.(jpg|png|webp|gif|tif|avif)$/.test(name));
const scratch = mkdtempSync(join(tmpdir(), 'pdq-pool-'));
afterAll(() => rmSync(scratch, { recursive: true }));

describe('the pool of workers', () => {
  const script = new URL('../../../dist/sdk/hash/pdq/worker.js', import.meta.url);
  const open = (options: object = {}) => PdqPool.open({ script, workers: 2, ...options });

  it('hashes as the thread itself does', async () => {
    await using pool = await open({ maxQueue: 1000 });
    const names = pictures.slice(0, 12);
    const got = await Promise.all(names.map((name) => pool.hash(file(name))));
    const expected = await Promise.all(names.map((name) => hashImage(file(name))));
    expect(got).toEqual(expected);
    expect(await pool.hash(createReadStream(file(names[0]!)))).toEqual(expected[0]);
    expect(await pool.hash(Buffer.from('no image'))).toEqual({ ok: false, reason: 'unsupported' });
    expect(await pool.hash(join(scratch, 'absent'))).toEqual({ ok: false, reason: 'unreadable' });
    await expect(pool.hash(file(names[0]!), { frames: 99 })).rejects.toMatchObject({ code: 'USAGE' });
    expect(pool.pending).toBe(0);
  });

  it('bounds its queue by jobs and by bytes, and says when there is room', async () => {
    await using pool = await open({ workers: 1, maxQueue: 2, maxQueueBytes: 200_000 });
    const jobs = Array.from({ length: 6 }, () => pool.hash(file('sunset-1.jpg')));
    const outcomes = await Promise.allSettled(jobs);
    const refused = outcomes.filter((one) => one.status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.every(({ reason }) => reason.code === 'OVERLOADED')).toBe(true);
    const large = pool.hash(new Uint8Array(250_000));
    await expect(
      Promise.all([large, pool.hash(new Uint8Array(9)), pool.hash(new Uint8Array(9))]),
    ).rejects.toMatchObject({ code: 'OVERLOADED' });
    await pool.room();
    expect((await pool.hash(file('sunset-1.jpg'))).ok).toBe(true);
  });

  it('cancels what waits and what is in work', async () => {
    await using pool = await open({ workers: 1, maxQueue: 10 });
    const controller = new AbortController();
    const jobs = [1, 2, 3].map(() => pool.hash(file('hills-3.gif'), { signal: controller.signal }));
    controller.abort();
    for (const outcome of await Promise.allSettled(jobs)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'CANCELLED' } });
    }
    expect((await pool.hash(file('hills-3.gif'))).ok).toBe(true);
  });

  it('ends what waits when it closes', async () => {
    const pool = await open({ workers: 1, maxQueue: 10 });
    const jobs = [1, 2, 3].map(() => pool.hash(file('hills-3.gif')));
    const outcomes = Promise.allSettled(jobs);
    await pool.close();
    expect((await outcomes).every(({ status }) => status === 'rejected')).toBe(true);
    await expect(pool.hash(file('hills-3.gif'))).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  it('replaces a worker that dies or never answers', async () => {
    const deaf = join(scratch, 'worker.mjs');
    writeFileSync(
      deaf,
      `import { parentPort } from 'node:worker_threads';
       parentPort.on('message', ({ id, input }) => {
         if (input === 'die') process.exit(3);
         if (input !== 'hang') parentPort.postMessage({ id, image: { ok: false, reason: 'empty' } });
       });`,
    );
    await using pool = await open({ workers: 1, maxQueue: 10, script: pathToFileURL(deaf) });
    const died = pool.hash('die');
    const hung = pool.hash('hang', { timeoutMs: 1 });
    const fine = pool.hash('fine');
    expect(await died).toEqual({ ok: false, reason: 'crashed' });
    expect(await hung).toEqual({ ok: false, reason: 'timeout' });
    expect(await fine).toEqual({ ok: false, reason: 'empty' });
  });
});

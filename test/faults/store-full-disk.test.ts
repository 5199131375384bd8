import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeDisk, openLevel } from '../../sdk/store/index.js';
import { bundle, entry, head, ORIGIN, placeOn, rebuild, snapshot } from '../contract/store/support.js';

const mountPoint = mkdtempSync(join(tmpdir(), 'hashfed-full-'));

/** A small disk of its own needs the right to mount; without it these tests are skipped and say so. */
function mount(): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', mountPoint], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
const mounted = mount();

afterAll(() => {
  if (mounted) execFileSync('umount', [mountPoint]);
  rmSync(mountPoint, { recursive: true, force: true });
});

describe.skipIf(!mounted)('a full disk', () => {
  const place = placeOn(join(mountPoint, 'store'), nodeDisk, openLevel);
  const ballast = join(mountPoint, 'ballast');
  /** Leaves about 64 KiB free. */
  const fill = async () => {
    const free = Number(execFileSync('df', ['--output=avail', '-B1', mountPoint]).toString().split('\n')[1]);
    await writeFile(ballast, Buffer.alloc(Math.max(0, free - 64 * 1024)));
  };
  const big = {
    bundles: [{ firstIndex: 50, count: 1, bytes: new Uint8Array(512 * 1024) }],
    newHead: head(51),
  };

  beforeAll(async () => {
    await using store = await place.open();
    await rebuild(store.list(ORIGIN), 50);
    await store.journal.add([entry(1)]);
  });

  const intact = async () => {
    await using store = await place.open();
    await store.list(ORIGIN).scrub();
    expect((await snapshot(store))?.head).toEqual(head(50));
    expect(await store.journal.byState('blocked')).toHaveLength(1);
  };

  it('breaks a delta, then every write until reopening, and loses nothing', async () => {
    const store = await place.open();
    await fill();
    await expect(store.list(ORIGIN).commitDelta(big)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await rm(ballast);
    await expect(store.journal.add([entry(2)])).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await expect(store.list(ORIGIN).commitDelta(big)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await store.close();
    await intact();
  });

  it('breaks a rebuild, whose remains go at the next opening', async () => {
    const store = await place.open();
    await fill();
    await expect(rebuild(store.list(ORIGIN), 5_000)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await rm(ballast);
    await store.close();
    await intact();
    expect(await nodeDisk.list(`${place.dir}/lists/police.example_known_sha256_g1`)).toHaveLength(2);
  });

  it('breaks the ledger without losing what it acknowledged', async () => {
    const store = await place.open();
    await fill();
    const refs = Array.from({ length: 400 }, (_, i) => entry(1000 + i, { ref: 'x'.repeat(2000) + i }));
    await expect(store.journal.add(refs)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await rm(ballast);
    await store.close();
    await using again = await place.open();
    const found = await again.journal.byState('blocked');
    expect([1, 401]).toContain(found.length);
    await again.list(ORIGIN).commitDelta({ bundles: [bundle(50, 1)], newHead: head(51) });
    expect((await snapshot(again))?.head).toEqual(head(51));
  });
});

import { createHash } from 'node:crypto';
import { MatchingList } from '../../sdk/index.js';
import { ListReplica } from '../../sdk/sync/index.js';
import type { SyncClient } from '../support/sync/client.js';
import { startDelayProxy } from './delay-proxy.js';
import { median, result, time } from './measure.js';
import { options } from './options.js';
import {
  closeFixture,
  newClient,
  rawTransfer,
  type SyncFixture,
  syncFixture,
  syncWhole,
} from './sync-fixture.js';
import type { BenchLine } from './types.js';

const DEFAULT_SIZES = [1_000_000];
/** One way; a round trip takes twice as long. */
const DELAY_MS = 20;

export const close = closeFixture;

/** A cold sync beside the bare transfer of the same bytes, both to these addresses. */
async function coldSyncs(bench: string, f: SyncFixture, ours: string, theirs: string): Promise<BenchLine[]> {
  const took = { ours: [] as number[], theirs: [] as number[] };
  for (let round = -1; round < options.rounds; round++) {
    const client = await newClient(f, ours);
    const synced = await time(() => syncWhole(f, client));
    await client.remove();
    const moved = await time(() => rawTransfer(theirs));
    if (round < 0) continue;
    took.ours.push(synced);
    took.theirs.push(moved);
  }
  const line = { bench, n: f.n, unit: 'ms', baseline: 'raw-http2' } as const;
  const times = { ours: median(took.ours), theirs: median(took.theirs) };
  return [result({ ...line, ...times, rounds: options.rounds, checked: true })];
}

async function loopback(n: number): Promise<BenchLine[]> {
  const f = await syncFixture(n);
  return coldSyncs('sync-loopback', f, f.server.address, f.rawAddress);
}

/** A round trip of 40 ms between client and server. */
async function far(n: number): Promise<BenchLine[]> {
  const f = await syncFixture(n);
  const [ours, theirs] = [
    await startDelayProxy(f.server.address, DELAY_MS),
    await startDelayProxy(f.rawAddress, DELAY_MS),
  ];
  try {
    return await coldSyncs('sync-40ms', f, ours.address, theirs.address);
  } finally {
    ours.stop();
    theirs.stop();
  }
}

/**
 * Reopening, from the store's key on: misses are answered (`cold-open`), the set digest is checked
 * (`cold-open-digest`), records are in memory and a match is answered (`cold-open-match`); beside it, the records
 * decrypted and hashed and nothing else.
 */
async function coldOpen(n: number): Promise<BenchLine[]> {
  const f = await syncFixture(n);
  const client = await newClient(f);
  await syncWhole(f, client);
  const { arena } = client.replica.state;
  const known = arena.hash(0);
  const unknown = known.map((byte) => byte ^ 0x5a);
  const took: Opened[] = [];
  const floor: number[] = [];
  for (let round = -1; round < options.rounds; round++) {
    const opened = await openCold(client, known, unknown);
    const hashed = await hashOnly(client);
    if (round < 0) continue;
    took.push(opened);
    floor.push(hashed);
  }
  await client.remove();
  const line = (bench: string, of: (opened: Opened) => number) =>
    result({
      ...{
        bench,
        n,
        unit: 'ms',
        ours: median(took.map(of)),
        baseline: 'decrypt-hash',
        theirs: median(floor),
      },
      ...{ rounds: options.rounds, checked: true },
    });
  return [
    line('cold-open', ({ usable }) => usable),
    line('cold-open-digest', ({ verified }) => verified),
    line('cold-open-match', ({ matched }) => matched),
  ];
}

/** Milliseconds since the process would have started. */
interface Opened {
  readonly usable: number;
  readonly verified: number;
  readonly matched: number;
}

async function openCold(client: SyncClient, known: Uint8Array, unknown: Uint8Array): Promise<Opened> {
  await client.close();
  const started = performance.now();
  const since = () => performance.now() - started;
  await client.start(ListReplica.begin);
  const list = await MatchingList.open(client.replica, 'listed');
  if (!list.waitsFor({ sha256: known }) || list.waitsFor({ sha256: unknown }))
    throw new Error('the keys do not tell what may be listed');
  if (list.find(unknown).length > 0) throw new Error('an unknown hash matches');
  const usable = since();
  await list.verified();
  if (client.replica.damage !== undefined) throw client.replica.damage.error;
  const verified = since();
  await list.ready();
  if (list.find(known).length === 0) throw new Error('a known entry does not match');
  return { usable, verified, matched: since() };
}

/** Milliseconds to open the store, decrypt the records and hash them once: no way of verifying them takes less. */
async function hashOnly(client: SyncClient): Promise<number> {
  return time(async () => {
    await client.restart(ListReplica.begin);
    const hash = createHash('sha256');
    const loaded = await client.deps.store.list(client.origin).load();
    for await (const rows of loaded!.pieces()) hash.update(rows);
    hash.digest();
    await loaded!.close();
    await client.replica.opening?.close();
  });
}

const sized = (run: (n: number) => Promise<BenchLine[]>) => async (): Promise<BenchLine[]> => {
  const all: BenchLine[] = [];
  for (const n of options.sizes ?? DEFAULT_SIZES) all.push(...(await run(n)));
  return all;
};

export const benches: Record<string, () => Promise<BenchLine[]>> = {
  'sync-loopback': sized(loopback),
  'sync-40ms': sized(far),
  'cold-open': sized(coldOpen),
};

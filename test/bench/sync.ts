import { MatchingList } from '../../sdk/index.js';
import { startDelayProxy } from './delay-proxy.js';
import { interleaved, median, result, time } from './measure.js';
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
 * Reopening: every byte authenticated, count and set digest recomputed (`cold-open-digest`), then the index built (all
 * of it: `cold-open`); or a sync anew.
 */
async function coldOpen(n: number): Promise<BenchLine[]> {
  const f = await syncFixture(n);
  const client = await newClient(f);
  await syncWhole(f, client);
  const known = client.replica.state.arena.hash(0);
  const checkedMs: number[] = [];
  const ours = async () => {
    checkedMs.push(await time(() => client.restart()));
    const matching = new MatchingList(client.replica, 'listed');
    if (matching.find(known).length === 0) throw new Error('a known entry does not match');
  };
  const theirs = async () => {
    const other = await newClient(f);
    await syncWhole(f, other);
    await other.remove();
  };
  const times = await interleaved({ ours, theirs }, options.rounds);
  await client.remove();
  const line = (bench: string, ms: number) =>
    result({
      ...{ bench, n, unit: 'ms', ours: ms, baseline: 'whole-list', theirs: times('theirs') },
      ...{ rounds: options.rounds, checked: true },
    });
  // The first opening warms up, as it does for the whole.
  return [line('cold-open', times('ours')), line('cold-open-digest', median(checkedMs.slice(1)))];
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

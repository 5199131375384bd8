import { connect, createServer, type Http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { MatchingList } from '../../sdk/index.js';
import { watchOrigins } from '../../sdk/sync/index.js';
import { SyncClient, TestClock } from '../support/sync/client.js';
import { FakeList, FakeServer } from '../support/sync/fake-server.js';
import { ORIGIN, T0 } from '../support/trust/bodies.js';
import { median, result, time } from './measure.js';
import { options } from './options.js';
import type { BenchLine } from './types.js';

const DEFAULT_SIZES = [1_000_000];
/** One key's limit for a million records is 10,000. */
const DELTA = 9_000;

interface Fixture {
  readonly n: number;
  readonly clock: TestClock;
  readonly list: FakeList;
  readonly server: FakeServer;
  readonly raw: Http2Server;
}

let current: Fixture | undefined;

async function fixture(n: number): Promise<Fixture> {
  if (current?.n === n) return current;
  await close();
  const clock = new TestClock(T0 + 60_000);
  const list = new FakeList(ORIGIN, () => clock.nowMs());
  list.log.publishRandom(n);
  list.sign('two');
  const raw = createServer({ settings: { initialWindowSize: 16 << 20 } });
  raw.on('stream', async (stream) => {
    stream.respond({ ':status': 200 });
    for (const { bytes } of list.log.bundles) await new Promise((done) => stream.write(bytes, done));
    stream.end();
  });
  await new Promise<void>((done) => raw.listen(0, '127.0.0.1', done));
  current = { n, clock, list, server: await FakeServer.start(list), raw };
  return current;
}

export async function close(): Promise<void> {
  current?.server.stop();
  current?.raw.close();
  current = undefined;
}

const newClient = ({ clock, server }: Fixture) => SyncClient.open(ORIGIN, clock, [server.source()]);

/** Opens a store, syncs and checks it against the truth; removing it is not measured by the caller. */
async function coldSync(f: Fixture): Promise<SyncClient> {
  const client = await newClient(f);
  await client.sync();
  if (client.replica.state.count !== f.list.log.state.count) throw new Error('the synced list is incomplete');
  return client;
}

/** The same bytes through one HTTP/2 stream, thrown away as they come. */
async function rawTransfer({ raw }: Fixture): Promise<void> {
  const session = connect(`http://127.0.0.1:${(raw.address() as AddressInfo).port}`, {
    settings: { initialWindowSize: 16 << 20 },
  });
  session.once('connect', () => session.setLocalWindowSize(16 << 20));
  const stream = session.request({ ':path': '/' });
  await new Promise<void>((resolve, reject) => {
    stream.on('data', () => {});
    stream.once('end', resolve);
    stream.once('error', reject);
  });
  session.close();
}

async function loopback(n: number): Promise<BenchLine[]> {
  const f = await fixture(n);
  const took = { ours: [] as number[], theirs: [] as number[] };
  for (let round = -1; round < options.rounds; round++) {
    const client = await newClient(f);
    const ours = await time(() => client.sync());
    if (client.replica.state.count !== f.list.log.state.count)
      throw new Error('the synced list is incomplete');
    await client.remove();
    const theirs = await time(() => rawTransfer(f));
    if (round < 0) continue;
    took.ours.push(ours);
    took.theirs.push(theirs);
  }
  const line = { bench: 'sync-loopback', n, unit: 'ms', baseline: 'raw-http2' } as const;
  const times = { ours: median(took.ours), theirs: median(took.theirs) };
  return [result({ ...line, ...times, rounds: options.rounds, checked: true })];
}

/** From the moment the server has a new checkpoint to the first verdict in a client that watches. */
async function delta(n: number): Promise<BenchLine[]> {
  const f = await fixture(n);
  const client = await coldSync(f);
  const matching = new MatchingList(client.replica, 'listed');
  const stop = new AbortController();
  let synced = (): void => {};
  const watching = (async () => {
    for await (const _ of watchOrigins(client.deps, [ORIGIN], stop.signal)) {
      const { changes, from, size } = await client.sync();
      matching.apply(changes);
      if (size > from) synced();
    }
  })();
  const took: number[] = [];
  for (let round = -1; round < options.rounds; round++) {
    await new Promise((done) => setTimeout(done, 300));
    const leaves = f.list.log.adds(`delta ${n} ${round}`, DELTA);
    const [first] = leaves;
    f.list.log.publish(leaves);
    f.list.sign('two');
    const ms = await time(async () => {
      const arrived = new Promise<void>((resolve) => {
        synced = resolve;
      });
      f.server.announce();
      await arrived;
      if (first?.kind !== 'add' || matching.find(first.hash).length !== 1)
        throw new Error('the new entry does not match');
    });
    if (round >= 0) took.push(ms);
  }
  const again = await time(async () => {
    const other = await coldSync(f);
    await other.remove();
  });
  stop.abort();
  await watching;
  await client.remove();
  const line = { bench: 'sync-delta', n: DELTA, unit: 'ms', ours: median(took), theirs: again } as const;
  return [result({ ...line, baseline: 'whole-list', rounds: options.rounds, checked: true })];
}

/** Reopening: every byte authenticated, count and set digest recomputed, and the index built. */
async function coldOpen(n: number): Promise<BenchLine[]> {
  const f = await fixture(n);
  const client = await coldSync(f);
  const known = client.replica.state.arena.hash(0);
  const took: number[] = [];
  for (let round = -1; round < options.rounds; round++) {
    const ms = await time(async () => {
      await client.restart();
      const matching = new MatchingList(client.replica, 'listed');
      if (matching.find(known).length === 0) throw new Error('a known entry does not match');
    });
    if (round >= 0) took.push(ms);
  }
  await client.remove();
  const again = await time(async () => {
    const other = await coldSync(f);
    await other.remove();
  });
  const line = { bench: 'cold-open', n, unit: 'ms', ours: median(took), theirs: again } as const;
  return [result({ ...line, baseline: 'whole-list', rounds: options.rounds, checked: true })];
}

const sized = (run: (n: number) => Promise<BenchLine[]>) => async (): Promise<BenchLine[]> => {
  const all: BenchLine[] = [];
  for (const n of options.sizes ?? DEFAULT_SIZES) all.push(...(await run(n)));
  return all;
};

export const benches: Record<string, () => Promise<BenchLine[]>> = {
  'sync-loopback': sized(loopback),
  'cold-open': sized(coldOpen),
  'sync-delta': sized(delta),
};
